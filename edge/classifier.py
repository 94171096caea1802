"""A `.tflite` file -> labelled probabilities, with LiteRT and numpy alone.

What export measures is what a device computes. Labels and sizes come from the
model file itself. Never imports TensorFlow.
"""

import os
from collections.abc import Sequence

import numpy as np

from edge import given
from edge import model_file
from edge import model_trial
from edge import pictures
from edge.model_file import LABELS_MEMBER
from edge.model_file import METADATA_MEMBER
from edge.model_file import ModelFileError
from edge.network import Network
from edge.quantisation import dequantise
from edge.quantisation import quantise

__all__ = [
    "LABELS_MEMBER",
    "METADATA_MEMBER",
    "Classifier",
    "ModelFileError",
    "dequantise",
    "quantise",
]


class Classifier:
    """A model file, ready to answer.

    Example: `Classifier().classify(picture)` gives
    `{"happy": 0.93, "neutral": 0.04, ...}`. Several threads may share one;
    their calls wait for each other.

    Attributes:
      labels: class names, in the order of the probabilities.
      image_size: height and width the model takes, in pixels.
      channels: 1 for grey, 3 for RGB.
      input_dtype: numpy type of the model's own input.
      input_quantization: (scale, zero point) of the input; (0.0, 0) when it
        is not quantised.
      metadata: what export recorded about the file.
      min_confidence: the probability from which on an answer is sure, chosen
        on validation images so that four in five of them are right.
    """

    def __init__(
        self,
        model: str | os.PathLike | None = None,
        num_threads: int = 1,
        use_xnnpack: bool = True,
        *,
        views: int = 2,
        delegate: str | None = None,
    ):
        """Loads and checks the file.

        Args:
          model: a `.tflite` file written by `python -m export`, or the name
            of one that the package carries; None is its default, `edge`.
          num_threads: CPU threads.
          use_xnnpack: False runs LiteRT's built-in kernels only.
          views: of each crop that `classify` and `predict` answer for with
            their mean: 1 is the crop, 2 the crop and its mirror image.
          delegate: the shared library of an accelerator, as
            libedgetpu.so.1; None runs on the CPU.

        Raises:
          ModelFileError: the file cannot be used.
          ValueError: `num_threads` or `views` cannot be, or the delegate
            does not load.
        """
        _check_numbers(num_threads, views)
        self._views = views
        path = model_file.choose_model(model)
        file = model_file.read_model_file(path)
        self.labels, self.metadata = file.labels, file.metadata
        self.min_confidence = model_file.min_confidence(path)
        if delegate is None and not model_file.is_shipped(path):
            model_trial.attempt(path, file, use_xnnpack=use_xnnpack)
        self._network = Network(
            path,
            file,
            num_threads=num_threads,
            use_xnnpack=use_xnnpack,
            delegate=delegate,
        )
        self.image_size = self._network.image_size
        self.channels = self._network.channels
        self.input_dtype = self._network.input_dtype
        self.input_quantization = self._network.input_quantization

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Answers for pictures that already have the model's shape.

        Args:
          images: uint8 [n, image_size, image_size, channels], raw pixels in
            [0, 255].

        Returns:
          float32 [n, len(labels)] in [0, 1].

        Raises:
          ValueError: another type or shape.
        """
        images = np.asarray(images)
        shape = (self.image_size, self.image_size, self.channels)
        if images.dtype != np.uint8:
            raise ValueError(
                "`images` must be uint8, raw pixels 0 to 255; received "
                f"{images.dtype}. Do not normalise: the model does"
            )
        if images.ndim != 4 or images.shape[1:] != shape:
            raise ValueError(
                f"`images` must have shape [n, {', '.join(map(str, shape))}]"
                f"; received {list(images.shape)}. `classify` takes "
                "pictures of any size"
            )
        return self._network.run(images)

    def classify(
        self,
        pictures_in: given.PictureLike | Sequence[given.PictureLike],
        top_k: int | None = None,
    ) -> dict[str, float] | list[dict[str, float]]:
        """Answers for pictures of any size.

        Args:
          pictures_in: one picture: a path, a PIL image, or uint8 [H, W] or
            [H, W, C] in RGB (from OpenCV: `picture[..., ::-1]`); or several,
            as a sequence of such or uint8 [n, H, W, C].
          top_k: how many labels to give for each; None gives all.

        Returns:
          `{label: probability}`, most probable first; a list of them when
          several pictures were given.

        Raises:
          ValueError: not such pictures, or `top_k` is below 1.
        """
        if top_k is not None and top_k < 1:
            raise ValueError(f"`top_k` must be at least 1; received {top_k}")
        crops, is_one = given.read(pictures_in)
        answers = [self.rank(row, top_k) for row in self.predict(crops)]
        return answers[0] if is_one else answers

    def predict(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        """Prepares crops of any size and predicts the mean over their views.

        Args:
          crops: uint8 [H, W] or [H, W, C].

        Returns:
          float32 [n, len(labels)] in [0, 1].

        Raises:
          ValueError: not such pictures.
        """
        shape = (self.image_size, self.image_size, self.channels)
        images = np.zeros([len(crops), *shape], np.uint8)
        for place, crop in zip(images, crops, strict=True):
            place[:] = pictures.prepare_picture(crop, *shape[1:])
        predictions = self.probabilities(images)
        if self._views == 2:
            mirrored = np.ascontiguousarray(images[:, :, ::-1])
            predictions = (predictions + self.probabilities(mirrored)) / 2
        return predictions

    def tensor_types(self) -> dict[str, np.dtype]:
        """Returns the type of every tensor in the model, by name."""
        return self._network.tensor_types()

    def operators(self) -> list[tuple[str, list[int], list[int]]]:
        """Returns (name, input tensors, output tensors) of every operator.

        What a delegate has taken over stays in the list; the delegate itself
        follows as `DELEGATE`, between the tensors that it takes and gives.
        """
        return self._network.operators()

    def rank(
        self, row: np.ndarray, top_k: int | None = None
    ) -> dict[str, float]:
        """One row of `probabilities` -> labelled, most probable first."""
        order = np.argsort(-row, kind="stable")[:top_k]
        return {self.labels[index]: float(row[index]) for index in order}


def _check_numbers(num_threads: int, views: int) -> None:
    if not 1 <= num_threads <= model_file.MAX_THREADS:
        raise ValueError(
            f"`num_threads` must be from 1 to {model_file.MAX_THREADS}; "
            f"received {num_threads}"
        )
    if views not in (1, 2):
        raise ValueError(f"`views` must be 1 or 2; received {views}")

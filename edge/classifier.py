"""A `.tflite` file -> labelled probabilities, with LiteRT and numpy alone.

What export measures is what a device computes. Labels and sizes come from the
model file itself. Never imports TensorFlow.
"""

import ctypes
import os
import threading
from collections.abc import Sequence

import numpy as np
from ai_edge_litert import interpreter as litert

from edge import given
from edge import model_file
from edge import pictures
from edge import quiet
from edge.model_file import LABELS_MEMBER
from edge.model_file import METADATA_MEMBER
from edge.model_file import ModelFileError
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
          ModelFileError: the file is missing, damaged or lacks labels.
          ValueError: `num_threads` or `views` cannot be, or the delegate
            does not load.
        """
        if num_threads < 1:
            raise ValueError(
                f"`num_threads` must be at least 1; received {num_threads}"
            )
        if views not in (1, 2):
            raise ValueError(f"`views` must be 1 or 2; received {views}")
        self._views = views
        self._path = model_file.choose_model(model)
        file = model_file.read_model_file(self._path)
        self.labels, self.metadata = file.labels, file.metadata
        self.min_confidence = model_file.min_confidence(self._path)
        options = {
            "num_threads": num_threads,
            "experimental_op_resolver_type": _kernels(use_xnnpack),
            "experimental_delegates": _delegates(delegate),
        }
        self._interpreter = _interpreter(self._path, file.content, options)
        self._lock = threading.Lock()
        self._read_tensors()

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
        step = max(len(images), 1) if self._is_dynamic else self._batch
        starts = range(0, len(images), step)
        parts = [self._run(images[start : start + step]) for start in starts]
        empty = np.zeros([0, len(self.labels)], np.float32)
        return np.concatenate([empty, *parts])

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
        return {
            f"{detail['index']}:{detail['name']}": np.dtype(detail["dtype"])
            for detail in self._interpreter.get_tensor_details()
        }

    def operators(self) -> list[tuple[str, list[int], list[int]]]:
        """Returns (name, input tensors, output tensors) of every operator.

        What a delegate has taken over stays in the list; the delegate itself
        follows as `DELEGATE`, between the tensors that it takes and gives.
        """
        # LiteRT has no public call for it; its own profiler reads the same.
        return [
            (
                detail["op_name"],
                [int(index) for index in detail["inputs"]],
                [int(index) for index in detail["outputs"]],
            )
            for detail in self._interpreter._get_ops_details()
        ]

    def rank(
        self, row: np.ndarray, top_k: int | None = None
    ) -> dict[str, float]:
        """One row of `probabilities` -> labelled, most probable first."""
        order = np.argsort(-row, kind="stable")[:top_k]
        return {self.labels[index]: float(row[index]) for index in order}

    def _read_tensors(self):
        inputs = self._interpreter.get_input_details()
        outputs = self._interpreter.get_output_details()
        shapes = [list(map(int, d["shape"])) for d in inputs + outputs]
        if len(inputs) != 1 or len(outputs) != 1 or len(shapes[0]) != 4:
            raise model_file.refuse(
                self._path,
                f"it is no picture classifier: its tensors are {shapes}",
            )
        self._batch, height, width, self.channels = shapes[0]
        self.image_size = height
        signature = inputs[0].get("shape_signature", inputs[0]["shape"])
        self._is_dynamic = int(signature[0]) == -1
        self._input_index = inputs[0]["index"]
        self._output_index = outputs[0]["index"]
        self.input_dtype = np.dtype(inputs[0]["dtype"])
        self.input_quantization = _quantization(inputs[0])
        self._output_quantization = _quantization(outputs[0])
        stated = (
            self.metadata.get("image_size"),
            self.metadata.get("image_size"),
            self.metadata.get("channels"),
            len(self.labels),
        )
        actual = (height, width, self.channels, shapes[1][-1])
        if stated != actual:
            raise model_file.refuse(
                self._path,
                "height, width, channels and labels are "
                f"{actual} in the model and {stated} in its metadata",
            )

    def _run(self, images):
        """Uint8 [n, S, S, C] -> float32 [n, K], n up to the model's batch."""
        count = len(images)
        with self._lock:
            if self._is_dynamic and count != self._batch:
                shape = [count, *images.shape[1:]]
                self._interpreter.resize_tensor_input(
                    self._input_index, shape, strict=True
                )
                self._interpreter.allocate_tensors()
                self._batch = count
            if count < self._batch:
                padding = [(0, self._batch - count)] + [(0, 0)] * 3
                images = np.pad(images, padding)
            values = quantise(
                images, *self.input_quantization, dtype=self.input_dtype
            )
            self._interpreter.set_tensor(self._input_index, values)
            self._interpreter.invoke()
            output = self._interpreter.get_tensor(self._output_index)
        return dequantise(output[:count], *self._output_quantization)


def _quantization(detail):
    scale, zero_point = detail["quantization"]
    return float(scale), int(zero_point)


def _kernels(use_xnnpack):
    kinds = litert.OpResolverType
    plain = kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    return kinds.AUTO if use_xnnpack else plain


def _delegates(path):
    if path is None:
        return None
    try:
        # LiteRT leaves a traceback behind when it fails on these two.
        _ = ctypes.CDLL(os.fspath(path)).tflite_plugin_create_delegate
        return [litert.load_delegate(os.fspath(path))]
    except (OSError, AttributeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"cannot load the delegate {path} ({error}); give the shared "
            "library that belongs to the accelerator, as libedgetpu.so.1"
        ) from None


def _interpreter(path, content, options):
    try:
        with quiet.without_info_lines():
            interpreter = litert.Interpreter(model_content=content, **options)
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise model_file.refuse(
            path, f"LiteRT does not load it ({error})"
        ) from None
    return interpreter

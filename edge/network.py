"""LiteRT around one checked model file: pixels -> probabilities.

Whatever LiteRT has against a model becomes one line. A model that brings
LiteRT down is the business of `edge.model_trial`.
"""

import ctypes
import os
import threading
from typing import Any

import numpy as np
from ai_edge_litert import interpreter as litert

from edge import model_file
from edge import quiet
from edge.model_file import ModelFile
from edge.quantisation import dequantise
from edge.quantisation import fault_of_quantisation
from edge.quantisation import quantise

# Softmax may leave [0, 1] by a rounding error.
TOLERANCE = 0.01
TYPES = (np.float32, np.uint8, np.int8, np.int16)


class Network:
    """A model in memory, which several threads may share.

    Attributes:
      image_size: height and width the model takes, in pixels.
      channels: 1 for grey, 3 for RGB.
      input_dtype: numpy type of the model's own input.
      input_quantization: (scale, zero point) of the input; (0.0, 0) when it
        is not quantised.
      output_dtype: numpy type of the model's own output.
      output_quantization: (scale, zero point) of the output.
      is_dynamic: whether the number of images in a batch is open.
    """

    def __init__(
        self,
        path: str,
        file: ModelFile,
        *,
        num_threads: int,
        use_xnnpack: bool,
        delegate: str | None = None,
    ):
        """Loads the model.

        Args:
          path: what messages call the file.
          file: the model, with the labels and metadata that it must fit.
          num_threads: CPU threads.
          use_xnnpack: False runs LiteRT's built-in kernels only.
          delegate: the shared library of an accelerator; None runs on the
            CPU.

        Raises:
          ModelFileError: LiteRT does not load it, or it is no classifier of
            such pictures.
          ValueError: the delegate does not load.
        """
        self._path = path
        self._lock = threading.Lock()
        self._num_labels = len(file.labels)
        options = {
            "num_threads": num_threads,
            "experimental_op_resolver_type": _kernels(use_xnnpack),
            "experimental_delegates": _delegates(delegate),
        }
        try:
            with quiet.without_info_lines():
                self._interpreter = litert.Interpreter(
                    model_content=file.content, **options
                )
                # Before the memory for it is taken.
                self._read_input(file.metadata)
                self._interpreter.allocate_tensors()
        except model_file.ModelFileError:
            raise
        except _REFUSALS as error:
            reason = f"LiteRT does not load it ({error})"
            raise model_file.refuse(self._path, reason) from None
        self._read_output()

    def run(self, images: np.ndarray) -> np.ndarray:
        """Predicts for images of the model's shape.

        Args:
          images: uint8 [n, image_size, image_size, channels].

        Returns:
          float32 [n, number of labels] in [0, 1].

        Raises:
          ModelFileError: LiteRT breaks off, or gives no probabilities.
        """
        step = max(len(images), 1) if self.is_dynamic else self._batch
        parts = [np.zeros([0, self._num_labels], np.float32)]
        for start in range(0, len(images), step):
            some = images[start : start + step]
            try:
                with self._lock:
                    output = self._invoke(some)
            except _REFUSALS as error:
                reason = f"LiteRT does not run it ({error})"
                raise model_file.refuse(self._path, reason) from None
            parts.append(self._checked(output[: len(some)]))
        return np.concatenate(parts)

    def tensor_types(self) -> dict[str, np.dtype]:
        """Returns the type of every tensor in the model, by name."""
        return {
            f"{detail['index']}:{detail['name']}": np.dtype(detail["dtype"])
            for detail in self._interpreter.get_tensor_details()
        }

    def operators(self) -> list[tuple[str, list[int], list[int]]]:
        """Returns (name, input tensors, output tensors) of every operator."""
        # LiteRT has no public call for it; its own profiler reads the same.
        return [
            (
                detail["op_name"],
                [int(index) for index in detail["inputs"]],
                [int(index) for index in detail["outputs"]],
            )
            for detail in self._interpreter._get_ops_details()
        ]

    def _read_input(self, metadata: dict) -> None:
        inputs = self._interpreter.get_input_details()
        outputs = self._interpreter.get_output_details()
        shapes = [list(map(int, d["shape"])) for d in inputs + outputs]
        ranks = [len(shape) for shape in shapes]
        if len(inputs) != 1 or ranks != [4, 2]:
            raise model_file.refuse(
                self._path,
                f"it is no picture classifier: its tensors are {shapes}",
            )
        self._batch, height, width, self.channels = shapes[0]
        self.image_size = height
        size = metadata["image_size"]
        stated = (size, size, metadata["channels"], self._num_labels)
        actual = (height, width, self.channels, shapes[1][-1])
        if stated != actual or self._batch < 1:
            raise model_file.refuse(
                self._path,
                "height, width, channels and labels are "
                f"{actual} in the model and {stated} in its metadata",
            )
        signature = inputs[0].get("shape_signature", inputs[0]["shape"])
        self.is_dynamic = len(signature) == 4 and int(signature[0]) == -1
        self._input_index = inputs[0]["index"]
        self.input_dtype, self.input_quantization = self._type(inputs[0])

    def _read_output(self) -> None:
        (output,) = self._interpreter.get_output_details()
        self._output_index = output["index"]
        self.output_dtype, self.output_quantization = self._type(output)

    def _type(self, detail: dict[str, Any]) -> tuple[np.dtype, tuple]:
        """Type and (scale, zero point) of the input or the output."""
        dtype = np.dtype(detail["dtype"])
        scale, zero_point = detail["quantization"]
        quantization = float(scale), int(zero_point)
        fault = f"is {dtype}" if dtype.type not in TYPES else ""
        fault = fault or fault_of_quantisation(*quantization, dtype=dtype)
        if fault:
            reason = f"its input or output {fault}"
            raise model_file.refuse(self._path, reason)
        return dtype, quantization

    def _invoke(self, images: np.ndarray) -> np.ndarray:
        """Uint8 [n, S, S, C] -> what the model gives, n up to its batch."""
        count = len(images)
        if self.is_dynamic and count != self._batch:
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
        return self._interpreter.get_tensor(self._output_index)

    def _checked(self, output: np.ndarray) -> np.ndarray:
        """What the model gave, as probabilities."""
        values = dequantise(output, *self.output_quantization)
        is_right = (values >= -TOLERANCE) & (values <= 1 + TOLERANCE)
        if values.shape[1:] == (self._num_labels,) and is_right.all():
            return values
        raise model_file.refuse(
            self._path,
            f"what it gives, {list(values.shape)} from {values.min():g} to "
            f"{values.max():g}, are no probabilities",
        )


# What LiteRT raises of a model: its own findings, names that are no text,
# numbers that fit no C type, and memory that there is not.
_REFUSALS = (ValueError, RuntimeError, TypeError, OverflowError, IndexError)
_REFUSALS += (SystemError, MemoryError)


def _kernels(use_xnnpack: bool) -> litert.OpResolverType:
    kinds = litert.OpResolverType
    plain = kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    return kinds.AUTO if use_xnnpack else plain


def _delegates(path: str | None) -> list[litert.Delegate] | None:
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

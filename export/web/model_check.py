"""Whether LiteRT.js runs a model file, and which recipe to use where not.

LiteRT.js has tensors of uint8, int32 and float32 alone, and takes no shape
that is open.
"""

import pathlib

import numpy as np

from edge import model_file
from edge.network import Network
from export.options import ExportError

_TYPES = (np.dtype(np.uint8), np.dtype(np.float32))
# The page knows one scale of bytes: that of every softmax in TFLite.
_STEP = 1 / 256
_RECIPE = "--tflite --recipes=int8 --io=uint8"


def check(path: pathlib.Path) -> None:
    """Refuses a model file that the page cannot run.

    Raises:
      ExportError: says why, and with which flags the file is right.
      ModelFileError: it is no model file of ours.
    """
    file = model_file.read_model_file(str(path))
    network = Network(str(path), file, num_threads=1, use_xnnpack=False)
    for name in ("input", "output"):
        dtype = getattr(network, f"{name}_dtype")
        if dtype not in _TYPES:
            raise _refusal(path, f"its {name} is {dtype}")
    if network.is_dynamic:
        raise _refusal(path, "its batch is open")
    expected = {"uint8": (1.0, 0), "float32": (0.0, 0)}
    scale = network.input_quantization
    if scale != expected[network.input_dtype.name]:
        raise _refusal(path, f"its input has scale and zero point {scale}")
    if network.output_quantization not in ((0.0, 0), (_STEP, 0)):
        raise _refusal(path, "its output is not in steps of 1/256")


def _refusal(path: pathlib.Path, reason: str) -> ExportError:
    return ExportError(
        f"LiteRT.js cannot run {path}: {reason}. Export it again with {_RECIPE}"
    )

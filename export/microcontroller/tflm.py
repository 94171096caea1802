"""An int8 file in the interpreter of TensorFlow Lite for Microcontrollers.

TFLM has kernels of its own, so only they can say what a microcontroller will
predict, and how much memory it takes. Needs `tflite_micro`, an optional extra.
"""

import dataclasses
import importlib.util
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

PACKAGE = "tflite_micro"
# In a process of its own: the sizes are printed from C++, and a model that
# its interpreter cannot hold ends the process.
_PROGRAM = """
import sys
import numpy
from tflite_micro import runtime
folder = sys.argv[1]
model = runtime.Interpreter.from_file(folder + "/model.tflite")
predictions = []
for image in numpy.load(folder + "/inputs.npy"):
    model.set_input(image[None], 0)
    model.invoke()
    predictions.append(model.get_output(0)[0])
numpy.save(folder + "/predictions.npy", predictions)
model.print_allocations()
"""


@dataclasses.dataclass(frozen=True)
class Measured:
    """What TFLM said.

    Attributes:
      arena_bytes: memory for everything but the model itself; on this machine,
        whose pointers are longer than a microcontroller's.
      predictions: integers [n, K], as they stand in the output tensor.
    """

    arena_bytes: int
    predictions: np.ndarray


class TflmError(RuntimeError):
    """TFLM is not installed or did not run the file; the text says which."""


def run(content: bytes, inputs: np.ndarray) -> Measured:
    """Classifies images with TFLM's kernels.

    Args:
      content: an int8 `.tflite`, without what is appended to it.
      inputs: uint8 or int8 [n, S, S, C], of the file's own input type.

    Raises:
      TflmError: it is not installed, or it failed.
    """
    if importlib.util.find_spec(PACKAGE) is None:
        raise TflmError(f"{PACKAGE} is not installed here")
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        (folder / "model.tflite").write_bytes(content)
        np.save(folder / "inputs.npy", inputs)
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, scratch], capture_output=True
        )
        text = (done.stdout + done.stderr).decode(errors="replace")
        found = re.search(r"Arena allocation total (\d+) bytes", text)
        if done.returncode or not found:
            last = text.strip().splitlines()[-1:] or ["no output"]
            raise TflmError(f"{PACKAGE} failed ({last[0]})")
        return Measured(int(found[1]), np.load(folder / "predictions.npy"))

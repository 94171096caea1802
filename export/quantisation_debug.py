"""Where an int8 file departs from the float model, tensor by tensor.

Run when the gate refuses an int8 file: each tensor of the quantised network is
compared with the same tensor computed in float from the same inputs, so what
a layer adds shows at that layer. Judges nothing; a person reads the table.
TensorFlow's debugger knows int8 alone: run on int16x8 it shows int8.
"""

import csv
import io
import math
import pathlib
import tempfile
from typing import Any

import numpy as np
import tensorflow as tf

from export import artifacts
from export import tflite_recipes
from trainer import console
from trainer import files
from trainer.checkpoints import FinishedRun

# The debugger keeps every tensor of every image's run; the order of layers
# is the same with 50 as with 400.
MOST_IMAGES = 50
# Rounding alone spreads evenly over one step: its root mean square.
ROUNDING = 1 / math.sqrt(12)
COLUMNS = (
    "tensor",
    "operator",
    "steps_off",
    "largest_error",
    "mean_error",
    "scale",
    "elements",
)


def measure(run: FinishedRun, images: np.ndarray) -> list[dict[str, Any]]:
    """Compares the tensors of the int8 file with those of the float model.

    Args:
      run: the trained model.
      images: uint8 [n, S, S, C], the calibration images; the first
        MOST_IMAGES also show the errors.

    Returns:
      One row for each tensor, worst first, of COLUMNS; `steps_off` is the
      root mean square error in steps of that tensor: 0.29 is rounding alone.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        with console.output_to(folder / "converter.log", 1, 2):
            artifacts.write_fixed_batch_model(run, folder / "model")
            converter = tflite_recipes.int8_converter(
                str(folder / "model"), images, "float32"
            )
            debugger = tf.lite.experimental.QuantizationDebugger(
                converter=converter,
                debug_dataset=lambda: (
                    [image[np.newaxis].astype(np.float32)]
                    for image in images[:MOST_IMAGES]
                ),
            )
            debugger.run()
            path = folder / "statistics.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                debugger.layer_statistics_dump(file)
        with path.open(encoding="utf-8", newline="") as file:
            rows = [_row(row) for row in csv.DictReader(file)]
    return sorted(rows, key=lambda row: -row["steps_off"])


def write_table(path: pathlib.Path, rows: list[dict[str, Any]]) -> None:
    """Writes the rows of `measure` as CSV, all of them or nothing."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    files.write_text(path, text.getvalue())


def as_table(rows: list[dict[str, Any]], most: int = 10) -> str:
    """Returns the worst rows as lines of text for a person."""
    lines = [
        "worst tensors of the int8 file (steps off; rounding alone gives "
        f"{ROUNDING:.2f}):"
    ]
    for row in rows[:most]:
        lines.append(
            f"  {row['steps_off']:8.2f}  {row['operator']:20s} {row['tensor']}"
        )
    return "\n".join(lines)


def _row(row: dict[str, str]) -> dict[str, Any]:
    scale = float(row["scale"])
    error = math.sqrt(float(row["mean_squared_error"]))
    return {
        "tensor": row["tensor_name"],
        "operator": row["op_name"],
        "steps_off": error / scale if scale else 0.0,
        "largest_error": float(row["max_abs_error"]),
        "mean_error": float(row["mean_error"]),
        "scale": scale,
        "elements": int(float(row["num_elements"])),
    }

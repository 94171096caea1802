"""What a person sees of a running training: a line, a CSV, TensorBoard."""

import csv
import io
import pathlib
import sys
from typing import Any

import tensorflow as tf

from trainer import files
from trainer import run_folder

COLUMNS = (
    "epoch",
    "phase",
    "loss",
    "accuracy",
    "val_loss",
    "val_accuracy",
    "val_macro_f1",
    "learning_rate",
    "seconds",
)


def history_csv(history: list[dict[str, Any]]) -> str:
    """Returns the history as CSV text with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    return text.getvalue()


def epoch_line(row: dict[str, Any], total: int, is_best: bool) -> str:
    """Returns the one line that a finished epoch leaves on the screen."""
    return (
        f"epoch {row['epoch']:3d}/{total}  {row['phase']:9s}  "
        f"loss {row['loss']:.4f}  accuracy {row['accuracy']:.4f}  |  "
        f"validation loss {row['val_loss']:.4f}  "
        f"accuracy {row['val_accuracy']:.4f}  "
        f"macro-F1 {row['val_macro_f1']:.4f}  |  "
        f"{row['seconds']:.1f} s{'  best' if is_best else ''}"
    )


def show_progress(
    done: int, steps: int, *, loss: float, accuracy: float
) -> None:
    """Rewrites the progress line; silent when no person is watching."""
    if sys.stdout.isatty():
        print(
            f"\r  step {done}/{steps}  loss {loss:.4f}  "
            f"accuracy {accuracy:.4f}\x1b[K",
            end="" if done < steps else "\r\x1b[K",
            flush=True,
        )


class Logs:
    """Writes `history.csv` and TensorBoard files of one run."""

    def __init__(self, workdir: pathlib.Path):
        self._workdir = workdir
        folder = workdir / run_folder.TENSORBOARD
        self._writer = tf.summary.create_file_writer(str(folder))

    def write(self, history: list[dict[str, Any]]) -> None:
        """Writes the CSV anew and adds the last row to TensorBoard."""
        # The whole file each time: a resumed run then cannot repeat a row.
        path = self._workdir / run_folder.HISTORY
        files.write_text(path, history_csv(history))
        row = history[-1]
        with self._writer.as_default(step=row["epoch"]):
            for name in COLUMNS[2:]:
                tf.summary.scalar(name, row[name])
        self._writer.flush()

"""A model's predictions: checked, and kept as `predictions.npz`.

Numpy alone. Must not import TensorFlow or compute a metric. A file that is read
may come from anywhere: sizes are checked before memory is spent.
"""

import io
import os
import pathlib
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from trainer import files

# Half a step of an 8-bit output of scale 1/256 (LiteRT's softmax): the most by
# which one probability of a quantised model is off through rounding alone.
QUANTISATION_HALF_STEP = 0.5 / 256

# Slack for float16 and float32 softmax sums; logits miss by far more.
FLOAT_SUM_SLACK = 1e-3

# The largest data set here has 4,000 images to score; a hundred times as many
# names of 150 characters, of four bytes each, still fit.
MAX_ARRAY_BYTES = 2**28

_ARRAYS = ("ids", "labels", "probabilities")
# What numpy raises for a file that is cut, damaged or something else.
_UNREADABLE = (ValueError, TypeError, OSError, LookupError, EOFError)
_UNREADABLE += (RuntimeError, ArithmeticError, MemoryError, SyntaxError)
_UNREADABLE += (tokenize.TokenError, zipfile.BadZipFile, zlib.error)


class PredictionsError(ValueError):
    """Stored predictions cannot be used; the text says which and why."""


@dataclass(frozen=True)
class Predictions:
    """What a model predicts on one split.

    Attributes:
      ids: n names of the examples.
      labels: int32 [n], true class ids in [0, K).
      probabilities: float32 [n, K] in [0, 1].
    """

    ids: Sequence[str]
    labels: np.ndarray
    probabilities: np.ndarray


def write(
    path: str | os.PathLike, predictions: Mapping[str, Predictions]
) -> None:
    """Writes predictions, split name -> Predictions; no images."""
    arrays = {}
    for split, predicted in predictions.items():
        arrays[f"{split}_ids"] = np.array(list(predicted.ids), np.str_)
        arrays[f"{split}_labels"] = predicted.labels.astype(np.int32)
        # In C order, the only one that `read` takes.
        arrays[f"{split}_probabilities"] = np.ascontiguousarray(
            predicted.probabilities, np.float32
        )
    with files.write_aside(path) as aside:
        np.savez_compressed(aside, **arrays)


def read(path: str | os.PathLike, split: str) -> Predictions | None:
    """Reads what `write` wrote of one split; None when it has none.

    Raises:
      PredictionsError: the file is absent, damaged, too large or something
        else.
    """
    path = pathlib.Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if f"{split}_ids.npy" not in names:
                return None
            arrays = [_read_array(archive, f"{split}_{n}") for n in _ARRAYS]
        ids, labels, probabilities = arrays
        labels, _ = checked(labels, probabilities)
        if ids.shape != labels.shape or ids.dtype.kind != "U":
            raise ValueError(f"ids of shape {ids.shape} and {ids.dtype}")
    except FileNotFoundError as error:
        raise PredictionsError(
            f"there is no {path}; runs of this version write it when they end"
        ) from error
    except _UNREADABLE as error:
        raise PredictionsError(
            f"{path} is no predictions of a run, or damaged: {error}"
        ) from error
    return Predictions(ids.tolist(), labels, probabilities)


def _read_array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """One array of an archive; memory is spent on what the file holds."""
    with archive.open(f"{name}.npy") as file:
        data = file.read(MAX_ARRAY_BYTES + 1)
    if len(data) > MAX_ARRAY_BYTES:
        raise ValueError(f"{name} has more than {MAX_ARRAY_BYTES:,} bytes")
    stream = io.BytesIO(data)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError(f"{name} is in another version of numpy's format")
    shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    if is_fortran or dtype.kind not in "Uif":
        raise ValueError(f"{name} holds {dtype}")
    return np.frombuffer(data, dtype, offset=stream.tell()).reshape(shape)


def checked(
    labels: ArrayLike, probabilities: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Returns labels int64 [n] and probabilities float64 [n, K] in [0, 1].

    Raises:
      ValueError: on wrong shapes, types or values, and on no examples.
    """
    labels, probabilities = np.asarray(labels), np.asarray(probabilities)
    if probabilities.ndim != 2 or probabilities.shape[1] < 2:
        raise ValueError(
            "`probabilities` must have shape [n, K], K >= 2, a column for each "
            f"class. Received shape: {probabilities.shape}."
        )
    if labels.shape != probabilities.shape[:1]:
        raise ValueError(
            f"`labels` must have shape {probabilities.shape[:1]}, one id for "
            f"each row of `probabilities`. Received shape: {labels.shape}."
        )
    if not len(labels):
        raise ValueError("`labels` is empty. Has the split any examples?")
    _check_labels(labels, probabilities.shape[1])
    probabilities = probabilities.astype(np.float64)
    _check_probabilities(probabilities)
    return labels.astype(np.int64), np.clip(probabilities, 0.0, 1.0)


def _check_labels(labels: np.ndarray, classes: int) -> None:
    if labels.dtype.kind not in "iu":
        raise ValueError(
            f"`labels` must be integer ids. Received dtype: {labels.dtype}."
        )
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(wrong):
        raise ValueError(
            f"`labels` must lie in [0, {classes}). Received {labels[wrong[0]]} "
            f"at position {wrong[0]}. Do model and data use the same classes?"
        )


def _check_probabilities(probabilities: np.ndarray) -> None:
    def refuse(wrong: np.ndarray, rule: str, advice: str) -> None:
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise ValueError(
                f"`probabilities` must {rule}. Received in row {row}: "
                f"{probabilities[row].tolist()}. {advice}"
            )

    finite = np.isfinite(probabilities).all(axis=1)
    refuse(~finite, "be finite", "Did the training diverge?")
    outside = np.abs(probabilities - 0.5) > 0.5 + FLOAT_SUM_SLACK
    refuse(outside.any(axis=1), "lie in [0, 1]", "Are these logits?")
    classes = probabilities.shape[1]
    slack = FLOAT_SUM_SLACK + classes * QUANTISATION_HALF_STEP
    off = np.abs(probabilities.sum(axis=1) - 1) > slack
    refuse(off, "sum to 1 in each row", "Apply a softmax over the classes.")


def checked_names(class_names: Sequence[str], classes: int) -> tuple[str, ...]:
    """Returns the names, which must be as many as there are classes.

    Raises:
      ValueError: there are more, fewer, or twice the same.
    """
    names = tuple(class_names)
    if len(names) != classes or len(set(names)) != classes:
        raise ValueError(
            f"`class_names` must be {classes} distinct names, one for each "
            f"column of `probabilities`. Received: {names}."
        )
    return names

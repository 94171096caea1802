"""What the folder of a run or an evaluation says, read without TensorFlow.

The folder may come from anywhere: every file is bounded in size, and every
value that a page shows is turned into the number or text that it must be.
Nothing is computed here, and no weights are read.
"""

import csv
import io
import pathlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer import json_files
from trainer import run_folder
from trainer.settings import settings as settings_lib

SPLITS = ("validation", "test")
METRIC_NAMES = ("accuracy", "macro_f1", "balanced_accuracy", "roc_auc")
METRIC_NAMES += ("log_loss",)
METRIC_NAMES += ("ece", "temperature")
_COLUMNS = ("loss", "accuracy", "val_loss", "val_accuracy", "val_macro_f1")
_COLUMNS += ("learning_rate", "seconds")
_EVALUATE_AGAIN = "evaluate again with python -m trainer.evaluate --overwrite"

# The page draws each; AffectNet has eleven.
MAX_CLASSES = 100


class StoredRunError(ValueError):
    """A folder holds no finished run; the text says what to do."""


@dataclass(frozen=True)
class StoredMetrics:
    """The metrics of one split.

    Attributes:
      n: number of examples.
      class_names: in id order.
      values: name in METRIC_NAMES -> value, None where the run has none.
      bounds: name in METRIC_NAMES -> [low, high] (95%), None where it has
        none.
      recalls: class name -> {"recall", "recall_interval"} in [0, 1], or None.
    """

    n: int
    class_names: list[str]
    values: dict[str, float | None]
    bounds: dict[str, list[float] | None]
    recalls: dict[str, dict[str, Any] | None]


@dataclass(frozen=True)
class StoredRun:
    """A finished run, or an evaluation of a model.

    Attributes:
      name: what a page calls it.
      path: its folder.
      settings: setting -> value, with today's defaults for what it predates;
        of an evaluation those of its model, empty where they are not known.
      metrics: split -> its metrics.
      history: column of history.csv -> float [epochs]; without an epoch for
        an evaluation.
      data: name and version of the data that it was scored on.
      code: the git commit, or a text that there was none.
    """

    name: str
    path: pathlib.Path
    settings: dict[str, Any]
    metrics: dict[str, StoredMetrics]
    history: dict[str, np.ndarray]
    data: str
    code: str

    @property
    def epochs(self) -> int:
        """Number of epochs, over both phases."""
        return len(self.history["seconds"])

    @property
    def hours(self) -> float:
        """Time that the epochs took."""
        return float(np.nansum(self.history["seconds"])) / 3600


def read_run(folder: pathlib.Path, name: str) -> StoredRun:
    """Reads what a finished run or `python -m trainer.evaluate` wrote.

    Args:
      folder: the workdir, or the folder of the evaluation.
      name: what to call it.

    Raises:
      StoredRunError: it is no run, not finished, or damaged.
    """
    is_evaluation = (folder / run_folder.EVALUATION).is_file()
    try:
        if is_evaluation:
            return _parse_evaluation(folder, name)
        _check_finished(folder)
        return _parse_run(folder, name)
    except FileNotFoundError as error:
        raise StoredRunError(
            f"{folder} is no whole "
            f"{'evaluation' if is_evaluation else 'run'}: {error.filename} is "
            "missing"
        ) from error
    except json_files.DamagedFileError as error:
        raise StoredRunError(str(error)) from error


def train_again(folder: pathlib.Path) -> str:
    """Returns what to do about a damaged file of a finished run."""
    return (
        "put the file back, or train the run again with\n  python -m trainer "
        f"--flagfile={folder / run_folder.FLAGFILE} --overwrite"
    )


def read_settings(
    folder: pathlib.Path, advice: str = ""
) -> settings_lib.Settings:
    """Reads the settings of a run.

    Args:
      folder: the workdir.
      advice: what to do about a damaged file; "" is `train_again`.

    Raises:
      json_files.DamagedFileError: they cannot be used.
      OSError: they cannot be opened.
    """
    advice = advice or train_again(folder)
    path = folder / run_folder.SETTINGS
    return json_files.read(path, settings_lib.from_groups, advice=advice)


def read_manifest(folder: pathlib.Path, advice: str = "") -> dict[str, Any]:
    """Reads what a run was made from: data, libraries, hardware.

    Earlier versions wrote less into it. Arguments and errors are those of
    `read_settings`.
    """
    advice = advice or train_again(folder)
    path = folder / run_folder.MANIFEST
    return json_files.read(path, _as_manifest, advice=advice)


def read_metrics(
    folder: pathlib.Path, advice: str = ""
) -> dict[str, StoredMetrics]:
    """Reads the metrics of a finished run: split -> its metrics.

    Arguments and errors are those of `read_settings`.
    """
    advice = advice or train_again(folder)
    path = folder / run_folder.METRICS
    return json_files.read(path, _as_metrics, advice=advice)


def _check_finished(folder: pathlib.Path) -> None:
    if not (folder / run_folder.SETTINGS).is_file():
        raise StoredRunError(
            f"{folder} holds no run: {run_folder.SETTINGS} is missing. Give "
            "a folder that `python -m trainer --workdir=FOLDER` wrote"
        )
    if not (folder / run_folder.METRICS).is_file():
        raise StoredRunError(
            f"the run in {folder} is not finished: {run_folder.METRICS} is "
            "missing. Finish it with\n"
            f"  python -m trainer --flagfile={folder / run_folder.FLAGFILE}"
        )


def _parse_run(folder: pathlib.Path, name: str) -> StoredRun:
    manifest = read_manifest(folder)
    return StoredRun(
        name=name,
        path=folder,
        settings=read_settings(folder).flat(),
        metrics=read_metrics(folder),
        history=_read_history(folder / run_folder.HISTORY),
        data=str(manifest["data"]["name"]),
        code=str(manifest.get("commit") or "not under version control"),
    )


def _parse_evaluation(folder: pathlib.Path, name: str) -> StoredRun:
    path = folder / run_folder.EVALUATION
    stored = json_files.read(path, _as_evaluation, advice=_EVALUATE_AGAIN)
    return StoredRun(
        name=name,
        path=folder,
        settings=stored["settings"],
        metrics=read_metrics(folder, _EVALUATE_AGAIN),
        history={key: np.zeros(0) for key in _COLUMNS},
        data=stored["data"]["name"],
        code=str(stored.get("commit") or "not under version control"),
    )


def _as_evaluation(value: Any) -> dict[str, Any]:
    stored = _as_manifest(value)
    groups = stored["settings"]
    settings = {} if groups is None else settings_lib.from_groups(groups).flat()
    return {**stored, "settings": settings}


def _as_manifest(value: Any) -> dict[str, Any]:
    manifest = json_files.as_object(value)
    data = json_files.as_object(manifest["data"])
    if not isinstance(data["name"], str):
        raise ValueError(f"the data is named {data['name']!r:.80}")
    for each in json_files.as_object(data.get("splits", {})).values():
        json_files.as_object(each)
    for name in ("libraries", "hardware"):
        json_files.as_object(manifest.get(name, {}))
    return manifest


def _as_metrics(value: Any) -> dict[str, StoredMetrics]:
    stored = json_files.as_object(value)
    # A run has these two; an evaluation has one, which may be any other.
    first = [split for split in SPLITS if split in stored]
    splits = dict.fromkeys([*first, *stored])
    return {split: _metrics(stored[split]) for split in splits}


def _metrics(stored: dict) -> StoredMetrics:
    if len(stored["class_names"]) > MAX_CLASSES:
        raise ValueError(f"more than {MAX_CLASSES} classes")
    bounds = {key: stored.get(f"{key}_interval") for key in METRIC_NAMES}
    return StoredMetrics(
        n=int(stored["n"]),
        class_names=[str(name) for name in stored["class_names"]],
        values={key: _number(stored.get(key)) for key in METRIC_NAMES},
        bounds={key: _pair(value) for key, value in bounds.items()},
        recalls={
            str(row["name"]): {
                "recall": _number(row["recall"]),
                "recall_interval": _pair(row["recall_interval"]),
            }
            for row in stored["per_class"]
        },
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _pair(value: Any) -> list[float] | None:
    if value is None:
        return None
    low, high = value
    return [float(low), float(high)]


def _read_history(path: pathlib.Path) -> dict[str, np.ndarray]:
    with open(path, "rb") as file:
        data = file.read(json_files.MAX_BYTES + 1)
    try:
        return _history(data)
    except (*json_files.UNREADABLE, csv.Error) as error:
        raise json_files.DamagedFileError(
            f"{path} is damaged or of another version ({error!r:.200}): "
            f"{train_again(path.parent)}"
        ) from error


def _history(data: bytes) -> dict[str, np.ndarray]:
    if len(data) > json_files.MAX_BYTES:
        raise ValueError(f"more than {json_files.MAX_BYTES:,} bytes")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8"))))
    if not rows:
        raise ValueError("it has no epoch")
    columns = {key: [float(row[key]) for row in rows] for key in _COLUMNS}
    return {key: np.array(values) for key, values in columns.items()}

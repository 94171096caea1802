"""Targets that an earlier run kept, for one with the same teachers.

Teachers take hours to predict on all views; networks of other sizes and other
seeds may be taught by the same predictions.
"""

import dataclasses
import pathlib
from typing import Any

import numpy as np

from trainer import earlier_runs
from trainer import run_folder
from trainer.data import prepared
from trainer.evaluation import stored_runs
from trainer.settings.settings import Settings


def read(settings: Settings, splits: dict[str, prepared.Split]) -> np.ndarray:
    """Reads the targets of the run that `target.distill_targets` names.

    Args:
      settings: of the new run.
      splits: its splits.

    Returns:
      float32 [views, n, K]; each row sums to 1.

    Raises:
      ValueError: that run kept none, or its targets are for other images,
        views, votes or teachers, or a teacher was trained on what the new run
        is judged by.
    """
    workdir = pathlib.Path(settings.target.distill_targets)
    try:
        theirs = stored_runs.read_settings(workdir)
        manifest = stored_runs.read_manifest(workdir)
        train = splits["train"]
        shape = len(train.labels), len(settings.data.class_names)
        _check_settings(settings, theirs)
        if train.is_other_than(manifest["data"]["splits"]["train"]):
            raise ValueError("it was trained on other images")
        targets = load(workdir / run_folder.TARGETS, shape)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"--distill_targets={workdir}: {error}. Give the workdir of a run "
            "with the same teachers, votes, data and views"
        ) from error
    for teacher in settings.target.distill_from:
        earlier_runs.check_apart(teacher, settings.data, splits)
    return targets


def load(path: pathlib.Path, shape: tuple[int, int]) -> np.ndarray:
    """Reads the targets that a run has kept, teachers' predictions mixed in.

    Args:
      path: the file.
      shape: (n, K), of the run's training images.

    Returns:
      float32 [views, n, K].

    Raises:
      ValueError: the file is damaged or of other images.
    """
    reason = ""
    try:
        kept = np.load(path, allow_pickle=False)
        if kept.ndim != 3 or kept.shape[1:] != shape or not len(kept):
            reason = f"has the shape {kept.shape}, not (views, {shape[0]}, "
            reason += f"{shape[1]})"
        elif not np.isfinite(kept).all():
            reason = "holds infinite values or NaN"
    except (OSError, EOFError, ValueError, TypeError) as error:
        reason = f"cannot be read ({str(error).splitlines()[0]})"
    if reason:
        raise ValueError(
            f"{path} {reason}. Put back what the run kept there; or delete it, "
            "and the teachers are asked again"
        )
    return kept


def _check_settings(ours: Settings, theirs: Settings) -> None:
    mine, other = _decisive(ours), _decisive(theirs)
    different = [
        f"--{name}: {other[name]} there, {mine[name]} here"
        for name in mine
        if mine[name] != other[name]
    ]
    if different:
        raise ValueError(
            f"its targets were made with other settings "
            f"({'; '.join(different)})"
        )


def _decisive(settings: Settings) -> dict[str, Any]:
    """The settings that targets depend on, by name."""
    data, target = settings.data, settings.target
    values = dataclasses.asdict(settings.augmentation.unspoilt)
    values |= {
        name: value
        for name, value in dataclasses.asdict(target).items()
        if name.startswith(("distill_", "soft_", "label_"))
        and name != "distill_targets"
    }
    names = ("dataset", "train_split", "image_size", "channels")
    names += ("num_classes", "classes")
    return values | {name: getattr(data, name) for name in names}

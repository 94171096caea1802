"""Targets that an earlier run kept, for one with the same teachers.

Teachers take hours to predict on all views; networks of other sizes and other
seeds may be taught by the same predictions.
"""

import dataclasses
import json
import pathlib
from typing import Any

import numpy as np

from trainer import earlier_runs
from trainer import run_folder
from trainer.data import prepared
from trainer.settings import settings as settings_lib
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
        theirs = settings_lib.from_json(
            (workdir / run_folder.SETTINGS).read_text("utf-8")
        )
        manifest = json.loads(
            (workdir / run_folder.MANIFEST).read_text("utf-8")
        )
        targets = np.load(workdir / run_folder.TARGETS)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"--distill_targets={workdir}: {error}. Give the workdir of a run "
            "with teachers and --distill_views"
        ) from error
    _check_settings(settings, theirs, workdir)
    if manifest["data"]["splits"]["train"]["sha256"] != (
        splits["train"].content_hash()
    ):
        raise ValueError(
            f"--distill_targets={workdir}: it was trained on other images"
        )
    for teacher in settings.target.distill_from:
        earlier_runs.check_apart(teacher, settings.data, splits)
    return targets


def _check_settings(
    ours: Settings, theirs: Settings, workdir: pathlib.Path
) -> None:
    mine, other = _decisive(ours), _decisive(theirs)
    different = [
        f"--{name}: {other[name]} there, {mine[name]} here"
        for name in mine
        if mine[name] != other[name]
    ]
    if different:
        raise ValueError(
            f"--distill_targets={workdir} has targets that were made with "
            f"other settings ({'; '.join(different)})"
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
    names = ("dataset", "train_split", "image_size", "channels", "num_classes")
    return values | {name: getattr(data, name) for name in names}

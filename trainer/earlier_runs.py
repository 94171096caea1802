"""Finished runs that a new run builds on: teachers, or its first weights."""

import dataclasses
import os
import pathlib

from trainer import checkpoints
from trainer import runtime
from trainer.data import prepared
from trainer.evaluation import stored_runs
from trainer.settings.model_and_data import DataSettings


def load(workdir: str | os.PathLike) -> checkpoints.FinishedRun:
    """Loads a finished run; the precision of the process stays what it is.

    Raises:
      checkpoints.WorkdirError: the folder holds no finished run.
    """
    with runtime.keep_precision():
        return checkpoints.load_for_inference(workdir)


def check_apart(
    workdir: str | os.PathLike,
    data: DataSettings,
    splits: dict[str, prepared.Split],
) -> None:
    """Refuses a run that was trained on what the new one is judged by.

    Data sets of another name share no examples, and are not looked at.

    Args:
      workdir: of the earlier run.
      data: of the new one.
      splits: of the new one.

    Raises:
      ValueError: the text says on how many examples.
    """
    theirs = stored_runs.read_settings(pathlib.Path(workdir)).data
    if _family(theirs) != _family(data):
        return
    theirs = dataclasses.replace(theirs, data_dir=data.data_dir)
    known = set(prepared.load_ids(theirs, theirs.train_split))
    for part in ("validation", "test"):
        shared = known & set(splits[part].ids if part in splits else ())
        if shared:
            raise ValueError(
                f"the run {os.fspath(workdir)} was trained on "
                f"{len(shared):,} of this run's {part} examples"
            )


def _family(data: DataSettings) -> str:
    return data.dataset.partition("/")[0]

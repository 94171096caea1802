"""How a run reads its images: decoded once in memory, or streamed.

The order of examples depends on it, so a run that resumes reads as it began,
and all workers of a job read alike.
"""

import dataclasses
import pathlib

import tensorflow as tf

from trainer import run_folder
from trainer import runtime
from trainer.data import prepared
from trainer.evaluation import stored_runs
from trainer.settings.model_and_data import DataSettings


def settle(
    data: DataSettings,
    strategy: tf.distribute.Strategy,
    *,
    begun: pathlib.Path | None,
) -> DataSettings:
    """Says how a run reads, where the settings leave it open.

    Args:
      data: of the run.
      strategy: of the process; all workers of a job must ask.
      begun: workdir of a run that may have begun, or None.

    Returns:
      The settings with `reading` of `memory` or `stream`.

    Raises:
      DataError: a split is absent or empty, or the images are to be in memory
        and do not fit there.
    """
    before = _of_run(begun) if data.reading == "auto" else None
    asked = dataclasses.replace(data, reading=before or data.reading)
    try:
        settled = prepared.settle_reading(asked)
    except prepared.DataError as error:
        if before != "memory":
            raise
        raise prepared.DataError(
            f"{error}. The run in {begun} began in memory and can only go on "
            "there: make room, or begin again with --overwrite"
        ) from error
    in_memory = settled.reading == "memory"
    if not runtime.is_so_for_all(strategy, in_memory):
        settled = dataclasses.replace(settled, reading="stream")
    return settled


def _of_run(workdir: pathlib.Path | None) -> str | None:
    """How a run that has begun reads; None where none has."""
    if workdir is None or not (workdir / run_folder.MANIFEST).exists():
        return None
    # Before there was a choice, all were in memory.
    return stored_runs.read_manifest(workdir).get("reading", "memory")

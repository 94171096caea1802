"""How a run is saved and found again; `trainer.run_folder` names its files.

Everything is written aside and moved (`trainer.files`), so a killed process
leaves either the old or the new state and never half of one.
"""

import dataclasses
import hashlib
import json
import os
import pathlib
import shutil
from typing import Any

import h5py
import numpy as np
import tensorflow as tf

from trainer import files
from trainer import json_files
from trainer.evaluation import stored_runs
from trainer.models import build_model
from trainer.run_folder import BEST_WEIGHTS
from trainer.run_folder import CHECKPOINTS
from trainer.run_folder import EVALUATION
from trainer.run_folder import MANIFEST
from trainer.run_folder import METRICS
from trainer.run_folder import SETTINGS
from trainer.settings import settings as settings_lib

KEPT_CHECKPOINTS = 2
PROGRESS = "progress.json"
# Attribute of a file of weights. HDF5 itself does not notice flipped bytes.
_CHECKSUM = "sha256"

# What TensorFlow raises for a checkpoint that is cut, damaged or of other
# shapes.
_UNREADABLE = (AssertionError, LookupError, ValueError, tf.errors.OpError)
# And Keras and HDF5 for weights.
_UNREADABLE += (OSError, TypeError, AttributeError, RuntimeError)


class WorkdirError(ValueError):
    """A workdir cannot be used as asked; the text says what to do."""


@dataclasses.dataclass
class Progress:
    """Where a run stands after its last finished epoch.

    Attributes:
      phase: index of the phase that epoch belongs to.
      phase_epoch: epochs done in that phase.
      epoch: epochs done in the run.
      best: best validation metric so far, in [0, 1]; -1 before any.
      stale: epochs of this phase since the metric last got better.
      history: one dict for each epoch.
    """

    phase: int = 0
    phase_epoch: int = 0
    epoch: int = 0
    best: float = -1.0
    stale: int = 0
    history: list[dict[str, Any]] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class FinishedRun:
    """A finished run, ready for inference.

    Attributes:
      model: Keras model in float32: raw pixels float32 [n, S, S, C] in
        [0, 255] -> probabilities float32 [n, K].
      settings: the settings it was trained with.
      class_names: K names, in the order of the probabilities.
      manifest: what the run was made from.
      workdir: its folder.
    """

    model: Any
    settings: settings_lib.Settings
    class_names: tuple[str, ...]
    manifest: dict[str, Any]
    workdir: pathlib.Path


def random_states(model: Any) -> list[tf.Variable]:
    """Returns the states of a model's random layers.

    tf.train.Checkpoint does not find them by itself, and without them a
    resumed run would draw the dropout of its first epoch again.
    """
    weights = {id(weight) for weight in model.weights}
    return [v.value for v in model.variables if id(v) not in weights]


def save_checkpoint(
    workdir: pathlib.Path, objects: dict[str, Any], progress: Progress
) -> None:
    """Saves all that the next epoch depends on, and drops old checkpoints.

    Args:
      workdir: the run folder.
      objects: name -> model or optimizer, as tf.train.Checkpoint takes them.
      progress: where the run stands.
    """
    folder = workdir / CHECKPOINTS / f"epoch-{progress.epoch:05d}"
    with files.write_aside(folder) as aside:
        aside.mkdir()
        try:
            tf.train.Checkpoint(**objects).write(str(aside / "state"))
        except tf.errors.OpError as error:
            reason = str(error).rsplit(";", 1)[-1].strip()
            raise files.NoSpaceError(
                f"cannot write {folder} ({reason}). What was finished before "
                "is still there: make room and type the same command again"
            ) from error
        (aside / PROGRESS).write_text(json.dumps(dataclasses.asdict(progress)))
    for old in _checkpoints(workdir)[:-KEPT_CHECKPOINTS]:
        shutil.rmtree(old)


def read_progress(workdir: pathlib.Path) -> Progress:
    """Returns where the last checkpoint stands; a new run stands at 0."""
    folders = _checkpoints(workdir)
    if not folders:
        return Progress()
    path = folders[-1] / PROGRESS
    return json_files.read(path, _as_progress, advice=_advice(folders[-1]))


def _as_progress(value: Any) -> Progress:
    progress = json_files.as_dataclass(Progress, value)
    for row in progress.history:
        json_files.as_object(row)
    counts = progress.phase, progress.phase_epoch, progress.epoch
    if min(counts) < 0:
        raise ValueError(f"fewer than no epochs: {counts}")
    return progress


def _advice(folder: pathlib.Path) -> str:
    """What to do about a checkpoint that cannot be used."""
    return (
        f"delete {folder} to resume from the checkpoint before it, or give "
        "--overwrite to begin again"
    )


def restore_checkpoint(workdir: pathlib.Path, objects: dict[str, Any]) -> None:
    """Restores the objects of `save_checkpoint` from the last checkpoint.

    Raises:
      WorkdirError: the checkpoint does not fit the objects.
    """
    folder = _checkpoints(workdir)[-1]
    try:
        status = tf.train.Checkpoint(**objects).read(str(folder / "state"))
        status.assert_existing_objects_matched()
    except _UNREADABLE as error:
        raise WorkdirError(
            f"{folder} cannot be restored ({str(error).splitlines()[0]}): "
            f"{_advice(folder)}"
        ) from error


def save_weights(model: Any, path: pathlib.Path) -> None:
    """Saves a model's weights and their checksum, all of it or nothing."""
    with files.write_aside(path) as aside:
        model.save_weights(aside)
        with h5py.File(aside, "r+") as file:
            file.attrs[_CHECKSUM] = _checksum(model)


def load_weights(model: Any, workdir: pathlib.Path) -> None:
    """Loads the weights of a run's best epoch.

    Raises:
      WorkdirError: they are cut, changed or of another network, or hold NaN
        or infinite numbers.
    """
    path = workdir / BEST_WEIGHTS
    try:
        model.load_weights(path)
        _check_weights(model, path)
    except _UNREADABLE as error:
        raise WorkdirError(
            f"{path} is damaged or does not fit {SETTINGS} beside it "
            f"({str(error).strip().splitlines()[0]:.200}): "
            f"{stored_runs.train_again(workdir)}"
        ) from error


def check_finite(model: Any) -> None:
    """Refuses weights that are no finite numbers.

    Raises:
      ValueError: names the first of them.
    """
    for weight in model.weights:
        if not np.isfinite(weight.numpy()).all():
            raise ValueError(f"{weight.path} holds NaN or is infinite")


def _check_weights(model: Any, path: pathlib.Path) -> None:
    check_finite(model)
    with h5py.File(path) as file:
        # Files of earlier versions have none.
        written = file.attrs.get(_CHECKSUM)
    if written and written != _checksum(model):
        raise ValueError("they are not the weights that were written")


def _checksum(model: Any) -> str:
    digest = hashlib.sha256()
    for weight in model.weights:
        digest.update(weight.numpy().tobytes())
    return digest.hexdigest()


def check_finished(workdir: pathlib.Path) -> None:
    """Refuses a folder without a finished run, reading none of its files.

    Raises:
      WorkdirError: names the file that is missing.
    """
    for name in (SETTINGS, MANIFEST, BEST_WEIGHTS, METRICS):
        if not (workdir / name).is_file():
            raise WorkdirError(
                f"{workdir} holds no finished run: {name} is missing. Train "
                "(or finish) it with\n  python -m trainer "
                f"--flagfile=edge.flags --workdir={workdir}"
            )


def load_for_inference(workdir: str | os.PathLike) -> FinishedRun:
    """Rebuilds the best model of a finished run, in float32.

    Raises:
      WorkdirError: the folder holds no finished run, or its weights do not
        fit its settings or are no finite numbers.
      json_files.DamagedFileError: its settings or manifest cannot be read.
    """
    import keras

    workdir = pathlib.Path(workdir)
    check_finished(workdir)
    settings = stored_runs.read_settings(workdir)
    manifest = stored_runs.read_manifest(workdir)
    class_names = settings.data.class_names
    keras.mixed_precision.set_dtype_policy("float32")
    model = build_model(settings, len(class_names), keras)
    load_weights(model, workdir)
    return FinishedRun(model, settings, class_names, manifest, workdir)


def last_finished_run(runs: str | os.PathLike = "runs") -> pathlib.Path:
    """Returns the workdir under `runs` that finished last.

    Raises:
      WorkdirError: there is none; the text says what to type.
    """
    finished = sorted(
        (
            path
            for path in pathlib.Path(runs).glob(f"*/{METRICS}")
            if not (path.parent / EVALUATION).exists()
        ),
        key=lambda path: path.stat().st_mtime_ns,
    )
    if not finished:
        raise WorkdirError(
            f"no finished run in {runs}/. Train one with\n"
            "  python -m trainer --flagfile=edge.flags\n"
            "or name one with --workdir"
        )
    return finished[-1].parent


def _checkpoints(workdir: pathlib.Path) -> list[pathlib.Path]:
    return sorted((workdir / CHECKPOINTS).glob("epoch-*"))

"""One trial: trained as the trainer trains, its metrics kept in its folder.

    trials/ID/settings.json   every setting of the trial
    trials/ID/result.json     how it ended; written last
    trials/ID/log.txt         what the training printed
    trials/ID/tensorboard     curves and hyperparameters
    trials/ID/best.weights.h5 for the best trials alone

Must not look at the test split.
"""

import contextlib
import ctypes
import dataclasses
import pathlib
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams

from trainer import checkpoints
from trainer import exit_codes
from trainer import files
from trainer import run_folder
from trainer import runtime
from trainer import targets
from trainer import training_run as run_lib
from trainer.data import input_pipeline
from trainer.data.prepared import Split
from trainer.data.stored import Stored
from trainer.evaluation import evaluate
from trainer.loop import DivergenceError
from trainer.models import build_head_model
from trainer.phases import Phase
from trainer.settings import cli_flags
from trainer.settings.augmentation import AugmentationSettings
from trainer.settings.settings import Settings
from tuning import features as features_lib
from tuning import results
from tuning.features import Features

LOG = "log.txt"

# What the trainer's exit codes stand for; all others are a TrialError.
_ERRORS = {
    exit_codes.DIVERGED: DivergenceError,
    exit_codes.DISK_FULL: files.NoSpaceError,
}

# settings, folder -> one dict an epoch, as in history.csv.
Train = Callable[[Settings, pathlib.Path], list[dict[str, Any]]]


class TrialError(RuntimeError):
    """A trial's training ended with an error; the text is what it said."""


def run_trial(
    folder: pathlib.Path,
    settings: Settings,
    values: dict[str, Any],
    *,
    train_call: Train,
) -> results.Trial:
    """Trains a trial, unless that was done before, and keeps its metrics.

    Args:
      folder: of the trial; its name is the trial's.
      settings: of the trial.
      values: its hyperparameters, as in the search space.
      train_call: trains; one of the functions below.

    Raises:
      OSError: such as a full disk, which is no fault of the trial.
      Exception: whatever else the training raised; kept in result.json too.
    """
    done = results.read_trial(folder)
    if done is not None and done.is_completed:
        return done
    files.write_text(folder / run_folder.SETTINGS, settings.to_json())
    trial = results.Trial(folder.name, values, seed=settings.training.seed)
    started = time.monotonic()
    try:
        _write_hyperparameters(folder, values)
        history = train_call(settings, folder)
        metrics = kept_epoch(history, settings.training.selection_metric)
    except OSError:
        raise  # No fault of the trial: nothing is known of it yet.
    except Exception as error:
        seconds = time.monotonic() - started
        results.write_trial(folder, _failed(trial, error, seconds))
        raise
    trial = dataclasses.replace(
        trial,
        status="completed",
        metrics=metrics,
        epochs=len(history),
        seconds=time.monotonic() - started,
    )
    results.write_trial(folder, trial)
    return trial


def _failed(
    trial: results.Trial, error: Exception, seconds: float
) -> results.Trial:
    """The trial with what went wrong; called where the error is handled."""
    is_diverged = isinstance(error, DivergenceError)
    return dataclasses.replace(
        trial,
        status="diverged" if is_diverged else "failed",
        seconds=seconds,
        message=traceback.format_exc(),
    )


def kept_epoch(
    history: list[dict[str, Any]], selection_metric: str
) -> dict[str, float]:
    """Returns the metrics of the epoch whose weights the trainer keeps."""
    best = max(
        history,
        key=lambda row: evaluate.selection_value(row, selection_metric),
    )
    names = ("accuracy", "macro_f1", "loss")
    return {name: float(best[f"val_{name}"]) for name in names}


def make_head_training(
    features: Features,
    splits: dict[str, Split],
    strategy: tf.distribute.Strategy,
) -> Train:
    """Returns a function that trains a head on features: phase 1 alone.

    Args:
      features: of the splits.
      splits: train and validation; their images serve distillation alone.
      strategy: of the process.
    """
    passes = [features_lib.as_images(each) for each in features.passes]
    on_features = features_lib.on_features(
        splits, passes[0], features_lib.as_images(features.validation)
    )

    def train_head(
        settings: Settings, folder: pathlib.Path
    ) -> list[dict[str, Any]]:
        keras.backend.clear_session()
        settings = _head_only(settings)
        runtime.configure(settings.training)
        targets_of_images = targets.targets_of_any_view(
            settings, splits, strategy
        )
        shape = (features.validation.shape[-1], len(settings.data.class_names))
        model = build_head_model(settings, *shape, keras=keras)
        average = None
        if settings.training.ema:
            average = build_head_model(settings, *shape, keras=keras)
            average.set_weights(model.get_weights())
        run = _HeadRun(
            settings,
            folder,
            strategy,
            splits=on_features,
            targets=targets_of_images,
            model=model,
            average=average,
        )
        run.passes = passes
        with _output_to(folder / LOG):
            run.train()
        return run.progress.history

    return train_head


def train_whole(
    settings: Settings, folder: pathlib.Path
) -> list[dict[str, Any]]:
    """Trains a whole run with the trainer, in a process of its own.

    What a run leaves in a process, and one that is killed for its memory,
    cannot touch the search then.

    Raises:
      TrialError: the trainer ended with an error.
      DivergenceError: because the loss became infinite or NaN.
      trainer.files.NoSpaceError: because the disk is full.
    """
    flagfile = folder / "trial.flags"
    files.write_text(flagfile, cli_flags.to_flagfile(settings, str(folder)))
    if not (folder / run_folder.METRICS).exists():
        with open(folder / LOG, "a", encoding="utf-8") as log:
            done = subprocess.run(
                [sys.executable, "-m", "trainer", f"--flagfile={flagfile}"],
                stdout=log,
                stderr=subprocess.PIPE,
                text=True,
                preexec_fn=_end_with_parent,
            )
        if done.returncode:
            said = done.stderr[-3000:] or f"exit code {done.returncode}"
            raise _ERRORS.get(done.returncode, TrialError)(said)
    return checkpoints.read_progress(folder).history


class _HeadRun(run_lib.TrainingRun):
    """A run on features, which takes another pass in every epoch."""

    passes: list

    def training_data(
        self, phase: Phase, images: tf.Tensor | Stored
    ) -> tf.data.Dataset | tf.distribute.DistributedDataset:
        if len(self.passes) == 1:
            return super().training_data(phase, images)
        first = self.progress.epoch
        epochs = range(first, first + phase.epochs - self.progress.phase_epoch)

        def make(context: tf.distribute.InputContext) -> tf.data.Dataset:
            datasets = [
                input_pipeline.make_for_train(
                    self.passes[epoch % len(self.passes)],
                    self.targets,
                    AugmentationSettings(),
                    batch_size=self.batch,
                    seed=self.settings.training.seed,
                    epochs=range(epoch, epoch + 1),
                    context=context,
                )
                for epoch in epochs
            ]
            joined = datasets[0]
            for dataset in datasets[1:]:
                joined = joined.concatenate(dataset)
            return joined

        return self.strategy.distribute_datasets_from_function(make)


def _head_only(settings: Settings) -> Settings:
    """Phase 1 alone, on what stands for images."""
    return dataclasses.replace(
        settings,
        training=dataclasses.replace(
            settings.training,
            fine_tune_epochs=0,
            head_augmentation=False,
            reuse_features=False,
        ),
    )


def _write_hyperparameters(
    folder: pathlib.Path, values: dict[str, Any]
) -> None:
    """Where TensorBoard's HParams page finds them, beside the curves."""
    writer = tf.summary.create_file_writer(str(folder / run_folder.TENSORBOARD))
    with writer.as_default():
        hparams.hparams(values, trial_id=folder.name)
    writer.close()


@contextlib.contextmanager
def _output_to(path: pathlib.Path) -> Iterator[None]:
    with (
        open(path, "a", encoding="utf-8") as log,
        contextlib.redirect_stdout(log),
    ):
        yield


def _end_with_parent() -> None:
    """Linux: a child whose search was killed must not write on by itself."""
    if sys.platform == "linux":
        set_parent_death_signal = 1  # PR_SET_PDEATHSIG of prctl(2)
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)

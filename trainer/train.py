"""`train_and_evaluate(settings, workdir)`: a run from prepared data to report.

Phase 1 trains the head on a frozen backbone, phase 2 fine-tunes from a chosen
layer on. After every epoch the state is saved, so the same command resumes an
interrupted run and ends with the same weights.
"""

import contextlib
import pathlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from fer_tfds import locks
from trainer import checkpoints
from trainer import console
from trainer import distillation
from trainer import files
from trainer import kept_targets
from trainer import loop
from trainer import manifest
from trainer import phases
from trainer import reading as reading_lib
from trainer import run_folder
from trainer import runtime
from trainer import targets as targets_lib
from trainer import weights
from trainer import workdirs
from trainer.data import damage
from trainer.data import prepared
from trainer.data import room
from trainer.evaluation import evaluate
from trainer.evaluation import robustness
from trainer.models import build_model
from trainer.models import fused_batch_norm
from trainer.settings import cli_flags
from trainer.settings.model_and_data import DataSettings
from trainer.settings.settings import Settings
from trainer.settings.targets_and_training import TrainingSettings
from trainer.training_run import TrainingRun


def train_and_evaluate(
    settings: Settings, workdir: pathlib.Path, *, overwrite: bool = False
) -> dict[str, Any]:
    """Trains a model, keeps its best epoch, evaluates and reports it.

    Args:
      settings: all choices of the run.
      workdir: folder of the run; see `trainer.run_folder`. An interrupted
        run in it is resumed.
      overwrite: delete a run that is already there.

    Returns:
      `{"validation": metrics, "test": metrics}`, as in metrics.json; without
      test where there is no such split.

    Raises:
      ValueError: settings, data, weights or workdir do not do; raised before
        the first step.
      locks.InUseError: another process trains in the workdir.
      loop.DivergenceError: the loss became infinite or NaN.
      runtime.WorkerLostError: another worker of the job has ended.
    """
    settings = prepared.with_classes(settings)
    strategy = runtime.configure(settings.training)
    workdir = pathlib.Path(workdir)
    with contextlib.ExitStack() as stack:
        stack.enter_context(runtime.explain_lost_worker(strategy))
        if runtime.is_chief(strategy):
            stack.enter_context(locks.hold_folder(workdir))
        return _train_and_evaluate(
            settings, workdir, strategy, overwrite=overwrite
        )


def _train_and_evaluate(
    settings: Settings,
    workdir: pathlib.Path,
    strategy: tf.distribute.Strategy,
    *,
    overwrite: bool,
) -> dict[str, Any]:
    if runtime.is_chief(strategy):
        workdirs.check_workdir(workdir, settings, overwrite=overwrite)
    builder = prepared.find_data(settings.data)
    begun = None if overwrite else workdir
    data = reading_lib.settle(settings.data, strategy, begun=begun)
    with damage.explain(builder, data):
        run = _make_run(
            settings,
            workdir,
            strategy,
            builder=builder,
            data=data,
            overwrite=overwrite,
        )
        with console.told_when_stopped(run.stands):
            run.train()
            return _evaluate(run)


def _make_run(
    settings: Settings,
    workdir: pathlib.Path,
    strategy: tf.distribute.Strategy,
    *,
    builder: tfds.core.DatasetBuilder,
    data: DataSettings,
    overwrite: bool,
) -> TrainingRun:
    """All that comes before the first step; `data` says how to read."""
    model, average = make_models(settings, strategy)
    if runtime.is_chief(strategy):
        needed = _bytes_needed(settings.training, model.count_params())
        files.check_space(workdir, needed)
    splits = prepared.load_splits(data)
    _check_batch(settings, splits["train"])
    weights.check_source(settings, splits)
    begun = None if overwrite else workdir
    targets, teacher = _find_targets(settings, splits, strategy, begun=begun)
    # Nobody looks into a workdir that the chief is changing.
    runtime.wait_for_all(strategy)
    if runtime.is_chief(strategy):
        workdirs.open_workdir(workdir, settings, overwrite=overwrite)
        described = {"splits": splits, "model": model, "strategy": strategy}
        _describe(workdir, settings, builder, reading=data.reading, **described)
        _keep_targets(workdir, targets)
    runtime.wait_for_all(strategy)
    return TrainingRun(
        settings,
        workdir,
        strategy,
        splits=splits,
        targets=targets,
        model=model,
        average=average,
        teacher=teacher,
    )


def _evaluate(run: TrainingRun) -> dict[str, Any]:
    """Scores the best epoch of a run; the chief keeps what it finds."""
    settings, splits = run.settings, run.splits
    predict = loop.make_predict_call(run.best_model(), run.strategy)
    predictions = {
        part: predict(split.images)
        for part, split in splits.items()
        if part != "train"
    }
    # On every worker, since predicting takes them all.
    robust = robustness.measure(
        predict, splits["validation"].images, splits["validation"].labels
    )
    if not run.is_chief:
        return evaluate.evaluate(settings, splits, predictions)
    return evaluate.finish(
        run.workdir,
        settings,
        splits,
        predictions=predictions,
        history=run.progress.history,
        robustness=robust,
    )


def _find_targets(
    settings: Settings,
    splits: dict[str, prepared.Split],
    strategy: tf.distribute.Strategy,
    *,
    begun: pathlib.Path | None,
) -> tuple[np.ndarray | None, Callable | None]:
    """Targets, and who predicts on every batch; None for what is not needed.

    `begun` is the workdir of a run that may have begun, or None.
    """
    if begun and (begun / run_folder.METRICS).exists():
        return None, None  # It is trained, and only to be tested.
    teacher = distillation.load_teacher(settings, splits, strategy)
    if begun and (begun / run_folder.TARGETS).exists():
        shape = len(splits["train"].labels), len(settings.data.class_names)
        kept = kept_targets.load(begun / run_folder.TARGETS, shape)
        return kept, teacher
    return targets_lib.training_targets(settings, splits, strategy), teacher


def _keep_targets(workdir: pathlib.Path, targets: np.ndarray | None) -> None:
    """Teachers may have taken hours; labels and votes are read in seconds."""
    kept = workdir / run_folder.TARGETS
    if targets is not None and targets.ndim == 3 and not kept.exists():
        with files.write_aside(kept) as aside:
            np.save(aside, targets)


def make_models(
    settings: Settings, strategy: tf.distribute.Strategy
) -> tuple[keras.Model, keras.Model | None]:
    """Builds the network, and a second copy where weights are averaged.

    Returns:
      The network with the weights that a run begins with, and the copy or
      None.

    Raises:
      ValueError: the settings name no layer, or weights that do not fit.
    """
    num_classes = len(settings.data.class_names)
    with strategy.scope():
        model = build_model(settings, num_classes, keras)
        phases.check_fine_tune_from(model, settings.training.fine_tune_from)
        weights.load_backbone_weights(model, settings, keras)
        fused_batch_norm.fuse(model)
        if not settings.training.ema:
            return model, None
        average = build_model(settings, num_classes, keras)
        fused_batch_norm.fuse(average)
        average.set_weights(model.get_weights())
        return model, average


def _bytes_needed(training: TrainingSettings, num_weights: int) -> int:
    """What weights and checkpoints of a run take on disk at most.

    The best weights, and the kept checkpoints with one more while it is
    written: weights, what the optimizer keeps for each, the average.
    """
    adaptive = training.optimizer != "sgd"
    copies = 2 + adaptive + bool(training.ema)
    return 4 * num_weights * (1 + (checkpoints.KEPT_CHECKPOINTS + 1) * copies)


def _describe(
    workdir: pathlib.Path,
    settings: Settings,
    builder: tfds.core.DatasetBuilder,
    *,
    reading: str,
    splits: dict[str, prepared.Split],
    model: keras.Model,
    strategy: tf.distribute.Strategy,
) -> None:
    """Writes and prints what can be said of a run before its first step."""
    precision = keras.mixed_precision.dtype_policy().name
    made_from = manifest.make_manifest(
        builder,
        splits,
        precision=precision,
        replicas=strategy.num_replicas_in_sync,
        reading=reading,
    )
    workdirs.keep_manifest(workdir, made_from)
    files.write_text(
        workdir / run_folder.FLAGFILE,
        cli_flags.to_flagfile(settings, str(workdir)),
    )
    print(
        f"{builder.info.full_name}: {len(splits['train'].labels):,} training "
        f"images; {model.name}: {model.count_params():,} weights; {precision} "
        f"on {runtime.describe_devices(strategy)}; {_where(reading, splits)}",
        flush=True,
    )


def _where(reading: str, splits: dict[str, prepared.Split]) -> str:
    """Says where images are, and what they take there."""
    decoded = sum(split.images.nbytes for split in splits.values())
    if reading == "memory":
        return f"images in memory, {room.describe(decoded)}"
    return f"images streamed; decoded they would take {room.describe(decoded)}"


def _check_batch(settings: Settings, train_split: prepared.Split) -> None:
    count, batch = len(train_split.labels), settings.training.batch_size
    if batch > count:
        raise ValueError(
            f"`batch_size` {batch} is larger than the training split, which "
            f"has {count} examples"
        )

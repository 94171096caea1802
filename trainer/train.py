"""`train_and_evaluate(settings, workdir)`: a run from prepared data to report.

Phase 1 trains the head on a frozen backbone, phase 2 goes on from a chosen
layer. After every epoch the state is saved, so the same command goes on after
an interruption and ends with the same weights.
"""

import pathlib
from typing import Any

import keras
import numpy as np

from trainer import checkpoints
from trainer import distillation
from trainer import files
from trainer import loop
from trainer import manifest
from trainer import phases
from trainer import run_folder
from trainer import runtime
from trainer import targets
from trainer import weights
from trainer import workdirs
from trainer.data import prepared
from trainer.evaluation import evaluate
from trainer.evaluation import robustness
from trainer.models import build_model
from trainer.models import fused_batch_norm
from trainer.settings import cli_flags
from trainer.settings.settings import Settings
from trainer.training_run import Run


def train_and_evaluate(
    settings: Settings, workdir: pathlib.Path, *, overwrite: bool = False
) -> dict[str, Any]:
    """Trains a model, keeps its best epoch, evaluates and reports it.

    Args:
      settings: all choices of the run.
      workdir: folder of the run; see `trainer.run_folder`. An interrupted
        run in it goes on.
      overwrite: delete a run that is already there.

    Returns:
      `{"validation": metrics, "test": metrics}`, as in metrics.json; without
      test where there is no such split.

    Raises:
      ValueError: settings, data, weights or workdir do not do; raised before
        the first step.
      loop.DivergenceError: the loss became infinite or NaN.
      runtime.WorkerLostError: another worker of the job has ended.
    """
    strategy = runtime.configure(settings.training)
    with runtime.explain_lost_worker(strategy):
        return _train_and_evaluate(
            settings, pathlib.Path(workdir), strategy, overwrite
        )


def _train_and_evaluate(settings, workdir, strategy, overwrite):
    if runtime.is_chief(strategy):
        workdirs.check_workdir(workdir, settings, overwrite=overwrite)
    builder = prepared.find_data(settings.data)
    model, average = _make_models(settings, strategy)
    if runtime.is_chief(strategy):
        needed = _bytes_needed(settings.training, model.count_params())
        files.check_space(workdir, needed)
    splits = prepared.load_splits(settings.data)
    _check_batch(settings, splits["train"])
    weights.check_source(settings, splits)
    answers, teacher = _find_targets(
        settings, splits, strategy, None if overwrite else workdir
    )
    # Nobody looks into a workdir that the chief is changing.
    runtime.wait_for_all(strategy)
    if runtime.is_chief(strategy):
        workdirs.open_workdir(workdir, settings, overwrite=overwrite)
        _describe(workdir, settings, builder, splits, model, strategy)
        _keep_targets(workdir, answers)
    runtime.wait_for_all(strategy)
    run = Run(
        settings, workdir, strategy, splits, answers, model, average, teacher
    )
    run.train()
    best = run.best_model()
    predict = loop.make_predict_call(best, strategy)
    predictions = {
        part: predict(split.images)
        for part, split in splits.items()
        if part != "train"
    }
    # On every worker, since predicting takes them all.
    robust = robustness.measure(
        predict, splits["validation"].images, splits["validation"].labels
    )
    if not runtime.is_chief(strategy):
        return evaluate.evaluate(settings, splits, predictions)
    return evaluate.finish(
        workdir, settings, splits, predictions, run.progress.history, robust
    )


def _find_targets(settings, splits, strategy, begun):
    """Targets, and who is asked on every batch; None for what is not needed.

    `begun` is the workdir of a run that may have begun, or None.
    """
    if begun and (begun / run_folder.METRICS).exists():
        return None, None  # It is trained, and only to be tested.
    teacher = distillation.load_teacher(settings, splits, strategy)
    if begun and (begun / run_folder.TARGETS).exists():
        return np.load(begun / run_folder.TARGETS), teacher
    return targets.training_targets(settings, splits, strategy), teacher


def _keep_targets(workdir, answers):
    """Teachers may have taken hours; labels and votes are read in seconds."""
    kept = workdir / run_folder.TARGETS
    if answers is not None and answers.ndim == 3 and not kept.exists():
        with files.write_aside(kept) as aside:
            np.save(aside, answers)


def _make_models(settings, strategy):
    """Builds the network, and a second copy where weights are averaged."""
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


def _bytes_needed(training, num_weights):
    """What weights and checkpoints of a run take on disk at most.

    The best weights, and the kept checkpoints with one more while it is
    written: weights, what the update rule remembers of each, the average.
    """
    adaptive = training.optimizer != "sgd"
    copies = 2 + adaptive + bool(training.ema)
    return 4 * num_weights * (1 + (checkpoints.KEPT_CHECKPOINTS + 1) * copies)


def _describe(workdir, settings, builder, splits, model, strategy):
    """Writes and prints what can be said of a run before its first step."""
    precision = keras.mixed_precision.dtype_policy().name
    replicas = strategy.num_replicas_in_sync
    workdirs.keep_manifest(
        workdir, manifest.make_manifest(builder, splits, precision, replicas)
    )
    files.write_text(
        workdir / run_folder.FLAGFILE,
        cli_flags.to_flagfile(settings, str(workdir)),
    )
    print(
        f"{builder.info.full_name}: {len(splits['train'].labels):,} training "
        f"images; {model.name}: {model.count_params():,} weights; {precision} "
        f"on {replicas} replica(s)",
        flush=True,
    )


def _check_batch(settings, train_split):
    count, batch = len(train_split.labels), settings.training.batch_size
    if batch > count:
        raise ValueError(
            f"`batch_size` {batch} is larger than the training split, which "
            f"has {count} examples"
        )

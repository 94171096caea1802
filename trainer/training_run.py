"""The state of one run and its way through phases and epochs.

After every epoch all of it is saved, so that an interrupted run resumes where
it was.
"""

import pathlib
import time
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer import checkpoints
from trainer import features
from trainer import kept_features
from trainer import logs
from trainer import loop
from trainer import optimizers
from trainer import phases
from trainer import run_folder
from trainer import runtime
from trainer import targets as targets_lib
from trainer.data import input_pipeline
from trainer.data.prepared import Split
from trainer.data.stored import Stored
from trainer.evaluation import evaluate
from trainer.settings.augmentation import AugmentationSettings
from trainer.settings.settings import Settings


class TrainingRun:
    """The state of one run: models, data and progress."""

    def __init__(
        self,
        settings: Settings,
        workdir: pathlib.Path,
        strategy: tf.distribute.Strategy,
        *,
        splits: dict[str, Split],
        targets: np.ndarray | None,
        model: keras.Model,
        average: keras.Model | None,
        teacher: Callable[[tf.Tensor], tf.Tensor] | None = None,
    ):
        self.settings, self.workdir = settings, workdir
        self.strategy, self.splits = strategy, splits
        self.targets, self.teacher = targets, teacher
        self.model, self.average = model, average
        self.progress = checkpoints.read_progress(workdir)
        self.is_chief = runtime.is_chief(strategy)
        self.logs = logs.Logs(workdir) if self.is_chief else None
        self.batch = settings.training.batch_size
        self.steps = len(splits["train"].labels) // self.batch

    def train(self) -> None:
        """Runs the phases that are not done yet."""
        planned = phases.planned_phases(self.settings.training)
        for index, phase in enumerate(planned):
            if index < self.progress.phase:
                continue
            if index > self.progress.phase:
                self.progress.phase = index
                self.progress.phase_epoch = self.progress.stale = 0
                self._load_best()
            if not self._phase_is_over(phase):
                self._run_phase(phase)

    def stands(self) -> str:
        """Says how far the run has come, in a sentence."""
        if not self.progress.epoch:
            return f"no epoch is done yet in {self.workdir}"
        return (
            f"epoch {self.progress.epoch} is kept in {self.workdir}. The same "
            "command resumes"
        )

    def best_model(self) -> keras.Model:
        """Returns the model with the weights of the best epoch."""
        self._load_best()
        return self.model

    def _load_best(self) -> None:
        for model in (self.model, self.average):
            if model is not None:
                checkpoints.load_weights(model, self.workdir)

    def _run_phase(self, phase: phases.Phase) -> None:
        # What is computed before the first epoch counts into its seconds.
        started = time.monotonic()
        if self.progress.phase_epoch:
            # A checkpoint of a head alone leaves out the backbone.
            self._load_best()
        inputs = self.make_inputs(phase)
        learner = self.make_learner(phase, inputs)
        objects = self._saved_objects(learner)
        if self.progress.phase_epoch:
            checkpoints.restore_checkpoint(self.workdir, objects)
            print(f"resuming after epoch {self.progress.epoch}", flush=True)
        train_call = loop.make_train_call(learner)
        predict = loop.make_predict_call(learner.evaluated_model, self.strategy)
        iterator = iter(self.training_data(phase, inputs.train))
        while not self._phase_is_over(phase):
            learning_rate = _current(learner.optimizer.learning_rate)
            totals = self._run_steps(train_call, iterator)
            validation = evaluate.validation_metrics(
                self.splits["validation"].labels, predict(inputs.validation)
            )
            row = {
                "epoch": self.progress.epoch + 1,
                "phase": phase.name,
                "loss": float(totals[0] / (self.steps * self.batch)),
                "accuracy": float(totals[1] / (self.steps * self.batch)),
                **validation,
                "learning_rate": learning_rate,
                "seconds": round(time.monotonic() - started, 3),
            }
            started = time.monotonic()
            self._keep(row, learner, objects)

    def _saved_objects(self, learner: loop.Learner) -> dict[str, Any]:
        """What a checkpoint of a phase holds, by name."""
        objects = {
            "model": learner.model,
            "optimizer": learner.optimizer,
            "random_states": checkpoints.random_states(self.model),
        }
        if learner.average is not None:
            objects["average"] = learner.average
        return objects

    def make_inputs(self, phase: phases.Phase) -> features.PhaseInputs:
        """Freezes what the phase freezes, and runs that once if it can."""
        fine_tune_from = self.settings.training.fine_tune_from
        with self.strategy.scope():
            for model in (self.model, self.average):
                if model is not None:
                    phases.set_trainable(model, phase, fine_tune_from)
        inputs = features.whole_network(self.model, self.average, self.splits)
        if phase.name != "head" or not self.settings.training.reuse_features:
            return inputs
        is_streamed = isinstance(inputs.train, Stored)
        count = len(inputs.train) + len(inputs.validation)
        of = self.model, self.settings, phase
        if features.why_not(*of, num_images=count, is_streamed=is_streamed):
            return inputs
        print("computing the backbone's features once", flush=True)
        if not is_streamed:
            return features.head_alone(inputs, self.strategy)
        return kept_features.head_alone(
            inputs, self.settings, self.splits, strategy=self.strategy
        )

    def make_learner(
        self, phase: phases.Phase, inputs: features.PhaseInputs
    ) -> loop.Learner:
        """Returns what the phase trains: its model, loss and optimizer."""
        training, target = self.settings.training, self.settings.target
        class_weights = optimizers.class_weights(
            target.class_weights,
            self.splits["train"].labels,
            self.model.output_shape[-1],
        )
        with self.strategy.scope():
            optimizer = optimizers.make_optimizer(
                training,
                phase,
                self.model,
                total_steps=phase.epochs * self.steps,
                keras=keras,
            )
        return loop.Learner(
            model=inputs.model,
            logits_model=inputs.logits_model,
            average=inputs.average,
            optimizer=optimizer,
            loss=optimizers.make_loss(class_weights, target.focal_gamma),
            teach=self._teach if self.teacher else None,
            ema=training.ema,
            global_batch=self.batch,
            strategy=self.strategy,
            xla=training.xla,
        )

    def _teach(self, images: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        return targets_lib.mix_predictions(
            targets, self.teacher(images), self.settings.target
        )

    def training_data(
        self, phase: phases.Phase, images: np.ndarray | Stored
    ) -> tf.data.Dataset | tf.distribute.DistributedDataset:
        """Makes the batches of the epochs that a phase has left.

        A run that trains on something else overrides this.

        Args:
          phase: the phase that is under way.
          images: what goes in; the `train` of the phase's inputs.

        Returns:
          A distributed dataset of batches (images, targets).
        """
        first = self.progress.epoch
        augmentation, mixup = AugmentationSettings(), 0.0
        targets = targets_lib.mean_of_views(self.targets)
        if phase.is_augmented:
            augmentation = self.settings.augmentation
            mixup, targets = self.settings.target.mixup, self.targets
        remaining = phase.epochs - self.progress.phase_epoch
        return self.strategy.distribute_datasets_from_function(
            lambda context: input_pipeline.make_for_train(
                images,
                targets,
                augmentation,
                mixup=mixup,
                batch_size=self.batch,
                seed=self.settings.training.seed,
                epochs=range(first, first + remaining),
                context=context,
            )
        )

    def _phase_is_over(self, phase: phases.Phase) -> bool:
        patience = self.settings.training.early_stopping
        is_stale = patience and self.progress.stale >= patience
        return bool(is_stale) or self.progress.phase_epoch >= phase.epochs

    def _run_steps(
        self, train_call: Callable, iterator: Iterator
    ) -> np.ndarray:
        """One epoch: float64 [2], summed loss and correct predictions."""
        return loop.run_epoch(
            train_call,
            iterator,
            first_step=self.progress.phase_epoch * self.steps,
            steps=self.steps,
            steps_per_execution=self.settings.training.steps_per_execution,
            on_progress=self._show,
        )

    def _show(self, done: int, loss: float, correct: float) -> None:
        if self.is_chief:
            seen = done * self.batch
            logs.show_progress(
                done, self.steps, loss=loss / seen, accuracy=correct / seen
            )

    def _keep(
        self,
        row: dict[str, Any],
        learner: loop.Learner,
        objects: dict[str, Any],
    ) -> None:
        """Counts an epoch in, and saves everything it changed."""
        progress, training = self.progress, self.settings.training
        metric = evaluate.selection_value(row, training.selection_metric)
        is_best = metric > progress.best
        progress.best = max(metric, progress.best)
        progress.stale = 0 if is_best else progress.stale + 1
        progress.epoch += 1
        progress.phase_epoch += 1
        progress.history.append(row)
        if training.schedule == "plateau" and (
            progress.stale and progress.stale % training.plateau_patience == 0
        ):
            optimizers.lower_learning_rate(
                learner.optimizer, training.plateau_factor
            )
        with runtime.own_folder(self.workdir, self.strategy) as folder:
            if is_best:
                checkpoints.save_weights(
                    self.model if self.average is None else self.average,
                    folder / run_folder.BEST_WEIGHTS,
                )
            checkpoints.save_checkpoint(folder, objects, progress)
        if self.is_chief:
            self.logs.write(progress.history)
            planned = phases.planned_phases(training)
            total = sum(phase.epochs for phase in planned)
            print(logs.epoch_line(row, total, is_best), flush=True)


def _current(learning_rate: Any) -> float:
    return float(np.asarray(tf.convert_to_tensor(learning_rate)))

"""The state of one run and its way through phases and epochs.

After every epoch all of it is saved, so that an interrupted run goes on where
it was.
"""

import contextlib
import pathlib
import tempfile
import time

import keras
import numpy as np
import tensorflow as tf

from trainer import checkpoints
from trainer import features
from trainer import logs
from trainer import loop
from trainer import optimizers
from trainer import phases
from trainer import run_folder
from trainer import runtime
from trainer import targets
from trainer.data import input_pipeline
from trainer.evaluation import evaluate
from trainer.settings.model_and_data import AugmentationSettings


class Run:
    """The state of one run: models, data and progress."""

    def __init__(
        self,
        settings,
        workdir,
        strategy,
        splits,
        answers,
        model,
        average,
        teacher=None,
    ):
        self.settings, self.workdir = settings, workdir
        self.strategy, self.splits = strategy, splits
        self.targets, self.teacher = answers, teacher
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

    def best_model(self):
        """Returns the model with the weights of the best epoch."""
        self._load_best()
        return self.model

    def _load_best(self) -> None:
        for model in (self.model, self.average):
            if model is not None:
                model.load_weights(self.workdir / run_folder.BEST_WEIGHTS)

    def _run_phase(self, phase: phases.Phase) -> None:
        # What is computed before the first epoch counts into its seconds.
        started = time.monotonic()
        if self.progress.phase_epoch:
            # A checkpoint of a head alone leaves out the backbone.
            self._load_best()
        work = self.make_work(phase)
        learner = self.make_learner(phase, work)
        objects = {
            "model": work.model,
            "optimizer": learner.optimizer,
            "random_states": checkpoints.random_states(self.model),
        }
        if work.average is not None:
            objects["average"] = work.average
        if self.progress.phase_epoch:
            checkpoints.restore_checkpoint(self.workdir, objects)
            print(f"going on after epoch {self.progress.epoch}", flush=True)
        train_call = loop.make_train_call(learner)
        predict = loop.make_predict_call(learner.evaluated_model, self.strategy)
        iterator = iter(self.training_data(phase, work.train))
        while not self._phase_is_over(phase):
            learning_rate = _current(learner.optimizer.learning_rate)
            totals = self._run_steps(train_call, iterator)
            figures = evaluate.quick_figures(
                self.splits["validation"].labels, predict(work.validation)
            )
            row = {
                "epoch": self.progress.epoch + 1,
                "phase": phase.name,
                "loss": float(totals[0] / (self.steps * self.batch)),
                "accuracy": float(totals[1] / (self.steps * self.batch)),
                **figures,
                "learning_rate": learning_rate,
                "seconds": round(time.monotonic() - started, 3),
            }
            started = time.monotonic()
            self._keep(row, learner, objects)

    def make_work(self, phase: phases.Phase) -> features.Work:
        """Freezes what the phase freezes, and runs that once if it can."""
        fine_tune_from = self.settings.training.fine_tune_from
        with self.strategy.scope():
            for model in (self.model, self.average):
                if model is not None:
                    phases.set_trainable(model, phase, fine_tune_from)
        work = features.whole_network(self.model, self.average, self.splits)
        if phase.name != "head" or not self.settings.training.reuse_features:
            return work
        count = len(work.train) + len(work.validation)
        if features.why_not(self.model, self.settings, phase, count):
            return work
        print("computing the backbone's features once", flush=True)
        return features.head_alone(work, self.strategy)

    def make_learner(
        self, phase: phases.Phase, work: features.Work
    ) -> loop.Learner:
        """Returns what the phase trains: the work, its loss, an optimizer."""
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
                phase.epochs * self.steps,
                self.model,
                keras,
            )
        return loop.Learner(
            model=work.model,
            logits_model=work.logits_model,
            average=work.average,
            optimizer=optimizer,
            loss=optimizers.make_loss(class_weights, target.focal_gamma),
            teach=self._teach if self.teacher else None,
            ema=training.ema,
            global_batch=self.batch,
            strategy=self.strategy,
            xla=training.xla,
        )

    def _teach(self, images, answers):
        return targets.mix_answers(
            answers, self.teacher(images), self.settings.target
        )

    def training_data(self, phase: phases.Phase, images):
        """Makes the batches of the epochs that a phase has left.

        A run that trains on something else overrides this.

        Args:
          phase: the phase that is under way.
          images: what goes in; the `train` of the phase's work.

        Returns:
          A distributed dataset of batches (images, targets).
        """
        first = self.progress.epoch
        augmentation, mixup = AugmentationSettings(), 0.0
        answers = targets.mean_of_views(self.targets)
        if phase.is_augmented:
            augmentation = self.settings.augmentation
            mixup, answers = self.settings.target.mixup, self.targets
        remaining = phase.epochs - self.progress.phase_epoch
        return self.strategy.distribute_datasets_from_function(
            lambda context: input_pipeline.make_for_train(
                images,
                answers,
                augmentation,
                mixup=mixup,
                batch_size=self.batch,
                seed=self.settings.training.seed,
                epochs=range(first, first + remaining),
                context=context,
            )
        )

    def _phase_is_over(self, phase) -> bool:
        patience = self.settings.training.early_stopping
        is_stale = patience and self.progress.stale >= patience
        return bool(is_stale) or self.progress.phase_epoch >= phase.epochs

    def _run_steps(self, train_call, iterator):
        """One epoch: float64 [2], summed loss and number of right answers."""
        return loop.run_epoch(
            train_call,
            iterator,
            first_step=self.progress.phase_epoch * self.steps,
            steps=self.steps,
            steps_per_execution=self.settings.training.steps_per_execution,
            on_progress=self._show,
        )

    def _show(self, done, loss, right):
        if self.is_chief:
            seen = done * self.batch
            logs.show_progress(done, self.steps, loss / seen, right / seen)

    def _keep(self, row, learner, objects) -> None:
        """Counts an epoch in, and saves everything it changed."""
        progress, training = self.progress, self.settings.training
        figure = row[f"val_{training.selection_metric}"]
        is_best = figure > progress.best
        progress.best = max(figure, progress.best)
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
        with _own_folder(self.workdir, self.strategy) as folder:
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


@contextlib.contextmanager
def _own_folder(workdir, strategy):
    """The workdir for the chief; for others a folder that is thrown away.

    Every worker saves, because reading a variable that is kept in several
    places may need all of them; none goes on before the chief has saved.
    """
    if runtime.is_chief(strategy):
        yield workdir
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield pathlib.Path(folder)
    runtime.wait_for_all(strategy)


def _current(learning_rate) -> float:
    return float(np.asarray(tf.convert_to_tensor(learning_rate)))

"""The trainer's own steps, with a clock in them; for `training_step` alone."""

import dataclasses
import pathlib
import time
from collections.abc import Callable
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from trainer import loop
from trainer import phases
from trainer import runtime
from trainer import training_run as run_lib
from trainer.data.prepared import Split
from trainer.models import build_model
from trainer.models import fused_batch_norm
from trainer.settings.settings import Settings

# More than anybody waits for: the input must not end.
EPOCHS = 10**6


class TimedIterator:
    """Gives the batches of another iterator and counts the time it takes.

    A batch is fetched between two steps, and put where the compiled step finds
    it. Inside of the step there is work that does not need the batch, and a
    clock there would count it as waiting.
    """

    def __init__(self, iterator: Iterator):
        self._iterator = iterator
        self._batch = tf.nest.map_structure(tf.Variable, next(iterator))
        self.waited = 0.0

    def fetch(self) -> None:
        """Waits for the next batch."""
        before = time.perf_counter()
        batch = next(self._iterator)
        self.waited += time.perf_counter() - before
        tf.nest.map_structure(
            lambda held, part: held.assign(part), self._batch, batch
        )

    def __next__(self) -> tuple[tf.Tensor, ...]:
        """Returns what was fetched last."""
        return tf.nest.map_structure(tf.convert_to_tensor, self._batch)


class TimedRun(run_lib.TrainingRun):
    """A run whose steps are taken by the caller, so many at a time."""

    def prepare(self) -> None:
        """Builds what the last phase of the run trains with."""
        phase = phases.planned_phases(self.settings.training)[-1]
        self._phase = dataclasses.replace(phase, epochs=EPOCHS)
        self._work = self.make_inputs(self._phase)
        self._learner = self.make_learner(self._phase, self._work)
        self.waited_seconds = None

    def loop_steps(self, *, in_memory: bool) -> Callable[[int], None]:
        """Returns a function that takes steps through our loop.

        Args:
          in_memory: always the same batch, which is not made anew.
        """
        dataset = self.training_data(self._phase, self._work.train)
        if in_memory:
            batch = next(iter(dataset))
            dataset = tf.data.Dataset.from_tensors(batch).repeat()
        return self._steps_of(
            iter(dataset), self.settings.training.steps_per_execution
        )

    def waiting_steps(self) -> Callable[[int], None]:
        """The same, one at a time; `waited_seconds` is of its last call."""
        timed = TimedIterator(
            iter(self.training_data(self._phase, self._work.train))
        )
        take_step = self._steps_of(timed, 1)

        def take_steps(count: int) -> None:
            timed.waited = 0.0
            for _ in range(count):
                timed.fetch()
                take_step(1)
            self.waited_seconds = timed.waited

        return take_steps

    def _steps_of(
        self, iterator: Iterator, steps_per_execution: int
    ) -> Callable[[int], None]:
        train_call = loop.make_train_call(self._learner)
        done = 0

        def take_steps(count: int) -> None:
            nonlocal done
            loop.run_epoch(
                train_call,
                iterator,
                first_step=done,
                steps=count,
                steps_per_execution=steps_per_execution,
                on_progress=lambda *_: None,
            )
            done += count

        return take_steps

    def bare_steps(self) -> Callable[[int], None]:
        """Returns a function that takes steps through Keras alone."""
        dataset = self.training_data(self._phase, self._work.train)
        images, targets = next(iter(dataset))
        model = self.model
        model.compile(
            optimizer=self._learner.optimizer,
            loss="categorical_crossentropy",
            metrics=["accuracy"],
        )

        def take_steps(count: int) -> None:
            for _ in range(count):
                model.train_on_batch(images, targets)

        return take_steps


def make_run(
    settings: Settings,
    images: np.ndarray,
    workdir: pathlib.Path,
    *,
    is_ours: bool,
) -> TimedRun:
    """Makes a run that is ready for its steps.

    Args:
      settings: of the run.
      images: uint8 [n, S, S, C] in [0, 255]; image i shows class i modulo K.
      workdir: for what a run writes.
      is_ours: the network is as the trainer has it, not as Keras has it.
    """
    strategy = runtime.configure(settings.training)
    count = len(settings.data.class_names)
    labels = np.arange(len(images), dtype=np.int32) % count
    split = Split(images, labels, [str(i) for i in range(len(images))])
    splits = {"train": split, "validation": split}
    model = build_model(settings, count, keras)
    if is_ours:
        fused_batch_norm.fuse(model)
    average = None
    if settings.training.ema:
        average = build_model(settings, count, keras)
    targets = np.eye(count, dtype=np.float32)[labels]
    run = TimedRun(
        settings,
        workdir,
        strategy,
        splits=splits,
        targets=targets,
        model=model,
        average=average,
    )
    run.prepare()
    return run

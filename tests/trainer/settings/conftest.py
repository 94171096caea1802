"""Runs, whole or up to their first step, to be compared by a setting."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from tests.trainer import small_runs
from trainer import checkpoints
from trainer import phases
from trainer import train
from trainer import training_run
from trainer.data import prepared


@pytest.fixture(scope="module")
def outcome(prepared_votes, tmp_path_factory):
    """A function settings -> what the run gave; the same run runs once."""
    known = {}

    def run(values):
        if values.get("distill_from") == "TEACHER":
            values = {**values, "distill_from": (str(run({})[0]),)}
        settings = small_runs.tiny(prepared_votes, **values)
        if settings not in known:
            workdir = tmp_path_factory.mktemp("runs") / "run"
            train.train_and_evaluate(settings, workdir)
            known[settings] = workdir, trace_of(workdir)
        return known[settings]

    return run


def trace_of(workdir):
    """Weights of the best epoch, and every epoch's figures but its time."""
    history = checkpoints.read_progress(workdir).history
    model = checkpoints.load_for_inference(workdir).model
    return (
        np.concatenate([w.ravel() for w in model.get_weights()]).tobytes(),
        [{**row, "seconds": 0, "epoch": 0} for row in history],
    )


class FirstStep(training_run.TrainingRun):
    """A run that stops where its training would begin."""

    def train(self):
        planned = phases.planned_phases(self.settings.training)
        raise InterruptedError([self.look(phase) for phase in planned])

    def look(self, phase):
        """All that the first step of a phase is made of."""
        work = self.make_inputs(phase)
        learner = self.make_learner(phase, work)
        images, targets = next(iter(self.training_data(phase, work.train)))
        if learner.teach is not None:
            targets = learner.teach(images, targets)
        answers = tf.cast(tf.range(7) % 3, tf.float32) + 0 * targets
        config = {**learner.optimizer.get_config(), "name": ""}  # Counted on.
        arrays = images, targets, learner.loss(targets, answers)
        return (
            phase,
            [np.asarray(array).tobytes() for array in arrays],
            str(config),
            learner.ema,
            [v.path for v in work.model.trainable_variables],
        )


@pytest.fixture(scope="module")
def beginning(prepared_votes, tmp_path_factory):
    """A function settings -> what the first steps see; nothing is trained."""
    folder, known = tmp_path_factory.mktemp("beginnings"), {}
    load_splits = functools.cache(prepared.load_splits)
    small = {"validation_split": "validation[:50%]", "test_split": "none"}

    @functools.cache
    def teacher():
        one = small_runs.tiny(prepared_votes, fine_tune_epochs=1, **small)
        train.train_and_evaluate(one, folder / "teacher")
        return str(folder / "teacher")

    def begin(values):
        if values.get("distill_from") == "TEACHER":
            values = {**values, "distill_from": (teacher(),)}
        settings = small_runs.tiny(prepared_votes, **small, **values)
        if settings not in known:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(train, FirstStep.__base__.__name__, FirstStep)
                patch.setattr(train.prepared, "load_splits", load_splits)
                with pytest.raises(InterruptedError) as stopped:
                    train.train_and_evaluate(settings, folder / str(len(known)))
            known[settings] = stopped.value.args[0]
        return known[settings]

    return begin

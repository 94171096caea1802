"""Each setting of targets, augmentation and training changes what comes out."""

import numpy as np
import pytest

from trainer import checkpoints
from trainer import train
from trainer.settings import settings as settings_lib

TINY = {
    "backbone": "tiny_cnn",
    "fine_tune_epochs": 2,
    "fine_tune_learning_rate": 0.003,
    "batch_size": 28,
}
HEAD = {"head_epochs": 1, "fine_tune_epochs": 1, "head_learning_rate": 0.01}
VOTES = {"soft_labels": "fer2013/plus"}
TAUGHT = {"distill_from": "TEACHER"}
STALE = {"schedule": "plateau", "fine_tune_learning_rate": 1e-7}

# setting -> another value, and what the run that it is compared with has
# besides TINY.
MATTERS = {
    "flip": (True, {}),
    "rotation": (10, {}),
    "shift": (0.1, {}),
    "zoom": (0.2, {}),
    "brightness": (0.2, {}),
    "contrast": (0.3, {}),
    "erasing": (0.9, {}),
    "label_smoothing": (0.2, {}),
    "soft_labels": ("fer2013/plus", {}),
    "soft_label_share": (0.9, VOTES),
    "distill_from": ("TEACHER", {}),
    "distill_share": (0.9, TAUGHT),
    "distill_temperature": (4.0, TAUGHT),
    "distill_views": (0, {**TAUGHT, "flip": True}),
    "mixup": (0.3, {}),
    "class_weights": ("balanced", {"train_split": "train[:60%]"}),
    "focal_gamma": (2.0, {}),
    "head_epochs": (1, {}),
    "head_learning_rate": (0.001, HEAD),
    "head_augmentation": (False, {**HEAD, "flip": True}),
    "fine_tune_epochs": (3, {}),
    "fine_tune_learning_rate": (0.001, {}),
    "fine_tune_from": ("stage2_1_conv", {}),
    "batch_size": (20, {}),
    "optimizer": ("sgd", {}),
    "fine_tune_optimizer": ("rmsprop", {}),
    "momentum": (0.5, {"optimizer": "sgd"}),
    "weight_decay": (0.5, {}),
    "schedule": ("cosine", {}),
    "plateau_patience": (1, {**STALE, "fine_tune_epochs": 6}),
    "plateau_factor": (0.5, {**STALE, "fine_tune_epochs": 6}),
    "ema": (0.5, {}),
    "early_stopping": (1, {**STALE, "fine_tune_epochs": 4}),
    "seed": (1, {}),
}
# Settings of where and how, which must not change it, and the one that
# chooses among epochs: tests of their own.
ELSEWHERE = {
    "selection_metric": "train_test",
    "precision": "runtime_test",
    "strategy": "distribution_test",
    "reuse_features": "features_test",
    "deterministic": "runtime_test",
    "xla": "loop_test",
    "steps_per_execution": "loop_test",
}


def test_no_setting_is_forgotten():
    groups = ("augmentation", "target", "training")
    names = {
        field.name for group, field in settings_lib.fields() if group in groups
    }
    assert set(MATTERS) | set(ELSEWHERE) == names
    assert not set(MATTERS) & set(ELSEWHERE)


@pytest.fixture(scope="module")
def outcome(prepared_votes, tmp_path_factory):
    """A function settings -> what the run gave; the same run runs once."""
    known = {}

    def run(values):
        values = {**TINY, "data_dir": prepared_votes, **values}
        if values.get("distill_from") == "TEACHER":
            values["distill_from"] = (str(run({})[0]),)
        settings = settings_lib.from_flat(values)
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


@pytest.mark.slow
@pytest.mark.parametrize("name", list(MATTERS))
def test_the_setting_matters(name, outcome):
    value, others = MATTERS[name]
    assert outcome({**others, name: value})[1] != outcome(others)[1]


@pytest.mark.slow
def test_the_same_settings_give_the_same(outcome):
    """Without this, the test above could not fail."""
    _, trace = outcome({})
    workdir, _ = outcome({"max_memory_gib": 4.0})
    assert trace_of(workdir) == trace

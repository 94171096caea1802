"""Each setting of targets, augmentation and training changes what comes out."""

import pytest

from tests.trainer.settings.variants import HEAD
from tests.trainer.settings.variants import STALE
from tests.trainer.settings.variants import TAUGHT
from tests.trainer.settings.variants import VOTES
from trainer.settings import settings as settings_lib

# setting -> another value, in a run that has nothing else.
ALONE = {
    "flip": True, "rotation": 10, "shift": 0.1, "zoom": 0.2, "brightness": 0.2,
    "contrast": 0.3, "erasing": 0.9, "label_smoothing": 0.2,
    "soft_labels": "fer2013/plus", "distill_from": "TEACHER", "mixup": 0.3,
    "focal_gamma": 2.0, "head_epochs": 1, "fine_tune_epochs": 3,
    "fine_tune_batch_norm": False,
    "fine_tune_learning_rate": 0.001, "fine_tune_from": "stage2_1_conv",
    "batch_size": 20, "optimizer": "sgd", "fine_tune_optimizer": "rmsprop",
    "weight_decay": 0.5, "schedule": "cosine", "ema": 0.5, "seed": 1,
}  # fmt: skip
# setting -> another value, and what the run that it is compared with has.
MATTERS = {
    **{name: (value, {}) for name, value in ALONE.items()},
    "noise": (20.0, {}),
    "noise_probability": (1.0, {"noise": 20.0}),
    "blur": (0.05, {}),
    "blur_probability": (1.0, {"blur": 0.05}),
    "low_resolution": (0.7, {}),
    "low_resolution_probability": (1.0, {"low_resolution": 0.7}),
    "jpeg": (10, {}),
    "jpeg_probability": (1.0, {"jpeg": 10}),
    "gamma": (1.0, {}),
    "dimming": (0.5, {}),
    "gradient": (0.5, {}),
    "colour_cast": (0.4, {"channels": 3}),
    "light_probability": (1.0, {"gamma": 1.0}),
    "crop_zoom": (0.3, {}),
    "crop_shift": (0.2, {}),
    "crop_tilt": (30.0, {}),
    "crop_probability": (1.0, {"crop_tilt": 30.0}),
    "soft_label_share": (0.9, VOTES),
    "distill_share": (0.9, TAUGHT),
    "distill_temperature": (4.0, TAUGHT),
    "distill_views": (0, {**TAUGHT, "flip": True}),
    "class_weights": ("balanced", {"train_split": "train[:60%]"}),
    "head_learning_rate": (0.001, HEAD),
    "head_augmentation": (False, {**HEAD, "flip": True}),
    "momentum": (0.5, {"optimizer": "sgd"}),
    "plateau_patience": (1, {**STALE, "fine_tune_epochs": 6}),
    "plateau_factor": (0.5, {**STALE, "fine_tune_epochs": 6}),
    "early_stopping": (1, {**STALE, "fine_tune_epochs": 4}),
}
# What these do is seen after some epochs only.
LATER = ("plateau_patience", "plateau_factor", "early_stopping")
# Settings of where and how, which must not change it, and the one that
# chooses among epochs: tests of their own.
ELSEWHERE = {
    "selection_metric": "train_test",
    "distill_targets": "distillation_test",
    "precision": "runtime_test",
    "strategy": "distribution_test",
    "reuse_features": "features_test",
    "feature_cache": "kept_features_test",
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


@pytest.mark.parametrize("name", [n for n in MATTERS if n not in LATER])
def test_the_setting_changes_what_the_first_steps_see(name, beginning):
    value, others = MATTERS[name]
    assert beginning({**others, name: value}) != beginning(others)


def test_the_same_settings_begin_the_same(beginning):
    """Without this, the test above could not fail."""
    assert beginning({"max_memory_gib": 4.0}) == beginning({})


@pytest.mark.slow
@pytest.mark.parametrize("name", list(MATTERS))
def test_the_setting_matters(name, outcome):
    value, others = MATTERS[name]
    assert outcome({**others, name: value})[1] != outcome(others)[1]


@pytest.mark.slow
def test_the_same_settings_give_the_same(outcome):
    """Without this, the test above could not fail."""
    assert outcome({"max_memory_gib": 4.0})[1] == outcome({})[1]

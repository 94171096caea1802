"""Runs: what is said to have no effect leaves every weight as it was."""

import pytest

from tests.trainer.settings.variants import HEAD
from tests.trainer.settings.variants import STALE
from tests.trainer.settings.variants import TAUGHT
from trainer.settings import idle_settings
from trainer.settings import settings as settings_lib

STILL = {**HEAD, "fine_tune_epochs": 0, "head_augmentation": False}

# setting -> another value, and what its run has besides the usual.
IDLE = [
    ("flip", True, STILL),
    ("mixup", 0.3, STILL),
    ("distill_views", 3, TAUGHT),
    ("distill_from", "TEACHER", {"distill_share": 0.0}),
    ("distill_temperature", 4.0, {**TAUGHT, "distill_share": 0.0}),
    ("soft_labels", "fer2013/plus", {**TAUGHT, "distill_share": 1.0}),
    ("head_augmentation", False, HEAD),
    ("reuse_features", False, {**HEAD, "flip": True}),
    ("reuse_features", False, {**HEAD, **TAUGHT, "distill_views": 0}),
    ("optimizer", "rmsprop", {"fine_tune_optimizer": "sgd"}),
    ("momentum", 0.5, {"optimizer": "rmsprop"}),
    ("plateau_factor", 0.5, {**STALE, "early_stopping": 2}),
    ("plateau_factor", 0.5, {**STALE, "plateau_patience": 4}),
    ("early_stopping", 4, {**STALE, "fine_tune_epochs": 4}),
    ("selection_metric", "macro_f1", {"fine_tune_epochs": 1}),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "value", "others"), IDLE, ids=str)
def test_the_setting_does_nothing(name, value, others, outcome):
    values = {**others, name: value}
    assert outcome(values)[1] == outcome(others)[1]
    values |= {"distill_from": ("run",)} if "distill_from" in values else {}
    settings = settings_lib.from_flat({"fine_tune_epochs": 2, **values})
    assert name in idle_settings.idle_settings(settings)

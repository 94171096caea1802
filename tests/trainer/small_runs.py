"""Settings of runs that take seconds."""

from trainer.settings import settings as settings_lib

TINY = {
    "backbone": "tiny_cnn",
    "fine_tune_epochs": 2,
    "fine_tune_learning_rate": 0.003,
    "batch_size": 28,
}


def tiny(data_dir, **values):
    """Settings of two epochs of the smallest network."""
    return settings_lib.from_flat({**TINY, "data_dir": data_dir, **values})

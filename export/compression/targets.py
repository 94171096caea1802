"""The targets of a compressed network: those its run was trained to.

Where teachers predicted on views before training, the run has kept that, and
they need not be there any more. Trains nothing and writes nothing.
"""

import pathlib

import numpy as np
import tensorflow as tf

from export.compression import check
from export.compression.check import CompressionError
from trainer import kept_targets
from trainer import targets
from trainer.checkpoints import FinishedRun
from trainer.data.prepared import Split


def find(run: FinishedRun, splits: dict[str, Split]) -> np.ndarray:
    """Finds the targets of a finished run, for any view of its images.

    Args:
      run: the trained model.
      splits: `train`, whole, and `validation`.

    Returns:
      float32 [n, K]; each row sums to 1.

    Raises:
      CompressionError: a teacher is missing, or what the run has kept does
        not belong to these images.
      ValueError: votes or teachers do not do.
    """
    target = run.settings.target
    kept = check.kept_targets(target, run.workdir)
    if kept is not None:
        return targets.mean_of_views(_read(kept, run, splits["train"]))
    check.check_teachers(target)
    strategy = tf.distribute.get_strategy()
    return targets.targets_of_any_view(run.settings, splits, strategy)


def _read(path: pathlib.Path, run: FinishedRun, split: Split) -> np.ndarray:
    """Reads float32 [views, n, K]; refuses what is of other images."""
    _check_images(path, run, split)
    shape = (len(split.labels), len(run.class_names))
    try:
        return kept_targets.load(path, shape)
    except ValueError as error:
        raise CompressionError(str(error)) from error


def _check_images(path: pathlib.Path, run: FinishedRun, split: Split) -> None:
    """Rows belong to images by their place alone, so these must be the same."""
    recorded = run.manifest.get("data", {}).get("splits", {})
    if split.is_other_than(recorded.get("train", {})):
        raise CompressionError(
            f"{path} holds predictions of other training images than those in "
            f"{run.settings.data.data_dir}: name the run's own data with "
            "--data_dir, or quantise after training with --recipes=int8"
        )

"""Targets of the network: a distribution over classes for each example.

Hard labels, FER+ votes, a teacher's predictions and label smoothing are mixed
into one array before training starts, so that the loop knows only one loss.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from trainer import distillation
from trainer import kept_targets
from trainer.data import prepared
from trainer.settings.model_and_data import DataSettings
from trainer.settings.settings import Settings
from trainer.settings.targets_and_training import TargetSettings


def training_targets(
    settings: Settings,
    splits: dict[str, prepared.Split],
    strategy: tf.distribute.Strategy,
) -> np.ndarray:
    """Makes the targets of a run's training images.

    Teachers that predict on every batch (`distill_views=0`) are left out: the
    loop mixes their predictions in. `targets_of_any_view` has them in.

    Args:
      settings: of the run.
      splits: its splits; those of the votes and teachers are read.
      strategy: the distribution strategy of the process.

    Returns:
      float32 [n, K]; each row sums to 1. [views, n, K] where teachers
      predict on views.

    Raises:
      ValueError: votes or teachers cannot be had.
    """
    teacher = None
    if settings.target.distill_from and settings.target.distill_views:
        if settings.target.distill_targets != "none":
            return kept_targets.read(settings, splits)
        teacher = distillation.teacher_predictions(settings, splits, strategy)
    return _with_votes(settings, splits["train"], teacher)


def targets_of_any_view(
    settings: Settings,
    splits: dict[str, prepared.Split],
    strategy: tf.distribute.Strategy,
) -> np.ndarray:
    """Makes targets that hold for any view of each image.

    For training apart from the run's loop. Teachers that the loop has predict
    on every batch predict once here, on the images as they are stored.

    Args:
      settings: of the run.
      splits: its splits; those of the votes and teachers are read.
      strategy: the distribution strategy of the process.

    Returns:
      float32 [n, K]; each row sums to 1.

    Raises:
      ValueError: as `training_targets`.
    """
    target = settings.target
    if target.distill_views or not target.distill_from:
        return mean_of_views(training_targets(settings, splits, strategy))
    teacher = distillation.plain_predictions(settings, splits, strategy)
    return _with_votes(settings, splits["train"], teacher)


def make_targets(
    labels: np.ndarray,
    num_classes: int,
    settings: TargetSettings,
    *,
    votes: np.ndarray | None = None,
    teacher: np.ndarray | None = None,
) -> np.ndarray:
    """Mixes everything that is known of an example's class.

    Args:
      labels: int [n], the stored labels.
      num_classes: K.
      settings: the weight of each part.
      votes: float32 [n, K], people's votes; a row of NaN where there are
        none. None leaves this part out.
      teacher: float32 [n, K] or [views, n, K], a teacher's probabilities.
        None leaves this part out.

    Returns:
      float32, of the teacher's shape or [n, K]; each row sums to 1.
    """
    targets = np.eye(num_classes, dtype=np.float32)[labels]
    if votes is not None:
        known = ~np.isnan(votes).any(axis=1)
        mixed = _mix(targets, votes, settings.soft_label_share)
        targets = np.where(known[:, None], mixed, targets)
    if teacher is not None:
        softened = soften(teacher, settings.distill_temperature).numpy()
        targets = _mix(targets, softened, settings.distill_share)
    return _mix(targets, 1 / num_classes, settings.label_smoothing)


def mean_of_views(targets: np.ndarray) -> np.ndarray:
    """Returns the mean target over the views of each image.

    Args:
      targets: float32 [n, K] or [views, n, K], of `training_targets`.

    Returns:
      float32 [n, K]; each row sums to 1.
    """
    return targets.mean(axis=0) if targets.ndim == 3 else targets


def mix_predictions(
    targets: tf.Tensor, teacher: tf.Tensor, settings: TargetSettings
) -> tf.Tensor:
    """Mixes a teacher's predictions into targets that were made without them.

    Args:
      targets: float32 [b, K], of `make_targets`.
      teacher: float32 [b, K], probabilities.
      settings: the weight of each part.

    Returns:
      float32 [b, K]: what `make_targets` gives with these predictions.
    """
    softened = soften(teacher, settings.distill_temperature)
    uniform = 1 / targets.shape[-1]
    softened = _mix(softened, uniform, settings.label_smoothing)
    return _mix(targets, softened, settings.distill_share)


def soften(
    probabilities: np.ndarray | tf.Tensor, temperature: float
) -> tf.Tensor:
    """Softens probabilities, as if logits were divided by a temperature.

    Hinton, Vinyals, Dean, Distilling the Knowledge in a Neural Network
    (arXiv 1503.02531).

    Args:
      probabilities: float32 [n, K], rows sum to 1.
      temperature: 1 changes nothing, more softens.

    Returns:
      float32 [n, K]; rows sum to 1.
    """
    return tf.nn.softmax(
        tf.math.log(tf.maximum(probabilities, 1e-7)) / temperature
    )


def votes_for(
    split: prepared.Split, data: DataSettings, dataset: str
) -> np.ndarray:
    """Looks up the votes on each example of a split by its id.

    Args:
      split: the examples.
      data: their data set and classes.
      dataset: prepared data with the features `id` and `votes`, such as
        `fer2013/plus`.

    Returns:
      float32 [n, K]: votes for our classes, each row summing to 1; NaN where
      nobody voted for any of them.

    Raises:
      prepared.DataError: it is not prepared, has no votes, or none on these
        examples.
    """
    known = prepared.load_votes(data, dataset)
    nothing = np.full(len(data.class_names), np.nan, np.float32)
    votes = np.stack([known.get(name, nothing) for name in split.ids])
    if np.isnan(votes).all():
        raise prepared.DataError(
            f"--soft_labels={dataset} has no votes on the examples of "
            f"{data.dataset}, such as {split.ids[0]}; build both from the "
            "same raw file"
        )
    return votes


def _with_votes(
    settings: Settings, split: prepared.Split, teacher: np.ndarray | None
) -> np.ndarray:
    """`make_targets` of a split, with the votes that the settings name."""
    target, votes = settings.target, None
    if target.soft_labels != "none":
        votes = votes_for(split, settings.data, target.soft_labels)
    return make_targets(
        split.labels,
        len(settings.data.class_names),
        target,
        votes=votes,
        teacher=teacher,
    )


def _mix(one: Any, other: Any, weight: float) -> Any:
    return one * (1 - weight) + other * weight

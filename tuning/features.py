"""Backbone features that heads are trained on, kept by the trainer's cache."""

import dataclasses
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer import features as features_lib
from trainer import kept_features
from trainer import phases
from trainer import weights
from trainer.data.splits import Split
from trainer.data.stored import Numbers
from trainer.data.stored import Stored
from trainer.models import build_model
from trainer.settings.settings import Settings


@dataclasses.dataclass(frozen=True)
class Features:
    """What heads are trained and validated on.

    Attributes:
      passes: float32 [n, F] of the training images: as they are, or one array
        for each augmented pass. In memory where the images are, otherwise
        streamed.
      validation: float32 [m, F].
      key: all that they depend on, in plain JSON values.
    """

    passes: list[np.ndarray | Stored]
    validation: np.ndarray | Stored
    key: dict[str, Any]


def get_features(
    settings: Settings,
    splits: dict[str, Split],
    strategy: tf.distribute.Strategy,
    *,
    num_passes: int,
) -> Features:
    """Reads features from the cache, or computes and keeps them.

    Args:
      settings: of the network, its weights, the augmentation and the cache.
      splits: train and validation, uint8 pixels in [0, 255].
      strategy: where to compute.
      num_passes: augmented passes over the training images; 0 is one pass
        over the images as they are.

    Raises:
      ValueError: the backbone's features are not the same in every epoch, or
        take more memory than allowed.
      trainer.weights.WeightsError: the weights cannot be had.
    """
    model = build_model(settings, len(settings.data.class_names), keras)
    weights.load_backbone_weights(model, settings, keras)
    weights.check_source(settings, splits)
    _check(model, settings, splits, num_passes=num_passes)
    kept = kept_features.get(
        model, settings, splits, strategy=strategy, num_passes=num_passes
    )
    if isinstance(splits["train"].images, Stored):
        return Features(kept.passes, kept.validation, kept.key)
    return Features(
        [kept_features.as_array(each) for each in kept.passes],
        kept_features.as_array(kept.validation),
        kept.key,
    )


def as_images(features: np.ndarray | Stored) -> tf.Tensor | Stored:
    """Features [n, F] as images [n, 1, 1, F]."""
    if isinstance(features, Stored):
        shape = 1, 1, *features.kind.shape
        return dataclasses.replace(features, kind=Numbers(shape))
    with tf.device("CPU"):
        # As tensors they are shared by all epochs and all trials.
        return tf.constant(features[:, None, None])


def on_features(
    splits: dict[str, Split],
    train: tf.Tensor | Stored,
    validation: tf.Tensor | Stored,
) -> dict[str, Split]:
    """Splits whose images are features, of [n, 1, 1, F] and [m, 1, 1, F]."""
    images = {"train": train, "validation": validation}
    return {
        part: dataclasses.replace(splits[part], images=images[part])
        for part in images
    }


def _check(
    model: keras.Model,
    settings: Settings,
    splits: dict[str, Split],
    *,
    num_passes: int,
) -> None:
    phase = dataclasses.replace(
        phases.planned_phases(settings.training)[0], is_augmented=False
    )
    phases.set_trainable(model, phase, settings.training.fine_tune_from)
    count = len(splits["train"].labels) * max(1, num_passes)
    count += len(splits["validation"].labels)
    reason = features_lib.why_not(
        model,
        settings,
        phase,
        num_images=count,
        is_streamed=isinstance(splits["train"].images, Stored),
    )
    if reason:
        raise ValueError(
            f"features of this backbone cannot be computed once: {reason}. "
            "Change that, or search with --scope=full"
        )

"""Features of a frozen backbone, computed once for a whole phase.

Where nothing random happens before the head, its input is the same in every
epoch: the backbone then runs once, and the phase trains the head alone, on
the same batches in the same order.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer import loop
from trainer.data.room import GIB
from trainer.data.splits import Split
from trainer.data.stored import Stored
from trainer.models import BACKBONE_LAYER
from trainer.models import LOGITS
from trainer.models import head_layers
from trainer.phases import Phase
from trainer.settings.settings import Settings


@dataclasses.dataclass(frozen=True)
class PhaseInputs:
    """What the epochs of a phase train and evaluate, and on which arrays.

    Attributes:
      model: the network, or its head alone; layers are shared with the run's.
      logits_model: the same up to the layer before the softmax.
      average: the same of the averaged weights, or None.
      train: what goes in: uint8 [n, S, S, C] pixels, or float32 [n, F]
        features; in memory or on disk.
      validation: the same of the validation split.
    """

    model: Any
    logits_model: Any
    average: Any | None
    train: np.ndarray | Stored
    validation: np.ndarray | Stored


def whole_network(
    model: keras.Model, average: keras.Model | None, splits: dict[str, Split]
) -> PhaseInputs:
    """The plain way: pixels through all of the network in every epoch."""
    images = {part: splits[part].images for part in ("train", "validation")}
    logits_model = keras.Model(model.inputs, model.get_layer(LOGITS).output)
    return PhaseInputs(
        model, logits_model, average, images["train"], images["validation"]
    )


def head_alone(
    inputs: PhaseInputs, strategy: tf.distribute.Strategy
) -> PhaseInputs:
    """The quick way: the backbone runs here, once.

    Args:
      inputs: the plain way, in memory.
      strategy: where to predict.
    """
    extract = make_extractor(inputs.model, strategy)
    found = extract(inputs.train), extract(inputs.validation)
    return head_on(*found, inputs=inputs, strategy=strategy)


def head_on(
    train: np.ndarray | Stored,
    validation: np.ndarray | Stored,
    *,
    inputs: PhaseInputs,
    strategy: tf.distribute.Strategy,
) -> PhaseInputs:
    """The head alone, on features that are there.

    Args:
      train: float32 [n, F].
      validation: float32 [m, F].
      inputs: the plain way.
      strategy: of the run.
    """
    with strategy.scope():
        head, logits_model = _head_of(inputs.model)
        average = (
            None if inputs.average is None else _head_of(inputs.average)[0]
        )
    return PhaseInputs(head, logits_model, average, train, validation)


def make_extractor(
    model: keras.Model, strategy: tf.distribute.Strategy
) -> Callable[[np.ndarray | Stored], np.ndarray]:
    """Compiles a function that runs the part of a network before its head.

    Returns:
      A function images [n, S, S, C] in [0, 255] -> features float32 [n, F].
    """
    extractor = keras.Model(
        model.inputs, model.get_layer(BACKBONE_LAYER).output
    )
    return loop.make_predict_call(extractor, strategy)


def why_not(
    model: keras.Model,
    settings: Settings,
    phase: Phase,
    *,
    num_images: int,
    is_streamed: bool = False,
) -> str:
    """Says what keeps features from being computed once; "" if nothing does.

    Args:
      model: the network, its backbone frozen.
      settings: of the run.
      phase: the phase that is to train on them.
      num_images: in training and validation together.
      is_streamed: they stay on disk, and so do features.
    """
    if phase.is_augmented and not settings.augmentation.is_off:
        return "images are augmented"
    if phase.is_augmented and settings.target.mixup:
        return "images are mixed"
    if settings.target.distill_from and not settings.target.distill_views:
        return "a teacher predicts on every batch (--distill_views=0)"
    own = head_layers(model)
    before = [layer for layer in model.layers if layer not in own]
    if any(layer.trainable and layer.weights for layer in before):
        return "the backbone is trained"
    if any(isinstance(layer, keras.layers.Dropout) for layer in before):
        return "the backbone has dropout"
    size = model.get_layer(BACKBONE_LAYER).output.shape[-1]
    needed = num_images * size * 4 / GIB
    if needed > settings.data.max_memory_gib and not is_streamed:
        return f"features take {needed:.1f} GiB; see --max_memory_gib"
    return ""


def _head_of(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """The layers after pooling as models: to the end, and to the logits."""
    pooled = model.get_layer(BACKBONE_LAYER).output
    features = x = keras.Input(pooled.shape[1:], name="features")
    for layer in head_layers(model)[1:]:
        x = layer(x)
        if layer.name == LOGITS:
            logits = x
    return keras.Model(features, x), keras.Model(features, logits)

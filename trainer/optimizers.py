"""Settings -> learning-rate schedule, optimizer and per-example loss."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.phases import Phase
from trainer.settings.targets_and_training import TrainingSettings

# One-cycle: rise over 30% of the steps from 1/25 of the peak, then a cosine
# down to zero. Smith, Topin, Super-Convergence (arXiv 1708.07120), with the
# proportions that fast.ai made common.
ONE_CYCLE_RISE = 0.3
ONE_CYCLE_START = 1 / 25

# Beta of the effective number of examples: Cui et al. (arXiv 1901.05555) try
# 0.9 to 0.9999; at the ten thousand images of our data sets 0.999 lies between
# no weights and inverse frequency.
EFFECTIVE_BETA = 0.999


def make_schedule(
    name: str, peak: float, total_steps: int, *, keras: ModuleType
) -> Any:
    """Learning rate over the steps of one phase.

    Args:
      name: constant, cosine, one_cycle, or plateau, which is constant until
        the run lowers it.
      peak: the highest learning rate.
      total_steps: steps of the phase when it is not stopped early.
      keras: the Keras module.

    Returns:
      A float or a Keras LearningRateSchedule.
    """
    schedules = keras.optimizers.schedules
    if name in ("constant", "plateau"):
        return peak
    if name == "cosine":
        return schedules.CosineDecay(peak, total_steps)
    rise = max(1, round(total_steps * ONE_CYCLE_RISE))
    return schedules.CosineDecay(
        peak * ONE_CYCLE_START,
        max(1, total_steps - rise),
        warmup_target=peak,
        warmup_steps=rise,
    )


def make_optimizer(
    training: TrainingSettings,
    phase: Phase,
    model: Any,
    *,
    total_steps: int,
    keras: ModuleType,
) -> Any:
    """Builds the optimizer of one phase for the model's trainable part.

    Kernels decay; biases and BatchNorm scales do not. Under mixed_float16
    the loss is scaled, dynamically.
    """
    schedule = make_schedule(
        training.schedule, phase.learning_rate, total_steps, keras=keras
    )
    decay = training.weight_decay
    if not decay and phase.optimizer != "adamw":
        decay = None  # How Keras turns it off; AdamW alone wants a number.
    if phase.optimizer == "sgd":
        optimizer = keras.optimizers.SGD(
            schedule,
            training.momentum,
            nesterov=training.momentum > 0,
            weight_decay=decay,
        )
    else:
        kind = {
            "adam": keras.optimizers.Adam,
            "adamw": keras.optimizers.AdamW,
            "rmsprop": keras.optimizers.RMSprop,
        }
        optimizer = kind[phase.optimizer](schedule, weight_decay=decay)
    optimizer.exclude_from_weight_decay(
        var_list=[v for v in model.trainable_variables if len(v.shape) < 2]
    )
    if keras.mixed_precision.dtype_policy().name == "mixed_float16":
        optimizer = keras.mixed_precision.LossScaleOptimizer(optimizer)
    optimizer.build(model.trainable_variables)
    return optimizer


def lower_learning_rate(optimizer: Any, factor: float) -> None:
    """Multiplies the learning rate of an optimizer without a schedule."""
    # Under mixed_float16 the optimizer is wrapped in a loss scaler.
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    present = float(tf.convert_to_tensor(inner.learning_rate))
    inner.learning_rate = present * factor


def class_weights(
    kind: str, labels: np.ndarray, num_classes: int
) -> np.ndarray:
    """Weight of each class in the loss, 1 on average over the examples.

    Args:
      kind: `none`; `balanced` (inverse frequency); or `effective_number`
        (inverse of the effective number of examples: Cui et al., Class-
        Balanced Loss, arXiv 1901.05555).
      labels: int [n], the training labels.
      num_classes: how many classes there are.

    Returns:
      float32 [num_classes].

    Raises:
      ValueError: not `none`, and a class has no example.
    """
    if kind == "none":
        return np.ones(num_classes, np.float32)
    counts = np.bincount(labels, minlength=num_classes)
    if not counts.all():
        raise ValueError(
            f"`class_weights={kind}` needs an example of each class; class "
            f"counts are {counts.tolist()}"
        )
    effective = counts
    if kind == "effective_number":
        effective = (1 - EFFECTIVE_BETA**counts) / (1 - EFFECTIVE_BETA)
    weights = 1 / effective
    return (weights * len(labels) / (weights * counts).sum()).astype(np.float32)


def make_loss(
    weights: np.ndarray, focal_gamma: float = 0.0
) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Cross-entropy of each example, from logits, in float32.

    Args:
      weights: float32 [K], weight of each class; an example's weight is that
        of its target.
      focal_gamma: power of (1 - probability) that each class's term is
        multiplied with (Lin et al., Focal Loss, arXiv 1708.02002); 0 is off.

    Returns:
      A function (targets float32 [b, K], logits float32 [b, K]) ->
      float32 [b].
    """
    weights = np.asarray(weights, np.float32)

    def loss(targets: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        log_probabilities = tf.nn.log_softmax(logits)
        terms = -targets * log_probabilities
        if focal_gamma:
            terms *= (1.0 - tf.exp(log_probabilities)) ** focal_gamma
        weight = tf.linalg.matvec(targets, tf.constant(weights))
        return weight * tf.reduce_sum(terms, axis=-1)

    return loss

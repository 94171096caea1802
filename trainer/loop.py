"""One distributed training epoch and one prediction pass.

The same code serves one device, many devices and many machines: losses are
summed per replica and divided by the global batch, so that the gradients'
sum over replicas is that of one device. Files, logs and choices of when to
stop are none of this module's business.
"""

import dataclasses
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer import exit_codes
from trainer.batches import PREDICT_BATCH_SIZE
from trainer.data import input_pipeline
from trainer.data.stored import Stored

LOWER_RATE = (
    "Lower the learning rate and begin again with --overwrite; what was saved "
    "before is still there"
)


class DivergenceError(ArithmeticError):
    """The loss is no longer a finite number."""

    exit_code = exit_codes.DIVERGED


@dataclasses.dataclass(frozen=True)
class Learner:
    """What one phase of training computes with.

    Attributes:
      model: the network, float32 pixels (or features) -> probabilities.
      logits_model: the same up to the layer before the softmax.
      average: a second copy that holds the averaged weights, or None.
      optimizer: a built Keras optimizer.
      loss: targets float32 [b, K], logits float32 [b, K] -> float32 [b].
      ema: momentum of the average.
      global_batch: examples in a step, over all replicas.
      strategy: the distribution strategy of the process.
      xla: compile each replica's step with XLA.
      teach: (images, targets) -> targets with a teacher's predictions on
        these very images mixed in, or None.
    """

    model: keras.Model
    logits_model: keras.Model
    average: keras.Model | None
    optimizer: Any
    loss: Callable
    ema: float
    global_batch: int
    strategy: tf.distribute.Strategy
    xla: bool = False
    teach: Callable | None = None

    @property
    def evaluated_model(self) -> keras.Model:
        """The model whose metrics count: the average where there is one."""
        return self.model if self.average is None else self.average


def make_train_call(learner: Learner) -> Callable:
    """Compiles a function that runs several training steps.

    Returns:
      A function (iterator, first_step int64, steps int32) -> float32 [2]: the
      sum of the losses and the number of correct predictions, over all
      replicas.
    """
    model, optimizer = learner.model, learner.optimizer
    logits_model = learner.logits_model

    replicas = learner.strategy.num_replicas_in_sync

    def replica_step(images: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        if learner.teach is not None:
            targets = learner.teach(images, targets)
        with tf.GradientTape() as tape:
            logits = logits_model(images, training=True)
            losses = learner.loss(targets, logits)
            loss = tf.reduce_sum(losses) / learner.global_batch
            # Each replica adds its part of the L2 penalties.
            if logits_model.losses:
                loss += tf.add_n(logits_model.losses) / replicas
            scaled = optimizer.scale_loss(loss)
        variables = model.trainable_variables
        gradients = tape.gradient(scaled, [v.value for v in variables])
        optimizer.apply(gradients, variables)
        is_right = tf.argmax(logits, axis=-1) == tf.argmax(targets, axis=-1)
        right = tf.reduce_sum(tf.cast(is_right, tf.float32))
        return tf.stack([tf.reduce_sum(losses), right])

    if learner.xla:
        replica_step = tf.function(replica_step, jit_compile=True)

    @tf.function
    def train_call(
        iterator: Iterator, first_step: tf.Tensor, steps: tf.Tensor
    ) -> tf.Tensor:
        totals = tf.zeros([2])
        for offset in tf.range(steps):
            per_replica = learner.strategy.run(
                replica_step, args=next(iterator)
            )
            totals += learner.strategy.reduce("SUM", per_replica, axis=None)
            if learner.average is not None:
                _update_average(learner, first_step + tf.cast(offset, tf.int64))
        return totals

    return train_call


def run_epoch(
    train_call: Callable,
    iterator: Iterator,
    *,
    first_step: int,
    steps: int,
    steps_per_execution: int,
    on_progress: Callable[[int, float, float], None],
) -> np.ndarray:
    """Runs one epoch, a few steps at a time.

    Args:
      train_call: from `make_train_call`.
      iterator: of the distributed training data.
      first_step: number of the epoch's first step in this phase.
      steps: steps in the epoch.
      steps_per_execution: steps between two calls of `on_progress`.
      on_progress: takes the steps done, the summed loss, and the number of
        correct predictions.

    Returns:
      float64 [2]: summed loss and correct predictions of the epoch.

    Raises:
      DivergenceError: the loss is infinite or not a number.
    """
    totals, done = np.zeros(2), 0
    while done < steps:
        count = min(steps_per_execution, steps - done)
        totals += train_call(
            iterator,
            tf.constant(first_step + done, tf.int64),
            tf.constant(count),
        ).numpy()
        done += count
        if not np.isfinite(totals[0]):
            raise DivergenceError(
                f"the training loss is {totals[0]} by step {done} of {steps} "
                f"of this epoch. {LOWER_RATE}"
            )
        on_progress(done, *totals)
    return totals


def make_predict_call(
    model: keras.Model, strategy: tf.distribute.Strategy
) -> Callable[[np.ndarray | Stored], np.ndarray]:
    """Compiles a function that predicts every image of a split.

    Returns:
      A function images uint8 [n, S, S, C] -> probabilities float32 [n, K],
      in order, on any number of replicas, every image exactly once. It raises
      DivergenceError for predictions that are no finite numbers.
    """

    @tf.function
    def predict_step(iterator: Iterator) -> tuple[Any, Any]:
        return strategy.run(
            lambda index, images: (index, model(images, training=False)),
            args=next(iterator),
        )

    def predict(images: np.ndarray | Stored) -> np.ndarray:
        replicas = strategy.num_replicas_in_sync
        batch = -(-PREDICT_BATCH_SIZE // replicas) * replicas
        dataset = strategy.distribute_datasets_from_function(
            lambda context: input_pipeline.make_for_eval(
                images, batch_size=batch, context=context
            )
        )
        iterator = iter(dataset)
        result = np.full([len(images), model.output_shape[-1]], np.nan)
        for _ in range(-(-len(images) // batch)):
            index, probabilities = (
                strategy.gather(part, axis=0).numpy()
                for part in predict_step(iterator)
            )
            result[index[index >= 0]] = probabilities[index >= 0]
        # The last step of an epoch, whose loss was still finite, may do that.
        if not np.isfinite(result).all():
            raise DivergenceError(
                f"the network no longer predicts finite numbers. {LOWER_RATE}"
            )
        return result.astype(np.float32)

    return predict


def _update_average(learner: Learner, step: tf.Tensor) -> None:
    """Moves the averaged weights towards the present ones.

    The momentum starts low, so that the first random weights are soon
    forgotten (as in tf.train.ExponentialMovingAverage with `num_updates`).
    BatchNorm statistics are averaged with the weights they belong to.
    """
    count = tf.cast(step, tf.float32)
    momentum = tf.minimum(learner.ema, (1.0 + count) / (10.0 + count))
    pairs = zip(learner.average.weights, learner.model.weights, strict=True)
    for kept, new in pairs:
        # In this form a frozen weight stays exactly what it is.
        kept.value.assign_add((new.value - kept.value) * (1.0 - momentum))

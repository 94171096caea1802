"""A split in memory -> batches: one pipeline for training, one for evaluation.

Training gathers whole batches from the split in an order that is a pure
function of the seed and the epoch, so a resumed run sees what an
uninterrupted one would have seen.
"""

import numpy as np
import tensorflow as tf

from trainer import augmentation
from trainer.records import Split
from trainer.setting_groups import AugmentationSettings


def make_for_train(
    split: Split,
    settings: AugmentationSettings,
    *,
    batch_size: int,
    seed: int,
    epochs: range,
    context: tf.distribute.InputContext | None = None,
) -> tf.data.Dataset:
    """Batches of shuffled, augmented examples, epoch after epoch.

    Each epoch passes over every example at most once; what is left over after
    the last full batch waits for another epoch, since a short batch would
    weigh its examples more.

    Args:
      split: the training examples.
      settings: the augmentation.
      batch_size: the global batch, over all replicas.
      seed: the seed of the run.
      epochs: which epochs to deliver; resuming starts later.
      context: this worker's part of the global batch; None takes all of it.

    Returns:
      A dataset of (images float32 [b, S, S, C] in [0, 255], labels int32
      [b]), b being one replica's share of the global batch. Every epoch has
      `len(split.labels) // batch_size` global batches.
    """
    images, labels = _in_memory(split.images), _in_memory(split.labels)
    first, rows, per_replica = _share(batch_size, context)
    mine = slice(first, first + rows)

    def make_batch(epoch, step, chosen):
        uniforms = augmentation.draw_uniforms(batch_size, seed, epoch, step)
        chosen = tf.ensure_shape(chosen[mine], [rows])
        pixels = augmentation.augment(
            tf.gather(images, chosen), uniforms[mine], settings
        )
        return pixels, tf.gather(labels, chosen)

    dataset = tf.data.Dataset.range(epochs.start, epochs.stop).flat_map(
        lambda epoch: _shuffle(len(split.labels), batch_size, seed, epoch)
    )
    dataset = dataset.map(make_batch, num_parallel_calls=tf.data.AUTOTUNE)
    return _per_replica(dataset, rows, per_replica).prefetch(tf.data.AUTOTUNE)


def make_for_eval(
    images: np.ndarray,
    *,
    batch_size: int,
    context: tf.distribute.InputContext | None = None,
) -> tf.data.Dataset:
    """Every image once, in order; the last batch is padded with zeros.

    Args:
      images: uint8 [n, S, S, C] in [0, 255].
      batch_size: the global batch, over all replicas.
      context: this worker's part of the global batch; None takes all of it.

    Returns:
      A dataset of (index int32 [b], images float32 [b, S, S, C] in
      [0, 255]); padding has index -1.
    """
    first, rows, per_replica = _share(batch_size, context)
    count = len(images)
    pixels = _in_memory(images)

    def make_batch(start):
        index = start + first + tf.range(rows)
        is_real = index < count
        chosen = tf.gather(pixels, tf.where(is_real, index, 0))
        return tf.where(is_real, index, -1), tf.cast(chosen, tf.float32)

    dataset = tf.data.Dataset.range(0, count, batch_size, output_type=tf.int32)
    dataset = dataset.map(make_batch, num_parallel_calls=tf.data.AUTOTUNE)
    return _per_replica(dataset, rows, per_replica).prefetch(tf.data.AUTOTUNE)


def _in_memory(array):
    """The array as a tensor in main memory, where tf.data works.

    Left to itself TensorFlow would put it on a GPU, and copy it back for
    every batch.
    """
    with tf.device("CPU"):
        return tf.constant(array)


def _shuffle(count, batch_size, seed, epoch):
    """Dataset of (epoch, step, indices of a global batch) of one epoch."""
    order = tf.random.experimental.stateless_shuffle(
        tf.range(count), seed=tf.stack([tf.cast(seed, tf.int64), epoch])
    )
    steps = count // batch_size
    batches = tf.reshape(order[: steps * batch_size], [steps, batch_size])
    dataset = tf.data.Dataset.from_tensor_slices(batches).enumerate()
    return dataset.map(lambda step, chosen: (epoch, step, chosen))


def _share(batch_size, context):
    """Which rows of a global batch are this worker's, and per replica."""
    if context is None:
        return 0, batch_size, batch_size
    per_replica = context.get_per_replica_batch_size(batch_size)
    rows = batch_size // context.num_input_pipelines
    return context.input_pipeline_id * rows, rows, per_replica


def _per_replica(dataset, rows, per_replica):
    if rows == per_replica:
        return dataset
    return dataset.unbatch().batch(per_replica, drop_remainder=True)

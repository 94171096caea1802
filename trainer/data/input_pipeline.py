"""A decoded split -> batches: one pipeline for training, one for evaluation.

Training gathers whole batches from the split in an order that is a pure
function of the seed and the epoch, so a resumed run sees what an
uninterrupted one would have seen.
"""

import numpy as np
import tensorflow as tf

from trainer.data import augmentation
from trainer.data import storage
from trainer.settings.model_and_data import AugmentationSettings


def make_for_train(
    images: np.ndarray,
    targets: np.ndarray,
    settings: AugmentationSettings,
    *,
    mixup: float = 0.0,
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
      images: uint8 [n, S, S, C] in [0, 255], the training images.
      targets: float32 [n, K], what is to be answered on each. With [views, n,
        K] each image is augmented in so many ways, and epochs show them in
        turn, or their mirror images where images are flipped; otherwise it
        is augmented anew in every epoch.
      settings: the augmentation.
      mixup: parameter of the Beta distribution from which the share of an
        example and its partner in the batch is drawn (Zhang et al., mixup,
        arXiv 1710.09412); 0 is off.
      batch_size: the global batch, over all replicas.
      seed: the seed of the run.
      epochs: which epochs to deliver; resuming starts later.
      context: this worker's part of the global batch; None takes all of it.

    Returns:
      A dataset of (images float32 [b, S, S, C] in [0, 255], targets float32
      [b, K]), b being one replica's share of the global batch. Every epoch
      has `len(images) // batch_size` global batches.
    """
    first, rows, per_replica = _share(batch_size, context)
    mine, count = slice(first, first + rows), len(images)
    views = len(targets) if targets.ndim == 3 else 0
    # One view after the other, so that a number says view and image.
    targets = targets.reshape(-1, targets.shape[-1])

    def draw(epoch, step, view):
        fresh = augmentation.draw_uniforms(batch_size, seed, epoch, step)
        if not views:
            return fresh
        if not settings.flip:
            return view
        return tf.where(fresh[:, :1] < 0.5, augmentation.mirror(view), view)

    def take(held, view, chosen, uniforms):
        held_images, held_targets = held
        chosen = tf.ensure_shape(chosen[mine], [rows])
        pixels = _gather(held_images, images, chosen)
        answers = _gather(held_targets, targets, view * count + chosen)
        changed = augmentation.augment(pixels, uniforms[mine], settings)
        return changed, answers

    def make_batch(place, held):
        epoch, step, chosen, uniforms = place
        uniforms = draw(epoch, step, uniforms)
        view = tf.cast(epoch % views if views else 0, chosen.dtype)
        batch = take(held, view, chosen, uniforms)
        if not mixup:
            return batch
        # The partner stands at the mirrored place of the global batch, so the
        # pairs are the same on any number of devices.
        partner = take(held, view, chosen[::-1], uniforms[::-1])
        share = augmentation.draw_shares(batch_size, mixup, seed, epoch, step)
        return augmentation.mix(batch, partner, share[mine])

    places = tf.data.Dataset.range(epochs.start, epochs.stop).flat_map(
        lambda epoch: _shuffle(count, batch_size, seed, epoch, views)
    )
    dataset = _beside(places, images, targets)
    dataset = dataset.map(make_batch, num_parallel_calls=tf.data.AUTOTUNE)
    return _deliver(dataset, rows, per_replica)


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

    def make_batch(start, held):
        index = start + first + tf.range(rows)
        is_real = index < count
        chosen = _gather(held[0], images, tf.where(is_real, index, 0))
        return tf.where(is_real, index, -1), tf.cast(chosen, tf.float32)

    starts = tf.data.Dataset.range(0, count, batch_size, output_type=tf.int32)
    dataset = _beside(starts, images)
    dataset = dataset.map(make_batch, num_parallel_calls=tf.data.AUTOTUNE)
    return _deliver(dataset, rows, per_replica)


def _shuffle(count, batch_size, seed, epoch, views):
    """Dataset of (epoch, step, indices of a global batch, random numbers).

    The numbers are those of the view that the epoch shows; without views
    there are none, and each batch draws its own.
    """
    order = tf.random.experimental.stateless_shuffle(
        tf.range(count), seed=tf.stack([tf.cast(seed, tf.int64), epoch])
    )
    steps = count // batch_size
    batches = tf.reshape(order[: steps * batch_size], [steps, batch_size])
    uniforms = tf.zeros([steps, 0])
    if views:
        view = augmentation.draw_view(count, epoch % views)
        uniforms = tf.gather(view, batches)
    dataset = tf.data.Dataset.from_tensor_slices((batches, uniforms))
    return dataset.enumerate().map(lambda step, parts: (epoch, step, *parts))


def _beside(dataset, *arrays):
    """Elements (element, arrays), for a mapped function to gather from.

    What such a function finds in its surroundings TensorFlow copies into the
    graph whenever it rewrites the graph, and for a tensor that a dataset holds
    it makes another of that shape. Into a list it does not look.
    """
    with tf.device("CPU"):
        held = tuple(_hold(storage.as_tensor(array)) for array in arrays)
    return tf.data.Dataset.zip(
        dataset, tf.data.Dataset.from_tensors(held).repeat()
    )


def _hold(tensor):
    empty = tf.raw_ops.EmptyTensorList(
        element_dtype=tensor.dtype, element_shape=-1, max_num_elements=1
    )
    return tf.raw_ops.TensorListPushBack(input_handle=empty, tensor=tensor)


def _gather(held, array, rows):
    tensor = tf.raw_ops.TensorListGetItem(
        input_handle=held,
        index=0,
        element_shape=array.shape,
        element_dtype=array.dtype,
    )
    return tf.gather(tensor, rows)


def _share(batch_size, context):
    """Which rows of a global batch are this worker's, and per replica."""
    if context is None:
        return 0, batch_size, batch_size
    per_replica = context.get_per_replica_batch_size(batch_size)
    rows = batch_size // context.num_input_pipelines
    return context.input_pipeline_id * rows, rows, per_replica


def _deliver(dataset, rows, per_replica):
    """Cuts batches for the replicas, and makes some of them ahead."""
    if rows != per_replica:
        dataset = dataset.unbatch().batch(per_replica, drop_remainder=True)
    return dataset.prefetch(tf.data.AUTOTUNE)

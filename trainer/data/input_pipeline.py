"""A split -> batches: one pipeline for training, one for evaluation.

Training gathers whole batches from a decoded split in an order that is a pure
function of the seed and the epoch, so a resumed run sees what an
uninterrupted one would have seen. What stays on disk comes in the order of
`trainer.data.streaming`; from there on it is the same.
"""

import numpy as np
import tensorflow as tf

from trainer.data import storage
from trainer.data import streaming
from trainer.data.batch_maker import BatchMaker
from trainer.data.stored import Stored
from trainer.settings.augmentation import AugmentationSettings


def make_for_train(
    images: np.ndarray | Stored,
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
      images: uint8 [n, S, S, C] in [0, 255], the training images; or any other
        numbers [n, ...] that no augmentation changes.
      targets: float32 [n, K], or [views, n, K]: each image is augmented in so
        many ways, and epochs show them in turn, mirrored where images are
        flipped and spoilt anew; otherwise it is augmented anew in each epoch.
      settings: the augmentation.
      mixup: parameter of the Beta distribution of the mixing fraction (Zhang
        et al., mixup, arXiv 1710.09412); 0 is off.
      batch_size: the global batch, over all replicas.
      seed: the seed of the run.
      epochs: which epochs to deliver; resuming starts later.
      context: this worker's part of the global batch; None takes all of it.

    Returns:
      A dataset of (images float32 [b, S, S, C] in [0, 255], targets float32
      [b, K]), b being one replica's part of the global batch. Every epoch
      has `len(images) // batch_size` global batches.
    """
    first, rows, per_replica = _worker_rows(batch_size, context)
    maker = BatchMaker(
        images=images,
        # One view after the other, so that a number says view and image.
        targets=targets.reshape(-1, targets.shape[-1]),
        settings=settings,
        mixup=mixup,
        batch_size=batch_size,
        seed=seed,
        views=len(targets) if targets.ndim == 3 else 0,
        mine=slice(first, first + rows),
    )
    return _deliver(maker.batches(epochs, context), rows, per_replica)


def make_for_eval(
    images: np.ndarray | Stored,
    *,
    batch_size: int,
    context: tf.distribute.InputContext | None = None,
) -> tf.data.Dataset:
    """Every image once, in order; what lacks in a batch is padding.

    Args:
      images: uint8 [n, S, S, C] in [0, 255].
      batch_size: the global batch, over all replicas.
      context: this worker's part of the global batch; None takes all of it.

    Returns:
      A dataset of (index int32 [b], images float32 [b, S, S, C] in
      [0, 255]); padding has index -1.
    """
    first, rows, per_replica = _worker_rows(batch_size, context)
    count = len(images)
    if isinstance(images, Stored):
        dataset = streaming.make_for_eval(
            images, batch_size=batch_size, context=context
        )
        dataset = dataset.map(lambda i, values: (i, tf.cast(values, "float32")))
        return _deliver(dataset, rows, per_replica)

    def make_batch(
        start: tf.Tensor, held: tuple[tf.Tensor, ...]
    ) -> tuple[tf.Tensor, tf.Tensor]:
        index = start + first + tf.range(rows)
        is_real = index < count
        chosen = storage.gather(held[0], images, tf.where(is_real, index, 0))
        return tf.where(is_real, index, -1), tf.cast(chosen, tf.float32)

    starts = tf.data.Dataset.range(0, count, batch_size, output_type=tf.int32)
    dataset = storage.beside(starts, images)
    dataset = dataset.map(make_batch, num_parallel_calls=tf.data.AUTOTUNE)
    return _deliver(dataset, rows, per_replica)


def _worker_rows(
    batch_size: int, context: tf.distribute.InputContext | None
) -> tuple[int, int, int]:
    """First row of a worker in a global batch, its rows, and per replica."""
    if context is None:
        return 0, batch_size, batch_size
    per_replica = context.get_per_replica_batch_size(batch_size)
    rows = batch_size // context.num_input_pipelines
    return context.input_pipeline_id * rows, rows, per_replica


def _deliver(
    dataset: tf.data.Dataset, rows: int, per_replica: int
) -> tf.data.Dataset:
    """Cuts batches for the replicas, and makes some of them ahead."""
    if rows != per_replica:
        dataset = dataset.unbatch().batch(per_replica, drop_remainder=True)
    return dataset.prefetch(tf.data.AUTOTUNE)

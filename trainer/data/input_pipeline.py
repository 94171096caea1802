"""A split -> batches: one pipeline for training, one for evaluation.

Training gathers whole batches from a decoded split in an order that is a pure
function of the seed and the epoch, so a resumed run sees what an
uninterrupted one would have seen. What stays on disk comes in the order of
`trainer.data.streaming`; from there on it is the same.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from trainer.data import augmentation
from trainer.data import storage
from trainer.data import streaming
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
    maker = _BatchMaker(
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
    if isinstance(images, Stored):
        places = maker.streamed_places(epochs, context)
        dataset, make = _beside(places, maker.targets), maker.make_streamed
    else:
        places = maker.places(epochs)
        dataset, make = _beside(places, images, maker.targets), maker.make
    dataset = dataset.map(make, num_parallel_calls=tf.data.AUTOTUNE)
    return _deliver(dataset, rows, per_replica)


@dataclasses.dataclass(frozen=True)
class _BatchMaker:
    """One worker's part of each global batch, from the order of an epoch.

    Attributes are those of `make_for_train`, and:
      targets: float32 [views * n, K], or [n, K] without views.
      views: how many each image has; 0 augments it anew in every epoch.
      mine: which rows of a global batch are this worker's.
    """

    images: np.ndarray | Stored
    targets: np.ndarray
    settings: AugmentationSettings
    mixup: float
    batch_size: int
    seed: int
    views: int
    mine: slice

    def places(self, epochs: range) -> tf.data.Dataset:
        """Elements of `_shuffle` for all steps of the epochs."""
        return tf.data.Dataset.range(epochs.start, epochs.stop).flat_map(
            lambda epoch: _shuffle(
                len(self.images),
                self.batch_size,
                seed=self.seed,
                epoch=epoch,
                views=self.views,
            )
        )

    def streamed_places(
        self, epochs: range, context: tf.distribute.InputContext | None
    ) -> tf.data.Dataset:
        """Elements (epoch, step, view, chosen, pixels) of this worker's rows.

        `view` has the random numbers of all images in the view that the epoch
        shows; without views there are none.
        """
        count, rows = len(self.images), self.mine.stop - self.mine.start
        steps = count // self.batch_size

        def steps_of(epoch: tf.Tensor) -> tf.data.Dataset:
            view = tf.zeros([0, augmentation.UNIFORMS])
            if self.views:
                view = augmentation.draw_view(count, epoch % self.views)
            return tf.data.Dataset.range(steps).map(
                lambda step: (epoch, step, view)
            )

        examples = streaming.shuffled(
            self.images,
            seed=self.seed,
            epochs=epochs,
            keep=steps * rows,
            context=context,
        )
        places = tf.data.Dataset.range(epochs.start, epochs.stop)
        batches = examples.batch(rows, drop_remainder=True)
        zipped = tf.data.Dataset.zip(places.flat_map(steps_of), batches)
        return zipped.map(lambda place, batch: (*place, *batch))

    def make_streamed(
        self, place: tuple[tf.Tensor, ...], held: tuple[tf.Tensor, ...]
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Images and targets of `streamed_places`, from held targets."""
        epoch, step, view, chosen, pixels = place
        shown = tf.gather(view, chosen) if self.views else view
        uniforms = self._draw(epoch, step, shown, rows=self.mine)
        number = tf.cast(epoch % self.views if self.views else 0, chosen.dtype)
        targets = _gather(
            held[0], self.targets, number * len(self.images) + chosen
        )
        batch = augmentation.augment(pixels, uniforms, self.settings), targets
        if not self.mixup:
            return batch
        # The same partners as in memory, among what this worker has.
        partner = tuple(part[::-1] for part in batch)
        return self._mix(epoch, step, batch, partner)

    def make(
        self, place: tuple[tf.Tensor, ...], held: tuple[tf.Tensor, ...]
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Images and targets at a place of `_shuffle`, from held arrays."""
        epoch, step, chosen, view_uniforms = place
        uniforms = self._draw(epoch, step, view_uniforms, rows=slice(None))
        view = tf.cast(epoch % self.views if self.views else 0, chosen.dtype)
        batch = self._take(held, view, chosen=chosen, uniforms=uniforms)
        if not self.mixup:
            return batch
        # The partner stands at the mirrored place of the global batch, so the
        # pairs are the same on any number of devices.
        partner = self._take(
            held, view, chosen=chosen[::-1], uniforms=uniforms[::-1]
        )
        return self._mix(epoch, step, batch, partner)

    def _mix(
        self, epoch: tf.Tensor, step: tf.Tensor, *parts: tuple[tf.Tensor, ...]
    ) -> tuple[tf.Tensor, tf.Tensor]:
        fraction = augmentation.draw_fractions(
            self.batch_size, self.mixup, seed=self.seed, epoch=epoch, step=step
        )
        return augmentation.mix(*parts, fraction[self.mine])

    def _draw(
        self,
        epoch: tf.Tensor,
        step: tf.Tensor,
        view_uniforms: tf.Tensor,
        *,
        rows: slice,
    ) -> tf.Tensor:
        """The random numbers of some rows of a global batch."""
        fresh = augmentation.draw_uniforms(
            self.batch_size, seed=self.seed, epoch=epoch, step=step
        )[rows]
        if not self.views:
            return fresh
        view = augmentation.spoil_anew(view_uniforms, fresh)
        if not self.settings.flip:
            return view
        is_mirrored = fresh[:, :1] < 0.5
        return tf.where(is_mirrored, augmentation.mirror(view), view)

    def _take(
        self,
        held: tuple[tf.Tensor, ...],
        view: tf.Tensor,
        *,
        chosen: tf.Tensor,
        uniforms: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        held_images, held_targets = held
        rows = self.mine.stop - self.mine.start
        chosen = tf.ensure_shape(chosen[self.mine], [rows])
        pixels = _gather(held_images, self.images, chosen)
        place = view * len(self.images) + chosen
        targets = _gather(held_targets, self.targets, place)
        changed = augmentation.augment(
            pixels, uniforms[self.mine], self.settings
        )
        return changed, targets


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
        chosen = _gather(held[0], images, tf.where(is_real, index, 0))
        return tf.where(is_real, index, -1), tf.cast(chosen, tf.float32)

    starts = tf.data.Dataset.range(0, count, batch_size, output_type=tf.int32)
    dataset = _beside(starts, images)
    dataset = dataset.map(make_batch, num_parallel_calls=tf.data.AUTOTUNE)
    return _deliver(dataset, rows, per_replica)


def _shuffle(
    count: int, batch_size: int, *, seed: int, epoch: tf.Tensor, views: int
) -> tf.data.Dataset:
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


def _beside(
    dataset: tf.data.Dataset, *arrays: np.ndarray | tf.Tensor
) -> tf.data.Dataset:
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


def _hold(tensor: tf.Tensor) -> tf.Tensor:
    empty = tf.raw_ops.EmptyTensorList(
        element_dtype=tensor.dtype, element_shape=-1, max_num_elements=1
    )
    return tf.raw_ops.TensorListPushBack(input_handle=empty, tensor=tensor)


def _gather(
    held: tf.Tensor, array: np.ndarray | tf.Tensor, rows: tf.Tensor
) -> tf.Tensor:
    tensor = tf.raw_ops.TensorListGetItem(
        input_handle=held,
        index=0,
        element_shape=array.shape,
        element_dtype=array.dtype,
    )
    return tf.gather(tensor, rows)


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

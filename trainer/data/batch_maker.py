"""A batch for training: which examples, as whose mixture, how augmented.

The same for images in memory and for those that stay on disk; only the order,
and where pixels come from, is another.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from trainer.data import augmentation
from trainer.data import storage
from trainer.data import streaming
from trainer.data.stored import Stored
from trainer.settings.augmentation import AugmentationSettings


@dataclasses.dataclass(frozen=True)
class BatchMaker:
    """One worker's part of each global batch, from the order of an epoch.

    Attributes are those of `input_pipeline.make_for_train`, and:
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

    def batches(
        self, epochs: range, context: tf.distribute.InputContext | None
    ) -> tf.data.Dataset:
        """(images, targets) of this worker's rows, step after step."""
        if isinstance(self.images, Stored):
            places = self.streamed_places(epochs, context)
            dataset = storage.beside(places, self.targets)
            make = self.make_streamed
        else:
            places = self.places(epochs)
            dataset = storage.beside(places, self.images, self.targets)
            make = self.make
        return dataset.map(make, num_parallel_calls=tf.data.AUTOTUNE)

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
        targets = storage.gather(
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
        pixels = storage.gather(held_images, self.images, chosen)
        place = view * len(self.images) + chosen
        targets = storage.gather(held_targets, self.targets, place)
        changed = augmentation.augment(
            pixels, uniforms[self.mine], self.settings
        )
        return changed, targets


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

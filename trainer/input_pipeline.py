"""Prepared records -> batches: one pipeline for training, one for evaluation.

A split is decoded and prepared once, into memory. Training then gathers whole
batches from it in an order that is a pure function of the seed and the epoch,
so a resumed run sees what an uninterrupted one would have seen. Prepared data
is read by name and folder; nothing of the builders is imported.
"""

import dataclasses
import hashlib

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from fer_tfds import labels as taxonomy
from trainer import augmentation
from trainer import preprocessing
from trainer.settings import AugmentationSettings
from trainer.settings import DataSettings

GIB = 2**30


class DataError(ValueError):
    """Prepared data is missing or is not what the settings say."""


@dataclasses.dataclass(frozen=True)
class Split:
    """One split, decoded and prepared.

    Attributes:
      images: uint8 [n, S, S, C] in [0, 255], in stored order.
      labels: int32 [n], native label ids.
      ids: n names of the examples.
    """

    images: np.ndarray
    labels: np.ndarray
    ids: list[str]

    def content_hash(self) -> str:
        """Returns a sha256 over images and labels, in hexadecimal."""
        digest = hashlib.sha256(np.ascontiguousarray(self.images))
        digest.update(np.ascontiguousarray(self.labels))
        return digest.hexdigest()


def find_data(data: DataSettings) -> tfds.core.DatasetBuilder:
    """Finds prepared data and checks its class names, reading no image.

    Raises:
      DataError: nothing is prepared, or its labels are not ours; the text
        says which command to type.
    """
    try:
        # From its files alone: what counts is what was written, not what
        # the builder's code would write today.
        builder = tfds.core.read_only_builder.builder_from_files(
            data.dataset, data_dir=data.data_dir
        )
        is_prepared = bool(builder.info.splits)
    except tfds.core.DatasetNotFoundError:
        is_prepared = False
    if not is_prepared:
        where = data.data_dir or tfds.core.constants.DATA_DIR
        option = f" --data_dir={data.data_dir}" if data.data_dir else ""
        raise DataError(
            f"no prepared `{data.dataset}` in {where}. Put the raw file into "
            f"{where}/downloads/manual and type:\n"
            f"  tfds build fer_tfds/{data.dataset}{option}"
        )
    _check_labels(builder, data.dataset)
    return builder


def load_split(data: DataSettings, split: str) -> Split:
    """Reads, decodes and prepares one split into memory.

    Raises:
      DataError: the split is absent, empty or too large for
        `data.max_memory_gib`, or the data is not prepared.
    """
    builder = find_data(data)
    if split not in builder.info.splits:
        raise DataError(
            f"`{data.dataset}` has no split `{split}`; it has "
            f"{sorted(builder.info.splits)}"
        )
    count = builder.info.splits[split].num_examples
    _check_size(data, split, count)
    images = np.empty(
        [count, data.image_size, data.image_size, data.channels], np.uint8
    )
    labels = np.empty([count], np.int32)
    ids: list[str] = []
    for batch in tfds.as_numpy(_read_prepared(builder, split, data)):
        rows = slice(len(ids), len(ids) + len(batch["label"]))
        images[rows], labels[rows] = batch["image"], batch["label"]
        ids.extend(name.decode() for name in batch["id"])
    if len(ids) != count:
        raise DataError(
            f"split `{split}` announces {count} examples and holds {len(ids)}; "
            f"build it again: tfds build fer_tfds/{data.dataset} --overwrite"
        )
    return Split(images, labels, ids)


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


def _read_prepared(builder, split, data):
    """Batches of prepared examples in stored order."""

    def prepare(example):
        image = preprocessing.prepare_image(
            preprocessing.decode_image(example["image"]),
            size=data.image_size,
            channels=data.channels,
        )
        return {
            "image": image,
            "label": tf.cast(example["label"], tf.int32),
            "id": example["id"],
        }

    dataset = builder.as_dataset(
        split=split,
        shuffle_files=False,
        decoders={"image": tfds.decode.SkipDecoding()},
        # Sharded reading in parallel would change the order from run to run.
        read_config=tfds.ReadConfig(
            interleave_cycle_length=1, try_autocache=False
        ),
    )
    dataset = dataset.map(prepare, num_parallel_calls=tf.data.AUTOTUNE)
    return dataset.batch(512).prefetch(1)


def _check_labels(builder, dataset):
    stored = tuple(builder.info.features["label"].names)
    ours = taxonomy.class_names(dataset)
    if stored != ours:
        raise DataError(
            f"the prepared `{dataset}` has the classes {stored}, and this "
            f"version wants {ours}. Build it again:\n"
            f"  tfds build fer_tfds/{dataset} --overwrite"
        )


def _check_size(data, split, count):
    if count == 0:
        raise DataError(f"split `{split}` of `{data.dataset}` is empty")
    size_gib = count * data.image_size**2 * data.channels / GIB
    if size_gib > data.max_memory_gib:
        raise DataError(
            f"split `{split}` takes {size_gib:.1f} GiB decoded at "
            f"{data.image_size} px; allowed are {data.max_memory_gib:g}. Give "
            "a smaller --image_size or a larger --max_memory_gib"
        )

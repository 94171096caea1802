"""What the records of a split say without an image being decoded.

One pass over the files brings labels, names and groups, and where each record
lies; that is all that class weights, checks of overlap and reports need.
"""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from trainer.data import damage
from trainer.data.stored import FRAME
from trainer.data.stored import Pictures
from trainer.data.stored import Stored
from trainer.settings.model_and_data import DataSettings

# Records that are looked at together.
_AT_ONCE = 512
# Of the files, at a time.
_READ_BYTES = 2**22


@dataclasses.dataclass(frozen=True)
class Rows:
    """The examples of a split in stored order, of every class.

    Attributes:
      stored: where their images are.
      labels: int32 [n], native label ids.
      ids: n names.
      subgroups: n names; None where the records have no feature `group`.
      prints: uint64 [n], fingerprints of the encoded images.
    """

    stored: Stored
    labels: np.ndarray
    ids: list[str]
    subgroups: list[str] | None
    prints: np.ndarray


def read_rows(
    builder: tfds.core.DatasetBuilder, data: DataSettings, split: str
) -> Rows:
    """Reads what records say of themselves.

    Args:
      builder: of the prepared data, checked by `prepared.find_data`.
      data: names it, and says how images are prepared.
      split: in TFDS's language.

    Raises:
      DataError: the split is absent, empty or damaged, or not in TFRecords.
    """
    damage.count_examples(builder, data, split)
    check_format(builder, data)
    shards = _shards(builder, split)
    group = group_feature(builder)
    columns = _read_columns(builder, data, split, with_group=group is not None)
    file, number, offset = _places(
        builder, data, split, lengths=columns["length"]
    )
    kept = _of_split(shards, number, file)
    stored = Stored(
        kind=_pictures(builder, data),
        files=tuple(shard.filename for shard in shards),
        file=file[kept],
        number=number[kept],
        offset=offset[kept],
        length=columns["length"][kept],
    )
    names = [name.decode() for name in columns["id"][kept]]
    return Rows(
        stored=stored,
        labels=columns["label"][kept].astype(np.int32),
        ids=names,
        subgroups=group and group_names(group, columns["group"][kept]),
        prints=columns["print"][kept],
    )


def check_format(builder: tfds.core.DatasetBuilder, data: DataSettings) -> None:
    """Refuses files that are not read record by record.

    Raises:
      DataError: says how to build the data anew.
    """
    if builder.info.file_format != tfds.core.FileFormat.TFRECORD:
        raise damage.damaged(
            builder,
            data,
            f"{builder.data_path} is in {builder.info.file_format.value} files,"
            " and --reading=stream takes tfrecord",
        )


def group_feature(builder: tfds.core.DatasetBuilder) -> Any | None:
    """The feature that says who is in an image; None without one."""
    feature = dict(builder.info.features.items()).get("group")
    is_class = isinstance(feature, tfds.features.ClassLabel)
    is_text = isinstance(feature, tfds.features.Text)
    return feature if is_class or is_text else None


def group_names(feature: Any, values: Any) -> list[str]:
    """Names of subgroups from the values that records hold."""
    if isinstance(feature, tfds.features.ClassLabel):
        # TFDS keeps -1 where an example has no label.
        return [feature.names[v] if v >= 0 else "unknown" for v in values]
    return [value.decode(errors="replace") for value in values]


def fingerprint(encoded: tf.Tensor) -> tf.Tensor:
    """Encoded images, string of any shape -> uint64 of that shape.

    For telling data apart; nothing that withstands an attacker.
    """
    shape = tf.shape(encoded)
    hashes = tf.fingerprint(tf.reshape(encoded, [-1]))
    return tf.reshape(tf.bitcast(hashes, tf.uint64), shape)


def _read_columns(
    builder: tfds.core.DatasetBuilder,
    data: DataSettings,
    split: str,
    *,
    with_group: bool,
) -> dict[str, np.ndarray]:
    """Every record of the split's files, those outside the split as well."""
    files = [shard.filename for shard in _shards(builder, split)]
    kinds = {"image": tf.string, "label": tf.int64, "id": tf.string}
    if with_group:
        group = builder.info.features["group"]
        is_class = isinstance(group, tfds.features.ClassLabel)
        kinds["group"] = tf.int64 if is_class else tf.string
    wanted = {n: tf.io.FixedLenFeature([], kind) for n, kind in kinds.items()}

    def look(records: tf.Tensor) -> dict[str, tf.Tensor]:
        found = tf.io.parse_example(records, wanted)
        image = found.pop("image")
        # Of the image alone: a build may write the parts of a record in
        # another order.
        prints = fingerprint(image)
        return {**found, "length": tf.strings.length(records), "print": prints}

    dataset = tf.data.TFRecordDataset(files, buffer_size=_READ_BYTES)
    dataset = dataset.batch(_AT_ONCE)
    dataset = dataset.map(look, num_parallel_calls=tf.data.AUTOTUNE)
    read = damage.read(dataset.prefetch(2), builder, data, split=split)
    batches = list(read)
    return {
        name: np.concatenate([batch[name] for batch in batches])
        for name in batches[0]
    }


def _places(
    builder: tfds.core.DatasetBuilder,
    data: DataSettings,
    split: str,
    *,
    lengths: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """File, number in it and first byte of each record.

    Raises:
      DataError: a file holds more or fewer examples than TFDS has noted.
    """
    shards = _shards(builder, split)
    counts = np.array([shard.examples_in_shard for shard in shards])
    file = np.repeat(np.arange(len(shards), dtype=np.int32), counts)
    if len(file) == len(lengths):
        begins = np.cumsum(counts) - counts
        number = np.arange(len(file)) - begins[file]
        ends = np.cumsum(lengths.astype(np.int64) + FRAME)
        offset = ends - lengths - FRAME
        offset -= offset[begins][file]
        sizes = offset[begins + counts - 1] + lengths[begins + counts - 1]
        sizes += FRAME
        on_disk = [tf.io.gfile.stat(shard.filename).length for shard in shards]
        if sizes.tolist() == on_disk:
            return file, number.astype(np.int32), offset
    reason = damage.why_unread(builder, split) or (
        f"{builder.data_path} has changed while `{split}` was read"
    )
    raise damage.damaged(builder, data, reason)


def _pictures(
    builder: tfds.core.DatasetBuilder, data: DataSettings
) -> Pictures:
    shape = data.image_size, data.image_size, data.channels
    fits = tuple(builder.info.features["image"].shape) == shape
    return Pictures(data.image_size, data.channels, fits)


def _shards(builder: tfds.core.DatasetBuilder, split: str) -> list:
    shards = builder.info.splits[split].file_instructions
    return [shard for shard in shards if shard.examples_in_shard]


def _of_split(shards: list, number: np.ndarray, file: np.ndarray) -> np.ndarray:
    """bool: which records are the split's, where it takes parts of files."""
    skip = np.array([shard.skip for shard in shards])[file]
    take = np.array([shard.take for shard in shards])[file]
    return (number >= skip) & (number < skip + take)

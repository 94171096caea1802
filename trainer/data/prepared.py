"""Prepared records -> the splits of a run, checked against the settings.

Prepared data is read by name and folder; nothing of the builders is imported.
"""

import dataclasses
import itertools
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from fer_tfds import labels as taxonomy
from trainer.data import damage
from trainer.data import preprocessing
from trainer.data import records
from trainer.data import room
from trainer.data import storage
from trainer.data.damage import DataError
from trainer.data.splits import Split
from trainer.settings.model_and_data import DataSettings
from trainer.settings.settings import Settings

# Sharded reading in parallel would change the order from run to run.
_IN_ORDER = tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False)


def find_data(data: DataSettings) -> tfds.core.DatasetBuilder:
    """Finds prepared data and checks its class names, reading no image.

    Raises:
      DataError: nothing is prepared, what describes it is damaged, or its
        labels are not ours; the text says which command to type.
    """
    try:
        # From its files alone: what counts is what was written, not what
        # the builder's code would write today.
        builder = tfds.core.read_only_builder.builder_from_files(
            data.dataset, data_dir=data.data_dir
        )
        damage.check_described(builder)
    except Exception as error:  # Of TFDS, protobuf, JSON: damage has no name.
        raise damage.unfound(data, error) from error
    _check_features(builder, data)
    return builder


def with_classes(settings: Settings) -> Settings:
    """Fills in the classes of a data set that has its own, from its records.

    Raises:
      DataError: as in `find_data`.
    """
    data = settings.data
    if data.classes or taxonomy.is_known(data.dataset):
        return settings
    names = tuple(find_data(data).info.features["label"].names)
    data = dataclasses.replace(data, classes=names)
    return dataclasses.replace(settings, data=data)


def load_splits(data: DataSettings) -> dict[str, Split]:
    """Reads the splits of a run: part (train, validation, test) -> split.

    All are read in one way, which `data.reading` names or leaves to what fits.

    Raises:
      DataError: as in `load_split`, or an example is in two of the parts.
    """
    data = settle_reading(data)
    splits = {
        part: load_split(data, name) for part, name in data.splits.items()
    }
    for one, other in itertools.combinations(splits, 2):
        shared = set(splits[one].ids) & set(splits[other].ids)
        if shared:
            raise DataError(
                f"--{one}_split={data.splits[one]} and --{other}_split="
                f"{data.splits[other]} share {len(shared):,} examples, such "
                f"as {min(shared)}; give splits that lie apart"
            )
    return splits


def settle_reading(data: DataSettings) -> DataSettings:
    """Says how all splits of a run are read, where that is left open.

    Raises:
      DataError: as in `load_split`.
    """
    needed = room.bytes_needed(find_data(data), data, *data.splits.values())
    return dataclasses.replace(data, reading=room.settle(data, needed))


def load_split(data: DataSettings, split: str) -> Split:
    """Reads one split: decoded at once, or whenever it is read.

    Args:
      data: which data; examples beyond its classes are left out.
      split: a split in TFDS's language, such as `train` or `train[:90%]`.

    Raises:
      DataError: the split is absent, empty or damaged, the data is not
        prepared, or it is asked for in memory and does not fit there.
    """
    builder = find_data(data)
    needed = room.bytes_needed(builder, data, split)
    if room.settle(data, needed) == "stream":
        rows = records.read_rows(builder, data, split)
        whole = Split(
            rows.stored, rows.labels, rows.ids, rows.subgroups, rows.prints
        )
        return _of_classes(whole, data)
    return _decode_split(builder, data, split)


def _decode_split(
    builder: tfds.core.DatasetBuilder, data: DataSettings, split: str
) -> Split:
    count = damage.count_examples(builder, data, split)
    size = data.image_size
    images = storage.allocate([count, size, size, data.channels])
    labels = np.empty([count], np.int32)
    prints = np.empty([count], np.uint64)
    ids: list[str] = []
    kept = 0
    for batch in _read_prepared(builder, split, data):
        rows = slice(len(ids), len(ids) + len(batch["label"]))
        labels[rows], prints[rows] = batch["label"], batch["print"]
        ids.extend(name.decode() for name in batch["id"])
        chosen = batch["image"][batch["label"] < len(data.class_names)]
        images[kept : kept + len(chosen)] = chosen
        kept += len(chosen)
    is_class = labels < len(data.class_names)
    subgroups = _read_subgroups(builder, split, data)
    return Split(
        images[:kept],
        labels[is_class],
        list(itertools.compress(ids, is_class)),
        subgroups and list(itertools.compress(subgroups, is_class)),
        prints[is_class],
    )


def _of_classes(split: Split, data: DataSettings) -> Split:
    is_class = split.labels < len(data.class_names)
    return split if is_class.all() else split.take(is_class)


def load_ids(data: DataSettings, split: str) -> list[str]:
    """Reads the names of a split's examples, and no image.

    Raises:
      DataError: as in `load_split`.
    """
    builder = find_data(data)
    damage.count_examples(builder, data, split)
    examples = _read_stored(builder, data, split=split, features=["id"])
    return [example["id"].decode() for example in examples]


def load_votes(data: DataSettings, dataset: str) -> dict[str, np.ndarray]:
    """Reads people's votes on the examples of another prepared data set.

    Args:
      data: the classes to vote for, and the folder of prepared data.
      dataset: its name, such as `fer2013/plus`; its class names say what the
        votes are for.

    Returns:
      Example id -> float32 [K], votes for our classes, summing to 1. Examples
      without a vote for any of them are left out.

    Raises:
      DataError: it is not prepared, or has no votes.
    """
    theirs = dataclasses.replace(data, dataset=dataset)
    builder = find_data(theirs)
    if "votes" not in builder.info.features:
        raise DataError(f"`{dataset}` has no votes; fer2013/plus has")
    names = [
        taxonomy.common_name(n) for n in builder.info.features["label"].names
    ]
    ours = [
        names.index(taxonomy.common_name(name)) for name in data.class_names
    ]
    votes = {}
    for split in builder.info.splits:
        for example in _read_stored(
            builder, theirs, split=split, features=["id", "votes"]
        ):
            chosen = example["votes"][ours]
            if chosen.sum() > 0:
                votes[example["id"].decode()] = chosen / chosen.sum()
    return votes


def _read_subgroups(
    builder: tfds.core.DatasetBuilder, split: str, data: DataSettings
) -> list[str] | None:
    """Names of the subgroups in stored order, None without such a feature."""
    feature = records.group_feature(builder)
    if feature is None:
        return None
    examples = _read_stored(builder, data, split=split, features=["group"])
    values = [example["group"] for example in examples]
    return records.group_names(feature, values)


def _read_stored(
    builder: tfds.core.DatasetBuilder,
    data: DataSettings,
    *,
    split: str,
    features: Sequence[str],
) -> Iterable[dict[str, Any]]:
    """Examples as numpy, in stored order, with these features alone."""
    # Not by TFDS's PartialDecoding, which warns of its own code.
    dataset = _open_stored(builder, split).map(
        lambda example: {name: example[name] for name in features}
    )
    return damage.read(dataset, builder, data, split=split)


def _open_stored(
    builder: tfds.core.DatasetBuilder, split: str
) -> tf.data.Dataset:
    """Examples in stored order, the image as the bytes of its file."""
    return builder.as_dataset(
        split=split,
        shuffle_files=False,
        decoders={"image": tfds.decode.SkipDecoding()},
        read_config=_IN_ORDER,
    )


def _read_prepared(
    builder: tfds.core.DatasetBuilder, split: str, data: DataSettings
) -> Iterable[dict[str, Any]]:
    """Batches of prepared examples as numpy, in stored order."""

    def prepare(example: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        image = preprocessing.prepare_image(
            preprocessing.decode_image(example["image"]),
            size=data.image_size,
            channels=data.channels,
        )
        return {
            "image": image,
            "label": tf.cast(example["label"], tf.int32),
            "id": example["id"],
            "print": records.fingerprint(example["image"]),
        }

    dataset = _open_stored(builder, split)
    dataset = dataset.map(prepare, num_parallel_calls=tf.data.AUTOTUNE)
    dataset = dataset.batch(512).prefetch(1)
    return damage.read(dataset, builder, data, split=split)


def _check_features(
    builder: tfds.core.DatasetBuilder, data: DataSettings
) -> None:
    features = builder.info.features
    where = builder.data_path
    lacking = {"image", "label", "id"} - set(features)
    if lacking or not isinstance(features["label"], tfds.features.ClassLabel):
        raise damage.damaged(
            builder,
            data,
            f"{where / damage.FEATURES} names no {min(lacking or {'labels'})}",
        )
    stored = tuple(features["label"].names)
    ours = stored
    if taxonomy.is_known(data.dataset):
        ours = taxonomy.native_names(data.dataset)
    if stored != ours:
        raise damage.damaged(
            builder,
            data,
            f"the prepared `{data.dataset}` in {where} has the classes "
            f"{stored}, and this version wants {ours}",
        )
    if data.classes not in ((), stored):
        raise DataError(
            f"`{data.dataset}` in {where} has the classes {stored}, and "
            f"--classes says {data.classes}; leave --classes out, or take "
            "another --workdir where the data was built anew"
        )

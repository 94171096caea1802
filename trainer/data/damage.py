"""What is wrong with prepared data: which file, and the command that mends it.

Looks closer only once something has failed: TensorFlow and TFDS say neither.
"""

import contextlib
import pathlib
import shlex
from collections.abc import Iterator
from typing import Any

import tensorflow as tf
import tensorflow_datasets as tfds

from trainer.settings.model_and_data import DataSettings

INFO = "dataset_info.json"
FEATURES = "features.json"
# What `tfds build fer_tfds/NAME` can prepare.
BUILDERS = ("fer2013", "affectnet", "image_folder")

# Where data has no split of its own for a part of a run.
_SPLITS_OF_A_RUN = (
    "--train_split=train[:90%] --validation_split=train[90%:] --test_split=none"
)

# Length and two checksums around the bytes of each record.
_RECORD_FRAME = 16


class DataError(ValueError):
    """Prepared data is missing or is not what the settings say."""


def unfound(data: DataSettings, error: Exception) -> DataError:
    """Says why there is no prepared data that could be read.

    Args:
      data: names the data set, and the folder in which TFDS found none.
      error: what TFDS said.
    """
    where = pathlib.Path(data.data_dir or tfds.core.constants.DATA_DIR)
    name, _, config = data.dataset.partition("/")
    versions = _versions(where.expanduser() / name)
    for folder in versions:
        if config in ("", _config_of(folder, name)):
            reason = why_unreadable(folder)
            if reason:
                return _damaged(data, folder, reason)
    there = sorted(f"{name}/{_config_of(f, name)}" for f in versions)
    if there and not config:
        return DataError(
            f"no prepared `{name}` in {where}, where {name}/.config would say "
            f"which of {', '.join(there)} that is: give "
            f"--dataset={there[0]}, or copy {name}/.config too"
        )
    if not there and name not in BUILDERS:
        return DataError(
            f"no prepared `{data.dataset}` in {where}. `tfds build` prepares "
            f"{', '.join(BUILDERS)}; for classes of your own take image_folder"
        )
    lines = [
        f"no prepared `{data.dataset}` in {where}. Put the raw file into "
        f"{where}/downloads/manual and type:",
        f"  {build_command(data, config)}",
    ]
    if there:
        lines.append(f"Prepared there: {', '.join(there)}")
    if not isinstance(error, tfds.core.DatasetNotFoundError):
        lines.append(f"TFDS said: {_first_line(error)}")
    return DataError("\n".join(lines))


def check_described(builder: tfds.core.DatasetBuilder) -> None:
    """Refuses a description of prepared data that nothing can be read by.

    Raises:
      ValueError: it names no data set or split, or fewer than no examples.
    """
    if not builder.info.name or not builder.info.splits:
        raise ValueError("it names no data set, or no split")
    for name, split in builder.info.splits.items():
        if min(split.shard_lengths, default=0) < 0:
            raise ValueError(f"split {name} has {split.shard_lengths} examples")


def build_command(data: DataSettings, config: str) -> str:
    """Returns the command that prepares a configuration; "" is each of them."""
    command = f"tfds build fer_tfds/{data.dataset.partition('/')[0]}"
    if config:
        command += f" --config={config}"
    if data.data_dir:
        command += f" --data_dir={shlex.quote(data.data_dir)}"
    return command


def damaged(
    builder: tfds.core.DatasetBuilder, data: DataSettings, reason: str
) -> DataError:
    """Says what is wrong with prepared data, and how to build it again.

    Args:
      builder: of the prepared data.
      data: where it is.
      reason: names the file, and what is wrong with it.
    """
    return _damaged(data, pathlib.Path(builder.data_path), reason)


def read(
    dataset: tf.data.Dataset,
    builder: tfds.core.DatasetBuilder,
    data: DataSettings,
    *,
    split: str,
) -> Iterator[dict[str, Any]]:
    """Gives the elements of a dataset of prepared examples, as numpy.

    Args:
      dataset: examples of the split, or what is made of them.
      builder: of the prepared data.
      data: where it is.
      split: its name in TFDS's language.

    Raises:
      DataError: a file of the split cannot be read, or holds more or fewer
        examples than TFDS has noted.
    """
    try:
        yield from tfds.as_numpy(dataset)
    except tf.errors.OpError as error:
        reason = why_unread(builder, split) or (
            f"{builder.data_path} has an example in `{split}` that cannot be "
            f"read ({type(error).__name__}: {_first_line(error)})"
        )
        raise damaged(builder, data, reason) from error


@contextlib.contextmanager
def explain(
    builder: tfds.core.DatasetBuilder, data: DataSettings
) -> Iterator[None]:
    """Says which file is to blame where reading fails in the midst of a run.

    Raises:
      DataError: an operation has failed, and a file of the run's splits is
        missing or damaged.
    """
    try:
        yield
    except tf.errors.OpError as error:
        for split in data.splits.values():
            check_files(builder, data, split)
            reason = why_unread(builder, split)
            if reason:
                raise damaged(builder, data, reason) from error
        raise


def count_examples(
    builder: tfds.core.DatasetBuilder,
    data: DataSettings,
    split: str,
    *,
    such_as: str = _SPLITS_OF_A_RUN,
) -> int:
    """Returns how many examples a split has, after a look at its files alone.

    Args:
      builder: of the prepared data.
      data: names it.
      split: in TFDS's language.
      such_as: flags that would do, for the message.

    Raises:
      DataError: there is no such split, or it is empty, or lacks a file.
    """
    splits = builder.info.splits
    try:
        count = splits[split].num_examples
    except (KeyError, ValueError) as error:
        raise DataError(
            f"`{data.dataset}` has no split `{split}`; it has "
            f"{sorted(splits)}. Choose among them, or slices of them, such as "
            f"{such_as}"
        ) from error
    if count == 0:
        raise DataError(f"split `{split}` of `{data.dataset}` is empty")
    check_files(builder, data, split)
    return count


def check_files(
    builder: tfds.core.DatasetBuilder, data: DataSettings, split: str
) -> None:
    """Refuses a split whose files cannot hold what TFDS has noted of them.

    Raises:
      DataError: one is missing, or too small for so many examples.
    """
    for shard in builder.info.splits[split].file_instructions:
        path, count = shard.filename, shard.examples_in_shard
        if not tf.io.gfile.exists(path) or tf.io.gfile.isdir(path):
            raise damaged(builder, data, f"{path} is missing")
        if tf.io.gfile.stat(path).length < count * _RECORD_FRAME:
            reason = f"{path} is too small for its {count:,} examples"
            raise damaged(builder, data, reason)


def _damaged(
    data: DataSettings, folder: pathlib.Path, reason: str
) -> DataError:
    """The error about a folder of one version."""
    config = _config_of(folder, data.dataset.partition("/")[0])
    command = f"{build_command(data, config)} --overwrite"
    if str(folder / INFO) in reason:
        # TFDS reads it before it writes anew, and would stumble over it too.
        command = f"rm -f {shlex.quote(str(folder / INFO))}; {command}"
    return DataError(f"{reason}. Build it again:\n  {command}")


def _config_of(folder: pathlib.Path, name: str) -> str:
    """The configuration of a version's folder; "" for data without any."""
    return folder.parent.name if folder.parent.name != name else ""


def _versions(folder: pathlib.Path) -> list[pathlib.Path]:
    """Folders of prepared versions of a data set, with configurations or not.

    One that has lost a file counts.
    """
    found = {
        path.parent
        for depth in ("*", "*/*")
        for name in (INFO, FEATURES)
        for path in folder.glob(f"{depth}/{name}")
        if tfds.core.Version.is_valid(path.parent.name)
    }
    return sorted(found)


def why_unreadable(folder: pathlib.Path) -> str:
    """Which of the files that describe a version is damaged; "" for none."""
    name, read_it = FEATURES, tfds.features.FeatureConnector.from_config
    try:
        read_it(str(folder))
        name = INFO
        check_described(tfds.builder_from_directory(folder))
    except Exception as error:  # Each library has names of its own for it.
        return f"{folder / name} is damaged ({_first_line(error)})"
    return ""


def _first_line(error: Exception) -> str:
    return f"{(str(error).strip() or repr(error)).splitlines()[0]:.150}"


def why_unread(builder: tfds.core.DatasetBuilder, split: str) -> str:
    """Which of a split's files is damaged; "" where each can be read."""
    for shard in builder.info.splits[split].file_instructions:
        path, expected = shard.filename, shard.examples_in_shard
        records = tf.data.TFRecordDataset(path)
        try:
            count = int(records.reduce(0, lambda n, _: n + 1))
        except tf.errors.OpError as error:
            return f"{path} is cut or damaged ({type(error).__name__})"
        if count != expected:
            return (
                f"{path} holds {count:,} examples, and {INFO} beside it says "
                f"{expected:,}"
            )
    return ""

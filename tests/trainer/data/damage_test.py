"""Prepared data that was cut, copied in part or changed by hand."""

import json
import pathlib
import shutil

import pytest

from tests.commands.command_line import python
from trainer.data import prepared
from trainer.settings.model_and_data import DataSettings

VERSION = "fer2013/original/1.1.0"
INFO = "dataset_info.json"
FEATURES = "features.json"
SHARD = "fer2013-train.tfrecord-00000-of-00001"


@pytest.fixture
def root(prepared_data, tmp_path):
    """A copy of prepared data that a test may spoil."""
    copied = tmp_path / "a copy"
    shutil.copytree(pathlib.Path(prepared_data) / "fer2013", copied / "fer2013")
    return copied


def edit(name, change):
    """Changes the bytes of a file of the version."""

    def damage(root):
        path = root / VERSION / name
        path.write_bytes(change(path.read_bytes()))

    return damage


def counted(*lengths):
    """Writes other numbers of examples into the train split's shards."""

    def change(data):
        content = json.loads(data)
        content["splits"][0]["shardLengths"] = lengths
        return json.dumps(content).encode()

    return edit(INFO, change)


def without(name):
    return lambda root: (root / VERSION / name).unlink()


def first_record(data):
    return data[: int.from_bytes(data[:8], "little") + 16]


def flipped(data):
    return data[:20_000] + bytes([data[20_000] ^ 255]) + data[20_001:]


def cut(data):
    return data[:-100]


# What is done to it -> what the message says of which file.
DAMAGES = {
    "cut shard": (edit(SHARD, cut), rf"{SHARD} is cut or damaged"),
    "flipped bit": (edit(SHARD, flipped), rf"{SHARD} is cut or damaged"),
    "cut between": (edit(SHARD, first_record), rf"{SHARD} is too small"),
    "missing shard": (without(SHARD), rf"{SHARD} is missing"),
    "one too few": (counted("279"), rf"{SHARD} holds 280 .* says 279"),
    "one too many": (counted("281"), rf"{SHARD} holds 280 .* says 281"),
    "far too many": (counted("9" * 12), rf"{SHARD} is too small"),
    "fewer than none": (counted("-3"), rf"{INFO} is damaged \(split train"),
    "cut info": (edit(INFO, lambda data: data[:300]), rf"{INFO} is damaged"),
    "deep info": (edit(INFO, lambda _: b"[" * 10**5), rf"{INFO} is damaged"),
    "no info": (without(INFO), rf"{INFO} is damaged"),
    "other info": (edit(INFO, lambda _: b"{}"), rf"{INFO} is damaged"),
    "no features": (without(FEATURES), rf"{FEATURES} is damaged"),
    "cut features": (edit(FEATURES, cut), rf"{FEATURES} is damaged"),
    "another feature": (
        edit(FEATURES, lambda data: data.replace(b'"id"', b'"number"')),
        rf"{FEATURES} names no id",
    ),
    "no names": (without("label.labels.txt"), r"1\.1\.0 has the classes"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_said_with_its_file_and_the_command(root, name):
    damage, message = DAMAGES[name]
    damage(root)
    data = DataSettings(data_dir=str(root))
    with pytest.raises(prepared.DataError, match=message) as caught:
        prepared.load_splits(data)
    (first, *_, command) = str(caught.value).splitlines()
    assert str(root / VERSION) in first
    assert "tfds build fer_tfds/fer2013 --config=original" in command
    assert f"--data_dir='{root}' --overwrite" in command
    # TFDS cannot overwrite what it cannot read.
    assert ("rm -f" in command) == (f"{INFO} is damaged" in first)


def test_names_alone_are_read_with_the_same_care(root):
    edit(SHARD, cut)(root)
    data = DataSettings(data_dir=str(root))
    with pytest.raises(prepared.DataError, match=f"{SHARD} is cut"):
        prepared.load_ids(data, "train")


def train(root, tmp_path):
    """What the trainer says of data that it cannot use."""
    done = python(
        *["-m", "trainer", "--backbone=tiny_cnn", f"--data_dir={root}"],
        f"--workdir={tmp_path / 'run'}",
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run" / "settings.json").exists()
    return done.stderr


def test_data_copied_without_its_default_is_told_by_its_full_name(
    root, tmp_path
):
    """In a process that knows the data set by its files alone."""
    shutil.rmtree(root / "fer2013" / ".config")
    said = train(root, tmp_path)
    assert said.startswith("error: no prepared `fer2013`")
    assert "give --dataset=fer2013/original" in said
    named = DataSettings(data_dir=str(root), dataset="fer2013/original")
    assert prepared.find_data(named).info.splits


def test_a_name_that_nothing_builds_is_told_what_can_be_built(tmp_path):
    data = DataSettings(data_dir=str(tmp_path), dataset="cifar")
    with pytest.raises(ValueError, match="fer2013, affectnet, image_folder"):
        prepared.find_data(data)


@pytest.mark.slow
def test_the_trainer_says_it_in_one_message(root, tmp_path):
    edit(SHARD, cut)(root)
    said = train(root, tmp_path)
    assert said.startswith(f"error: {root / VERSION / SHARD} is cut")

"""One build at a time; what killed ones left; what the command says."""

import os
import sys

import pytest

from fer_tfds import locks
from fer_tfds import synthetic
from tests.fer_tfds import data_fixtures as data
from tests.fer_tfds.fer2013_builds import build


@pytest.fixture
def raw(tmp_path):
    synthetic.write("csv", tmp_path / "raw", data.COUNTS, seed=data.SEED)
    return tmp_path / "raw"


def test_a_second_build_names_the_first(raw, tmp_path):
    folder = tmp_path / "data" / "fer2013" / "original"
    with locks.hold_folder(folder, ".1.1.0.lock"):
        left = folder / "incomplete.ABCDEF_1.1.0"
        left.mkdir()
        message = f"original is in use: process {os.getpid()} on .* since 20"
        with pytest.raises(locks.InUseError, match=message):
            build(raw, tmp_path / "data")
        assert left.exists()  # It may be the other one's.
    builder = build(raw, tmp_path / "data")
    assert os.listdir(folder) == ["1.1.0"]
    with locks.hold_folder(folder, ".1.1.0.lock"):
        builder.download_and_prepare()  # It is there: there is nothing to do.


def test_what_killed_builds_left_is_deleted_and_no_more(
    raw, tmp_path, capsys, monkeypatch
):
    folder = tmp_path / "data" / "fer2013" / "original"
    killed = folder / "incomplete.ABCDEF_1.1.0" / "more"
    others = [folder / "incomplete.ABCDEF_1.0.0", folder / "incomplete.mine"]
    for path in (killed, *others):
        path.mkdir(parents=True)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    build(raw, tmp_path / "data")
    assert not killed.parent.exists()
    assert all(path.exists() for path in others)
    assert str(killed.parent) in capsys.readouterr().out
    assert os.listdir(tmp_path / "temporary") == []


def test_without_locks_nothing_of_others_is_deleted(raw, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("no locks on this file system")

    monkeypatch.setattr("fcntl.flock", refuse)
    left = tmp_path / "data/fer2013/original/incomplete.ABCDEF_1.1.0"
    left.mkdir(parents=True)
    build(raw, tmp_path / "data")
    assert left.exists()


@pytest.mark.parametrize(
    ("layout", "option"),
    [
        ("csv", "edge.flags --data_dir="),
        ("png_folders", "'--train_split=train[:90%]' '--validation_split=t"),
        ("numbered_files", "--test_split=none"),
    ],
)
def test_the_command_says_what_is_next(tmp_path, monkeypatch, layout, option):
    synthetic.write(layout, tmp_path / "raw", data.COUNTS, seed=data.SEED)
    info = build(tmp_path / "raw", tmp_path / "data").info
    assert "citation=" in repr(info)
    monkeypatch.setattr(sys, "argv", ["tfds", "build"])
    text = repr(info)
    assert text.startswith("fer2013/original/1.1.0: train 14, ")
    assert f"\nin {tmp_path}/data/fer2013/original/1.1.0\n" in text
    last = text.splitlines()[-1]
    assert last.startswith("  python -m trainer --flagfile=edge.flags ")
    assert option in last
    assert last.endswith(f"--data_dir={tmp_path}/data")

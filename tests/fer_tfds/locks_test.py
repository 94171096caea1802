"""Tests of fer_tfds/locks.py: a second process is kept out, in words."""

import os
import signal
import subprocess
import sys

import pytest

from fer_tfds import locks
from tests.commands.command_line import ROOT

HOLD = """
import pathlib, sys
from fer_tfds import locks
with locks.hold_folder(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds the folder `run`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / "run"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_lock_is_held_once(tmp_path):
    path = tmp_path / "lock"
    with (
        locks.only_one(path),
        pytest.raises(BlockingIOError),
        locks.only_one(path, wait=False),
    ):
        pass
    with locks.only_one(path, wait=False):
        pass


def test_a_folder_in_use_names_who_uses_it(tmp_path, holder):
    folder = tmp_path / "run"
    message = rf"run is in use: process {holder.pid} on .* since 20"
    for _ in range(2):
        with (
            pytest.raises(locks.InUseError, match=message),
            locks.hold_folder(folder),
        ):
            pass
    holder.communicate("")
    assert not folder.exists()
    with locks.hold_folder(folder):
        assert os.listdir(folder) == [locks.LOCK]
        (folder / "kept").touch()
    assert os.listdir(folder) == ["kept"]


def test_a_lock_goes_with_its_process(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with locks.hold_folder(tmp_path / "run"):
        assert (tmp_path / "run" / locks.LOCK).exists()

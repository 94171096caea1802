"""Tests of trainer/console.py: what a command's process is given and shows."""

import errno
import os
import signal
import sys

import pytest

from tests.commands.command_line import python
from trainer import console
from trainer import exit_codes
from trainer import files
from trainer import loop

OPS = "TF_ENABLE_ONEDNN_OPTS"
COMMAND = """
import os
import sys
from absl import flags
from trainer import console
flags.FLAGS(sys.argv)
console.load_tensorflow()
from tensorflow.python.framework import test_util
print(test_util.IsMklEnabled(), os.environ["TF_ENABLE_ONEDNN_OPTS"])
"""


@pytest.mark.parametrize(("given", "found"), [(None, "1"), ("0", "0")])
def test_onednn_is_on_unless_its_variable_says_otherwise(given, found):
    done = python("-c", COMMAND, env={OPS: given})
    assert done.stdout.split() == [str(found == "1"), found]
    assert "oneDNN" not in done.stderr


def test_output_goes_to_the_end_of_a_file_and_comes_back(tmp_path, capfd):
    path = tmp_path / "log"
    path.write_text("before\n")
    with (
        pytest.raises(RuntimeError, match="stop"),
        console.output_to(path, 1, 2),
    ):
        os.write(1, b"to 1\n")
        os.write(2, b"to 2\n")
        raise RuntimeError("stop")
    with console.output_to(path, 1):
        pass
    os.write(1, b"after\n")
    assert path.read_text().splitlines() == ["before", "to 1", "to 2"]
    assert capfd.readouterr() == ("after\n", "")


@pytest.fixture
def quiet_errors(monkeypatch):
    monkeypatch.setattr(console, "load_tensorflow", lambda: None)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (loop.DivergenceError("whatever it says"), exit_codes.DIVERGED),
        (OSError(errno.ENOSPC, "full"), exit_codes.DISK_FULL),
        (OSError(errno.EDQUOT, "quota"), exit_codes.DISK_FULL),
        (files.NoSpaceError("whatever it says"), exit_codes.DISK_FULL),
        (OSError(errno.EACCES, "make room"), exit_codes.FAILED),
        (ZeroDivisionError("the training loss is"), exit_codes.FAILED),
        (ValueError("make room"), exit_codes.FAILED),
    ],
    ids=repr,
)
@pytest.mark.usefixtures("quiet_errors")
def test_the_kind_of_error_chooses_the_exit_code(error, code, capsys):
    def fail():
        raise error

    assert console.run_command(fail) == code
    assert capsys.readouterr().err.startswith("error: ")


def test_exit_codes_differ_and_leave_pythons_own_alone():
    codes = [0, exit_codes.FAILED, 2, exit_codes.DIVERGED, exit_codes.DISK_FULL]
    assert len(set(codes)) == len(codes)


@pytest.mark.usefixtures("quiet_errors")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)]
)
def test_a_signal_says_where_the_work_stands(number, code, capsys):
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]

    def work():
        with console.told_when_stopped(lambda: "2 of 3 are kept"):
            signal.raise_signal(number)

    assert console.run_command(work) == code
    said = capsys.readouterr().err
    assert said == f"stopped by {number.name}: 2 of 3 are kept\n"
    after = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    assert after == before


@pytest.mark.usefixtures("quiet_errors")
def test_a_signal_before_any_work_says_so(capsys):
    assert console.run_command(lambda: signal.raise_signal(signal.SIGTERM))
    said = capsys.readouterr().err
    assert said == "stopped by SIGTERM: nothing was written\n"

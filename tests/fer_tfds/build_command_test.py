"""How `tfds build` ends: one message for errors, signals and full disks."""

import errno
import io
import os
import signal
import sys

import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from absl import logging

from fer_tfds import build_command
from fer_tfds.sources.records import SourceError


@pytest.fixture
def command(monkeypatch):
    """This process as the command; how the command ends, for an error."""
    monkeypatch.setattr(sys, "argv", ["/usr/bin/tfds", "build"])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(tfds, "disable_progress_bar", lambda: None)
    verbosity = logging.get_verbosity()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in signals]
    build_command.take_over()
    yield lambda error: sys.excepthook(type(error), error, None)
    logging.set_verbosity(verbosity)
    for number, handler in zip(signals, before, strict=True):
        signal.signal(number, handler)


def noted(error):
    error.add_note("it is not built")
    return error


FULL = "error: no room to write ("


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (SourceError("x.csv, line 3: wrong."), "error: x.csv, line 3: wrong."),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), FULL),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "x"), FULL),
        (RuntimeError("Beam says:\nOSError: File too large [Write]"), FULL),
        (tf.errors.UnknownError(None, None, "x; Disk quota exceeded"), FULL),
        (PermissionError(13, "Permission denied", "x"), "error: x: Permission"),
        (tf.errors.NotFoundError(None, None, "gone"), "error: gone"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_foreseen_is_one_message(command, capsys, error, message):
    command(noted(error))
    text = capsys.readouterr().err
    assert text.startswith(message)
    assert text.count("\n") == 1
    assert ("): it is not built" in text) == (message == FULL)


def test_what_is_not_foreseen_keeps_its_traceback(command, capsys):
    command(TypeError("a mistake of ours"))
    assert "TypeError: a mistake of ours" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_one_message_and_its_exit_code(
    command, capsys, monkeypatch, number
):
    monkeypatch.setattr(build_command, "_stopped_by", [])
    with pytest.raises(KeyboardInterrupt) as caught:
        os.kill(os.getpid(), number)
    # A second one ends the process at once.
    assert signal.getsignal(number) == signal.SIG_DFL
    # Beam makes an error of its own of what it is interrupted by.
    for error in (caught.value, RuntimeError("KeyboardInterrupt [Write]")):
        with pytest.raises(SystemExit) as ended:
            command(noted(error))
        assert ended.value.code == 128 + number
        text = capsys.readouterr().err
        assert text == f"stopped by {number.name}: it is not built\n"


def test_names_that_the_terminal_lacks_are_escaped(command, monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), "cp1252")
    monkeypatch.setattr(sys, "stdout", stream)
    build_command.take_over()
    print("\u0441 is happy", flush=True)
    assert stream.buffer.getvalue() == b"\\u0441 is happy\n"


def test_other_programs_keep_what_they_have(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["program.py"])
    hooks = (sys.excepthook, signal.getsignal(signal.SIGTERM))
    build_command.take_over()
    assert (sys.excepthook, signal.getsignal(signal.SIGTERM)) == hooks

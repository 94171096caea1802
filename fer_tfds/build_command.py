"""What a person sees of `tfds build`: how it ends, and nothing of its inside.

The command is TFDS's own, and imports the builders. They take over what Python
does with signals, and with an error that nobody has caught; other programs that
use a builder keep their tracebacks.
"""

import errno
import os
import pathlib
import shlex
import signal
import sys
import types

import tensorflow as tf
import tensorflow_datasets as tfds
from absl import logging

_FORESEEN = (ValueError, OSError, tf.errors.OpError)
# No space, no quota, and a file beyond the size that the system allows.
_DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


# Signals that came. Beam turns what a signal raises into an error of its own.
_stopped_by: list[signal.Signals] = []


def is_running() -> bool:
    """Whether this process is the command."""
    return os.path.basename(sys.argv[0]) == "tfds"


def take_over() -> None:
    """Makes the command quiet, and an error or a signal one message."""
    if not is_running():
        return
    sys.excepthook = _end
    # Classes and pictures may be called what the terminal cannot show.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    logging.set_verbosity(logging.ERROR)
    if not sys.stderr.isatty():
        tfds.disable_progress_bar()


def summary(info: tfds.core.DatasetInfo) -> str:
    """What is prepared, where it is, and which command trains on it."""
    counts = {name: s.num_examples for name, s in info.splits.items()}
    listed = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    name = info.full_name.rsplit("/", 1)[0]
    options = [] if name == "fer2013/original" else [f"--dataset={name}"]
    if "validation" not in counts:
        options += ["--train_split=train[:90%]"]
        options += ["--validation_split=train[90%:]"]
    if "test" not in counts:
        options += ["--test_split=none"]
    folder = pathlib.Path(info.data_dir).absolute()
    root = folder.parents[info.full_name.count("/")]
    if root != pathlib.Path(tfds.core.constants.DATA_DIR).expanduser():
        options += [f"--data_dir={root}"]
    recipe = "adapt" if name.startswith("image_folder") else "edge"
    return (
        f"{info.full_name}: {listed}\nin {folder}\nTrain on it:\n"
        f"  python -m trainer --flagfile={recipe}.flags {shlex.join(options)}"
    )


def _stop(number: int, _: types.FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)  # a second one ends at once
    _stopped_by.append(signal.Signals(number))
    raise KeyboardInterrupt


def _end(
    kind: type[BaseException],
    error: BaseException,
    trace: types.TracebackType | None,
) -> None:
    """Says in one message how the process ends; an `excepthook`."""
    stands = "; ".join(getattr(error, "__notes__", ["nothing was written"]))
    for number in _stopped_by:
        print(f"stopped by {number.name}: {stands}", file=sys.stderr)
        raise SystemExit(128 + number)
    if reason := _why_disk_is_full(error):
        message = f"no room to write ({reason}): {stands}"
    elif isinstance(error, OSError) and error.filename:
        message = (
            f"{error.filename}: {error.strerror}. Give folders that are there "
            "and that you may write to: --data_dir=DIR, --manual_dir=DIR"
        )
    elif isinstance(error, _FORESEEN):
        message = str(error)
    else:
        sys.__excepthook__(kind, error, trace)
        return
    print(f"error: {message}", file=sys.stderr)


def _why_disk_is_full(error: BaseException) -> str:
    # TensorFlow and Beam pass the system's words on, but not its number.
    words = map(os.strerror, _DISK_IS_FULL)
    return next((word for word in words if word in str(error)), "")

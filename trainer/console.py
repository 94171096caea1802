"""What a command says on the screen, and how it says that it failed.

Called by the `__main__` files before TensorFlow is loaded, so this module
imports TensorFlow only inside functions.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

from absl import flags
from absl import logging

from trainer import exit_codes


class Stopped(KeyboardInterrupt):
    """Ctrl-C, or SIGTERM; its notes say where the work stands."""

    def __init__(self, number: int):
        super().__init__()
        self.signal = signal.Signals(number)


@contextlib.contextmanager
def told_when_stopped(stands: Callable[[], str]) -> Iterator[None]:
    """Adds to an interruption of the block where the work stands."""
    try:
        yield
    except Stopped as stop:
        stop.add_note(stands())
        raise


@contextlib.contextmanager
def _signals_raise() -> Iterator[None]:
    """Ctrl-C and SIGTERM raise `Stopped`; a second one ends the process."""

    def stop(number: int, _: Any) -> None:
        signal.signal(number, signal.SIG_DFL)
        raise Stopped(number)

    before = {
        number: signal.signal(number, stop)
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_stoppable(
    command: Callable[[], int | None], stands: str = "nothing was written"
) -> int:
    """Runs a command; Ctrl-C and SIGTERM become one line.

    Args:
      command: runs the command; returns an exit code, or None for 0.
      stands: where the work stands when nothing else was said of it.

    Returns:
      The exit code of the process, 128 and the number of the signal that
      stopped it.
    """
    try:
        with _signals_raise():
            return command() or 0
    except Stopped as stop:
        where = "; ".join(getattr(stop, "__notes__", [stands]))
        print(f"stopped by {stop.signal.name}: {where}", file=sys.stderr)
        return 128 + stop.signal


def run_command(command: Callable[[], int | None]) -> int:
    """Runs a command quietly; a foreseen error becomes one message.

    Args:
      command: runs the command; returns an exit code, or None for 0.

    Returns:
      The exit code of the process, one of `trainer.exit_codes` after a
      foreseen error; otherwise as `run_stoppable`.
    """

    def load_and_run() -> int | None:
        load_tensorflow()
        return command()

    try:
        return run_stoppable(load_and_run)
    except (ValueError, OSError, ArithmeticError) as error:
        # What libraries say of half-written files while they are taken apart
        # would bury the message.
        sys.unraisablehook = sys.excepthook = lambda *_: None
        print(f"error: {_message(error)}", file=sys.stderr)
        return exit_codes.of(error)


def _message(error: Exception) -> str:
    if not exit_codes.is_disk_full(error):
        return str(error)
    return (
        f"no room to write ({os.strerror(error.errno)}). What was finished "
        "before is still there: make room and type the same command again"
    )


def load_tensorflow() -> None:
    """Loads TensorFlow with oneDNN and without its greetings.

    The greetings come before any log level is read, hence the redirection.
    `--verbosity=0` and TF_CPP_MIN_LOG_LEVEL=0 bring the later ones back;
    warnings show always.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # TensorFlow leaves oneDNN off on processors without AVX-512, where it
    # trained our networks up to three times as fast (docs/traps.md).
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    # app.run gives the flag a value of its own, so only `present` tells.
    if not flags.FLAGS["verbosity"].present:
        logging.set_verbosity(logging.WARNING)
    with output_to(os.devnull, 2):
        import tensorflow as tf

        tf.config.list_physical_devices()


@contextlib.contextmanager
def output_to(path: str | os.PathLike, *descriptors: int) -> Iterator[None]:
    """Sends output to the end of a file, what C++ code writes included.

    Args:
      path: a file; made when absent.
      *descriptors: 1 for standard output, 2 for standard error.
    """
    with contextlib.ExitStack() as undo, open(path, "ab") as target:
        _flush()
        for descriptor in descriptors:
            kept = os.dup(descriptor)
            undo.callback(os.close, kept)
            undo.callback(os.dup2, kept, descriptor)
            os.dup2(target.fileno(), descriptor)
        undo.callback(_flush)
        yield


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()

"""Keeps a second process out of a file or folder while the first one lives.

The system's own locks: they go with the process that holds them, whatever ends
it. Must not import TensorFlow.
"""

import contextlib
import datetime
import fcntl
import os
import pathlib
import socket
from collections.abc import Iterator
from typing import TextIO

LOCK = ".lock"


class InUseError(ValueError):
    """Another process works in the folder."""


@contextlib.contextmanager
def only_one(path: pathlib.Path, *, wait: bool = True) -> Iterator[None]:
    """Holds a lock file, which stays.

    Raises:
      BlockingIOError: another process holds it, and `wait` is False.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield


@contextlib.contextmanager
def hold_folder(folder: pathlib.Path, name: str = LOCK) -> Iterator[bool]:
    """Holds a folder, made where it is not there, by a file in it.

    Several processes may hold one by files of different names. Afterwards the
    file is gone, and so is a folder that was made for it and is empty.

    Yields:
      Whether it is held; false on a file system without locks.

    Raises:
      InUseError: another process holds it; the text says which.
    """
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    file, is_held = _locked(path)
    with file:
        now = datetime.datetime.now().strftime("%Y-%m-%d %H:%M:%S")
        file.truncate(0)
        file.write(
            f"process {os.getpid()} on {socket.gethostname()} since {now}"
        )
        file.flush()
        try:
            yield is_held
        finally:
            # While it is still held, so that nobody's new file goes.
            path.unlink(missing_ok=True)
            if is_new:
                with contextlib.suppress(OSError):
                    folder.rmdir()


def _locked(path: pathlib.Path) -> tuple[TextIO, bool]:
    """Opens a lock file and holds it; false where there are no locks."""
    while True:
        file = open(path, "a+", encoding="utf-8")  # noqa: SIM115
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_there = os.fstat(file.fileno()).st_nlink > 0
        except BlockingIOError as error:
            with file:
                file.seek(0)
                holder = file.read().strip() or "another process"
            raise InUseError(
                f"{path.parent} is in use: {holder}. Wait until it has ended, "
                "or stop it, or give another folder"
            ) from error
        except OSError:
            return file, False
        if is_there:
            return file, True
        file.close()  # Its holder deleted it as it ended: there is a new one.

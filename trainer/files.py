"""Files that are written as a whole or not at all."""

import contextlib
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterable
from collections.abc import Iterator

from trainer import exit_codes

MIB = 2**20


class NoSpaceError(OSError):
    """A disk has less room than is going to be needed."""

    exit_code = exit_codes.DISK_FULL


@contextlib.contextmanager
def write_aside(path: str | os.PathLike) -> Iterator[pathlib.Path]:
    """Gives a temporary path that becomes `path` when the block succeeds."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(
        tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent)
    )
    try:
        yield folder / path.name
        os.replace(folder / path.name, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check_space(folder: str | os.PathLike, needed: int) -> None:
    """Refuses a folder, existing or not, without so many bytes of free space.

    Raises:
      NoSpaceError: the text names the folder and both sizes.
    """
    there = pathlib.Path(folder).absolute()
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    if free < needed:
        raise NoSpaceError(
            f"{folder} needs {needed / MIB:,.1f} MiB and its disk has "
            f"{free / MIB:,.1f} MiB left: make room, or give another folder"
        )


def delete(folder: pathlib.Path, names: Iterable[str]) -> None:
    """Deletes what stands in a folder under some names, in their order.

    So it does what a killed `write_aside` left of them. Links are deleted, and
    not what they lead to.
    """
    for name in names:
        for path in (*folder.glob(f".{name}-*"), folder / name):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes a text file, all of it or nothing."""
    with write_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")

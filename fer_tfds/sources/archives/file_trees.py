"""Folders, zip and tar archives, all seen alike: relative names and bytes.

Nothing is extracted to disk and nothing is written. What the files mean is
the business of the readers of each data set.
"""

import collections
import contextlib
import io
import os
import stat
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from fer_tfds.sources.archives import tar_members
from fer_tfds.sources.archives import zip_and_tar
from fer_tfds.sources.archives.guarded_streams import MAX_UNPACKED_BYTES
from fer_tfds.sources.archives.guarded_streams import guard
from fer_tfds.sources.archives.tree_base import FileTree
from fer_tfds.sources.records import SourceError

# In how many ways one folder may be come to. A dozen folders with links to each
# other can be walked through in a billion ways, which all end.
_MAX_WAYS = 32

# The second one is that of a zip file without members.
_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")


def is_zip(path: Path) -> bool:
    """Whether a file begins like a zip archive, whatever comes after.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return file.read(4) in _ZIP_MAGICS


def open_tree(
    path: Path, max_unpacked_bytes: int = MAX_UNPACKED_BYTES
) -> FileTree | None:
    """Opens a folder, zip or tar(.gz), recognised by content.

    Args:
        path: a folder or file.
        max_unpacked_bytes: what all files of an archive may unpack to, in one
            run of `walk` or `streams`.

    Returns:
        The tree, to be used in a `with` statement; None when it is a file of
        another kind.

    Raises:
        SourceError: it cannot be opened, or is a damaged archive.
    """
    if path.is_dir():
        return _FolderTree(path)
    try:
        with path.open("rb") as file:
            is_zip = file.peek(4).startswith(_ZIP_MAGICS)
            is_tar = not is_zip and tar_members.is_tar(file, str(path))
    except OSError as error:
        raise SourceError(
            f"{path}: it cannot be read ({error}). Check that it is there and "
            "that you may read it."
        ) from error
    if is_zip:
        return zip_and_tar.open_zip(path, max_unpacked_bytes)
    if is_tar:
        return zip_and_tar.open_tar(path, max_unpacked_bytes)
    return None


class _FolderTree(FileTree):
    kind = "folder"

    def names(self) -> list[str]:
        found: list[str] = []
        num_seen = 0
        # Each folder comes with those above it: a link may lead to any other
        # folder, but following one back up would never end.
        waiting = [("", (_identity(self.path),))]
        num_ways: collections.Counter = collections.Counter()
        while waiting:
            prefix, above = waiting.pop()
            num_ways[above[-1]] += 1
            self._check_ways(prefix, num_ways[above[-1]])
            for entry in _scan(self.path / prefix):
                num_seen += 1
                self._check_number(num_seen)
                name = self._relative(prefix + entry.name)
                if name is None:
                    continue
                if _is_file(entry):
                    found.append(name)
                elif _is_dir(entry) and _identity(entry.path) not in above:
                    below = (*above, _identity(entry.path))
                    waiting.append((f"{name}/", below))
        return sorted(found)

    def _check_ways(self, name: str, number: int) -> None:
        if number > _MAX_WAYS:
            raise SourceError(
                f"{self.where(name)}: links lead to this folder in more than "
                f"{_MAX_WAYS} ways. Remove links, or copy the data to a folder "
                "without them."
            )

    def streams(
        self, is_wanted: Callable[[str], bool]
    ) -> Iterator[tuple[str, IO[bytes]]]:
        for name in filter(is_wanted, self.names()):
            with self.open(name) as stream:
                yield name, stream

    def where(self, name: str) -> str:
        return str(self.path / name)

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        try:
            # Names may come from a table, which may hold anything.
            path = os.path.join(self.path, self._relative(name) or "")
            # Opening a pipe would wait for somebody to write into it.
            if not stat.S_ISREG(os.stat(path).st_mode):
                raise self._absent(name)
            file = io.FileIO(path)
        except (OSError, ValueError) as error:
            raise self._absent(name) from error
        with file, guard(file, path) as stream:
            yield stream


def _is_file(entry: os.DirEntry) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link to itself
        return False


def _is_dir(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _identity(path: str | Path) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_dev, status.st_ino


def _scan(folder: Path) -> list[os.DirEntry]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise SourceError(
            f"{folder}: this folder cannot be read ({error}). Check that you "
            "may read it."
        ) from error

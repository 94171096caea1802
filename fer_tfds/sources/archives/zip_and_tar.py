"""Zip and tar archives as trees of files, without extracting anything.

What a header declares is never believed, names are for messages and ids only,
and whatever is wrong with an archive ends in one `SourceError`.
"""

import contextlib
import functools
import io
import stat
import zipfile
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from fer_tfds.sources.archives import tar_members
from fer_tfds.sources.archives.guarded_streams import MAX_UNPACKED_BYTES
from fer_tfds.sources.archives.guarded_streams import Budget
from fer_tfds.sources.archives.guarded_streams import damaged
from fer_tfds.sources.archives.guarded_streams import guard
from fer_tfds.sources.archives.tree_base import FileTree
from fer_tfds.sources.records import SourceError

# The list of members in a zip file, which the standard library reads in one
# piece; 64 MiB are about 600,000 pictures with names of usual length.
_MAX_ZIP_LIST_BYTES = 64 << 20

# Of these the standard library bounds what one call unpacks; the others it
# unpacks without a bound, or not at all.
_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED_FLAG = 0x1


def open_zip(path: Path, max_unpacked_bytes: int) -> FileTree:
    """Opens a zip file; see `file_trees.open_tree`."""
    return _ZipTree(path, max_unpacked_bytes)


def open_tar(path: Path, max_unpacked_bytes: int) -> FileTree:
    """Opens a tar archive, plain or gzip; see `file_trees.open_tree`."""
    return _TarTree(path, lambda: path.open("rb"), max_unpacked_bytes)


def open_tar_within(
    tree: FileTree, name: str, max_unpacked_bytes: int = MAX_UNPACKED_BYTES
) -> FileTree:
    """Opens a tar archive that is itself a file of an open tree."""
    return _TarTree(
        tree.path / name, lambda: tree.open(name), max_unpacked_bytes
    )


class _ZipTree(FileTree):
    kind = "zip archive"

    def __init__(self, path: Path, max_unpacked_bytes: int):
        super().__init__(path)
        self._max_unpacked_bytes = max_unpacked_bytes
        self._file = _CappedFile(io.FileIO(path))
        try:
            self._zip = zipfile.ZipFile(self._file)
        # Besides BadZipFile: struct.error, ValueError and others.
        except Exception as error:
            self._file.close()
            raise damaged(str(path), error) from error

    def close(self) -> None:
        self._zip.close()
        self._file.close()

    def names(self) -> list[str]:
        return sorted(self._members)

    def open(self, name: str) -> contextlib.AbstractContextManager[IO[bytes]]:
        return self._open(name, Budget(self.path, self._max_unpacked_bytes))

    def streams(
        self, is_wanted: Callable[[str], bool]
    ) -> Iterator[tuple[str, IO[bytes]]]:
        budget = Budget(self.path, self._max_unpacked_bytes)
        for name in filter(is_wanted, self.names()):
            with self._open(name, budget) as stream:
                yield name, stream

    @functools.cached_property
    def _members(self) -> dict[str, zipfile.ZipInfo]:
        members: dict[str, zipfile.ZipInfo] = {}
        for info in self._zip.infolist():
            # Programs on Windows have written backslashes.
            name = self._relative(info.filename.replace("\\", "/"))
            is_link = stat.S_ISLNK(info.external_attr >> 16)
            if name is None or info.is_dir() or is_link:
                continue
            if name in members:
                raise _twice(self.path, name)
            members[name] = info
        self._check_number(len(members))
        return members

    @contextlib.contextmanager
    def _open(self, name: str, budget: Budget) -> Iterator[IO[bytes]]:
        info = self._members.get(name)
        if info is None:
            raise self._absent(name)
        self._check_readable(info, name)
        try:
            packed = self._zip.open(info)
        except Exception as error:
            raise damaged(self.where(name), error) from error
        with packed, guard(packed, self.where(name), budget) as stream:
            yield stream

    def _check_readable(self, info: zipfile.ZipInfo, name: str) -> None:
        if info.flag_bits & _ENCRYPTED_FLAG:
            raise SourceError(
                f"{self.where(name)}: it is protected by a password. Unpack "
                "the archive yourself and give the folder."
            )
        if info.compress_type not in _ZIP_METHODS:
            raise SourceError(
                f"{self.where(name)}: compression method {info.compress_type} "
                "is not supported. Unpack the archive yourself and give the "
                "folder."
            )


class _TarTree(FileTree):
    kind = "tar archive"
    has_random_access = False

    def __init__(
        self,
        path: Path,
        open_archive: Callable[
            [], contextlib.AbstractContextManager[io.BufferedReader]
        ],
        max_unpacked_bytes: int,
    ):
        super().__init__(path)
        self._open_archive = open_archive
        self._max_unpacked_bytes = max_unpacked_bytes

    def names(self) -> list[str]:
        return sorted(name for name, _ in self.streams(lambda _: True))

    def open(self, name: str) -> contextlib.AbstractContextManager[IO[bytes]]:
        raise SourceError(
            f"{self.path}: a tar archive can only be read from its beginning, "
            "which is not enough here. Unpack it yourself and give the folder."
        )

    def streams(
        self, is_wanted: Callable[[str], bool]
    ) -> Iterator[tuple[str, IO[bytes]]]:
        seen: set[str] = set()
        budget = Budget(self.path, self._max_unpacked_bytes)
        with self._open_archive() as file:
            members = tar_members.tar_members(file, str(self.path), budget)
            for raw_name, stream in members:
                name = self._relative(raw_name)
                if name is None:
                    continue
                if name in seen:
                    raise _twice(self.path, name)
                seen.add(name)
                self._check_number(len(seen))
                if is_wanted(name):
                    yield name, stream


class _CappedFile(io.BufferedReader):
    """A zip file whose list of members must have a size that is possible."""

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size > _MAX_ZIP_LIST_BYTES:
            raise ValueError(f"a list of members of {size:,} bytes")
        return super().read(size)


def _twice(path: Path, name: str) -> SourceError:
    return SourceError(
        f"{path}: {name} is in it twice. Unpack it yourself, keep the right "
        "one and give the folder."
    )

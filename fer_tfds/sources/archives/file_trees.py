"""Folders, zip and tar archives, all seen alike: relative names and bytes.

Nothing is extracted to disk and nothing is written. What the files mean is
the business of the readers of each data set.
"""

import collections
import contextlib
import functools
import gzip
import io
import os
import stat
import tarfile
import types
import zipfile
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

from fer_tfds.sources.archives import trees
from fer_tfds.sources.archives.trees import FileTree
from fer_tfds.sources.records import SourceError

# In how many ways one folder may be come to. A dozen folders with links to each
# other can be walked through in a billion ways, which all end.
_MAX_WAYS = 32

# The second one is that of a zip file without members.
_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
# The list of members in a zip file, which the standard library reads in one
# piece; 64 MiB are about 600,000 pictures with names of usual length.
_MAX_ZIP_LIST_BYTES = 64 << 20
# Of these the standard library bounds what one call unpacks; the others it
# unpacks without a bound, or not at all.
_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED_FLAG = 0x1

_GZIP_MAGIC = b"\x1f\x8b"
# Headers of headers: a long name takes a few hundred bytes, extended attributes
# a few thousand. 64 KiB can be made to take Python 3.11.7 twelve seconds.
_MAX_EXTRA_BYTES = 1 << 14
_EXTRA_TYPES = (
    *(tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.XGLTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
)


def open_tree(path: Path) -> FileTree | None:
    """Opens a folder, zip or tar(.gz), told by content; None for other files.

    Raises:
        SourceError: it cannot be opened, or is a damaged archive.
    """
    if path.is_dir():
        return _FolderTree(path)
    try:
        if is_zip(path):
            return _ZipTree(path)
        with path.open("rb") as file:
            has_tar = is_tar(file, str(path))
    except OSError as error:
        raise SourceError(
            f"{path}: it cannot be read ({error}). Check that it is there and "
            "that you may read it."
        ) from error
    return _TarTree(path, lambda: path.open("rb")) if has_tar else None


def open_tar_within(tree: FileTree, name: str) -> FileTree:
    """Opens a tar archive that is itself a file of an open tree."""
    return _TarTree(tree.path / name, lambda: tree.open(name))


def is_zip(path: Path) -> bool:
    """Whether a file begins like a zip archive; may raise `OSError`."""
    with path.open("rb") as file:
        return file.read(4) in _ZIP_MAGICS


def is_tar(stream: io.BufferedReader, source: str) -> bool:
    """Whether a stream, which is read, is a tar archive, plain or gzip.

    Raises:
        SourceError: it is gzip, but so damaged that this cannot be told.
    """
    with trees.damage_in(source), _unzip(stream) as plain:
        block = plain.read(tarfile.BLOCKSIZE)
    try:
        tarfile.TarInfo.frombuf(block, tarfile.ENCODING, "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        return False
    return True


class _FolderTree(FileTree):
    kind = "folder"

    def names(self) -> list[str]:
        try:
            return sorted(self._walk())
        except OSError as error:
            raise SourceError(
                f"{error.filename}: this folder cannot be read ({error}). "
                "Check that you may read it."
            ) from error

    def where(self, name: str) -> str:
        return str(self.path / name)

    @contextlib.contextmanager
    def open(
        self, name: str, bounds: trees.Bounds | None = None
    ) -> Iterator[io.BufferedReader]:
        try:
            # Names may come from a table, which may hold anything.
            inside = trees.Bounds(self.path).add(name) or ""
            path = os.path.join(self.path, inside)
            # Opening a pipe would wait for somebody to write into it.
            if not stat.S_ISREG(os.stat(path).st_mode):
                raise self._absent(name)
            file = io.FileIO(path)
        except (OSError, ValueError) as error:
            raise self._absent(name) from error
        with file, trees.guard(file.read, path) as stream:
            yield stream

    def _walk(self) -> Iterator[str]:
        bounds = trees.Bounds(self.path)
        ways: collections.Counter = collections.Counter()
        # Each folder comes with those above it: a link may lead to any other
        # folder, but following one back up would never end.
        waiting = [("", (_identity(self.path),))]
        while waiting:
            prefix, above = waiting.pop()
            ways[above[-1]] += 1
            if ways[above[-1]] > _MAX_WAYS:
                raise bounds.too_many()
            with os.scandir(self.path / prefix) as entries:
                for entry in entries:
                    name = bounds.add(prefix + entry.name)
                    kind = _kind(entry) if name else None
                    if kind == "file":
                        yield name
                    elif kind and (place := _identity(entry)) not in above:
                        waiting.append((f"{name}/", (*above, place)))


def _kind(entry: os.DirEntry) -> str | None:
    with contextlib.suppress(OSError):  # a link to itself
        return "file" if entry.is_file() else "dir" if entry.is_dir() else None
    return None


def _identity(path: os.DirEntry | Path) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_dev, status.st_ino


class _CappedFile(io.BufferedReader):
    """A zip file whose list of members must have a size that is possible."""

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size > _MAX_ZIP_LIST_BYTES:
            raise ValueError(f"a list of members of {size:,} bytes")
        return super().read(size)


class _ZipTree(FileTree):
    kind = "zip archive"

    def __init__(self, path: Path):
        super().__init__(path)
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(_CappedFile(io.FileIO(path)))
            with trees.damage_in(str(path)):
                self._zip = stack.enter_context(zipfile.ZipFile(file))
            self._files = stack.pop_all()

    def __exit__(self, *error: object) -> None:
        self._files.close()

    def names(self) -> list[str]:
        return sorted(self._members)

    @contextlib.contextmanager
    def open(
        self, name: str, bounds: trees.Bounds | None = None
    ) -> Iterator[io.BufferedReader]:
        if name not in self._members:
            raise self._absent(name)
        where, info = self.where(name), self._members[name]
        is_locked = info.flag_bits & _ENCRYPTED_FLAG
        if is_locked or info.compress_type not in _ZIP_METHODS:
            by = "a password" if is_locked else f"method {info.compress_type}"
            raise SourceError(
                f"{where}: it is packed with {by}, which is not supported. "
                "Unpack the archive yourself and give the folder."
            )
        with trees.damage_in(where):
            packed = self._zip.open(info)
        bounds = bounds or trees.Bounds(self.path)
        read = functools.partial(bounds.read, packed)
        with packed, trees.guard(read, where) as stream:
            yield stream

    @functools.cached_property
    def _members(self) -> dict[str, zipfile.ZipInfo]:
        bounds = trees.Bounds(self.path)
        members: dict[str | None, zipfile.ZipInfo] = {}
        for info in self._zip.infolist():
            # Programs on Windows have written backslashes.
            name = info.filename.replace("\\", "/")
            is_link = stat.S_ISLNK(info.external_attr >> 16)
            if not name.endswith("/") and not is_link:
                members[bounds.add(name)] = info
        members.pop(None, None)
        return members


class _TarTree(FileTree):
    kind = "tar archive"
    has_random_access = False

    def __init__(self, path: Path, open_archive: Callable[[], trees.Content]):
        super().__init__(path)
        self._open_archive = open_archive

    def names(self) -> list[str]:
        return sorted(name for name, _ in self.streams(lambda _: True))

    def streams(
        self, is_wanted: Callable[[str], bool]
    ) -> Iterator[tuple[str, io.BufferedReader]]:
        bounds = trees.Bounds(self.path)
        with self._open_archive() as file, trees.damage_in(str(self.path)):
            for raw_name, content in _read_members(file, bounds):
                name = bounds.add(raw_name)
                if name and is_wanted(name):
                    yield name, trees.guard(content.read, self.where(name))


def _unzip(stream: io.BufferedReader) -> trees.Content:
    if stream.peek(2).startswith(_GZIP_MAGIC):
        return gzip.open(stream)
    return contextlib.nullcontext(stream)


def _read_members(
    file: io.BufferedReader, bounds: trees.Bounds
) -> Iterator[tuple[str, io.BufferedReader]]:
    """Yields name and content; compares the checksum at the end."""
    with _unzip(file) as plain:

        def read(num_bytes: int) -> bytes:
            if data := bounds.read(plain, num_bytes):
                return data
            raise EOFError("unexpected end of data")

        source = types.SimpleNamespace(read=read)
        with tarfile.open(
            fileobj=source, mode="r|", tarinfo=_Header, encoding="utf-8"
        ) as tar:
            while (info := tar.next()) is not None:
                tar.members.clear()  # Else they would all be kept.
                tar.pax_headers.clear()
                if info.isreg():
                    yield info.name, tar.extractfile(info)
        while bounds.read(plain, trees.BUFFER_BYTES):
            pass


class _Header(tarfile.TarInfo):
    """Raises what the standard library would take for the archive's end."""

    @classmethod
    def fromtarfile(cls, tar: tarfile.TarFile) -> tarfile.TarInfo:
        try:
            info = super().fromtarfile(tar)
        except tarfile.EOFHeaderError:
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from error
        if info.size < 0 or info.issparse():
            raise tarfile.ReadError("negative size, or a sparse file")
        return info

    @classmethod
    def frombuf(cls, buf: bytes, encoding: str, errors: str) -> tarfile.TarInfo:
        info = super().frombuf(buf, encoding, errors)
        is_extra = info.type in _EXTRA_TYPES
        if is_extra and not 0 <= info.size <= _MAX_EXTRA_BYTES:
            raise tarfile.ReadError(f"a header of {info.size:,} bytes")
        if info.type == tarfile.GNUTYPE_SPARSE:
            raise tarfile.ReadError("a sparse file")
        return info

    def _proc_gnusparse_10(self, *_: object) -> None:
        raise tarfile.ReadError("a sparse file")  # its map may be endless

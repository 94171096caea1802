"""What folders and archives have in common: names, bytes and their bounds.

Names end up in ids and messages, so those that no honest copy has are refused;
what a header declares is not believed. `file_trees` has the kinds of trees.
"""

import abc
import contextlib
import io
import re
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

from fer_tfds.sources.records import SourceError

# What all members of an archive may unpack to. The challenge's archive, the
# largest form of FER-2013, unpacks to 301 MB.
MAX_UNPACKED_BYTES = 4 << 30
# More than twice the files of AffectNet, the largest data set read here.
MAX_FILES = 2_000_000
BUFFER_BYTES = 1 << 16

_MAX_NAME_CHARS = 1024
# Droppings of file managers; names that begin with a dot are left out as well.
_JUNK = ("__macosx", "thumbs.db", "desktop.ini")
# Control characters; bytes that are not UTF-8 come as surrogates.
_NO_TEXT = re.compile("[\0-\x1f\x7f\ud800-\udfff]")

Content = contextlib.AbstractContextManager[io.BufferedReader]


class Bounds:
    """The names and bytes that one pass through a tree may come upon."""

    def __init__(self, path: Path):
        self._path = path
        self._num_bytes = 0
        self._names: set[str] = set()

    def add(self, name: str) -> str | None:
        """The name in one spelling; None for hidden files, junk and no name.

        Raises:
            SourceError: it leads out, is no text or there already; or it is
                one too many.
        """
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if name.startswith("/") or ".." in parts or name[1:3] == ":/":
            raise self._refused(name, "leads out of it")
        is_junk = any(p[0] == "." or p.lower() in _JUNK for p in parts)
        if is_junk or not parts:
            return None
        if len(name) > _MAX_NAME_CHARS or _NO_TEXT.search(name):
            raise self._refused(name, "is too long or cannot be shown")
        relative = "/".join(parts)
        if relative in self._names:
            raise self._refused(relative, "is in it twice")
        if len(self._names) == MAX_FILES:
            raise self.too_many()
        self._names.add(relative)
        return relative

    def read(self, stream: io.BufferedIOBase, num_bytes: int) -> bytes:
        """Reads and counts; a `SourceError` if it is too much in all."""
        data = stream.read(num_bytes)
        self._num_bytes += len(data)
        if self._num_bytes > MAX_UNPACKED_BYTES:
            raise SourceError(
                f"{self._path}: it unpacks to more than {MAX_UNPACKED_BYTES:,} "
                "bytes, as no copy of the data does. Get it again."
            )
        return data

    def too_many(self) -> SourceError:
        """The error for more files, or links, than any data set has."""
        return SourceError(
            f"{self._path}: more than {MAX_FILES:,} files in here, or links "
            "to one folder in too many ways. Give the folder that holds "
            "nothing but the data."
        )

    def _refused(self, name: str, problem: str) -> SourceError:
        return SourceError(
            f"{self._path}: the name {name[:200]!r} {problem}, as none in an "
            "honest copy. Get it from another place, or rename or remove that "
            "file."
        )


class FileTree(contextlib.AbstractContextManager):
    """A folder, a zip or a tar archive, to be used in a `with` statement.

    A folder and a zip file are cheap to open, so that each of many processes
    can open its own.

    Attributes:
        path: the folder or archive, for messages.
        kind: what it is, in words.
        has_random_access: whether `open` and `read` work.
    """

    kind = ""
    has_random_access = True

    def __init__(self, path: Path):
        self.path = path

    def __exit__(self, *error: object) -> None:
        """Most trees hold nothing open."""

    @abc.abstractmethod
    def names(self) -> list[str]:
        """Names of all regular files, with forward slashes, sorted.

        Raises:
            SourceError: the archive is damaged; a name leads out, comes twice
                or is no text; there are too many files or links.
        """

    def open(self, name: str, bounds: Bounds | None = None) -> Content:
        """Opens one file as a stream that raises `SourceError` for damage.

        Raises:
            SourceError: it is absent or encrypted, or in a tar archive.
        """
        raise SourceError(
            f"{self.path}: a {self.kind} can only be read from its beginning, "
            "which is not enough here. Unpack it yourself and give the folder."
        )

    def streams(
        self, is_wanted: Callable[[str], bool]
    ) -> Iterator[tuple[str, io.BufferedReader]]:
        """Opens the wanted files one after the other, in a tar in its order.

        Yields:
            Name, and content as a stream that ends with the next step.

        Raises:
            SourceError: as `names` and `open` do, or all are too large.
        """
        bounds = Bounds(self.path)
        for name in filter(is_wanted, self.names()):
            with self.open(name, bounds) as stream:
                yield name, stream

    def walk(
        self, is_wanted: Callable[[str], bool], max_bytes: int
    ) -> Iterator[tuple[str, bytes]]:
        """As `streams`, with the contents; `SourceError` for a larger one."""
        for name, stream in self.streams(is_wanted):
            yield name, _read_all(stream, self.where(name), max_bytes)

    def read(self, name: str, max_bytes: int) -> bytes:
        """The content of one file; `SourceError` as `open`, or if larger."""
        with self.open(name) as stream:
            return _read_all(stream, self.where(name), max_bytes)

    def where(self, name: str) -> str:
        """How messages call one file."""
        return f"{self.path} ({name})"

    def _absent(self, name: str) -> SourceError:
        return SourceError(
            f"{self.where(name)}: there is no such file. Get the complete data "
            "set and build again."
        )


def _read_all(stream: io.BufferedReader, where: str, max_bytes: int) -> bytes:
    pieces: list[bytes] = []
    left = max_bytes + 1
    # In pieces: what is asked for is reserved, however little comes.
    while piece := stream.read(min(left, BUFFER_BYTES)):
        pieces.append(piece)
        left -= len(piece)
    if not left:
        raise SourceError(
            f"{where}: expected a file of at most {max_bytes:,} bytes, it is "
            "larger. Get the file again."
        )
    return b"".join(pieces)


class _Guarded(io.RawIOBase):
    def __init__(self, read: Callable[[int], bytes], source: str):
        self._read = read
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        with damage_in(self._source):
            data = self._read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def guard(read: Callable[[int], bytes], source: str) -> io.BufferedReader:
    """What `read` gives, as a stream that raises `SourceError` for damage."""
    return io.BufferedReader(_Guarded(read, source), BUFFER_BYTES)


@contextlib.contextmanager
def damage_in(source: str) -> Iterator[None]:
    """Makes any error inside a `SourceError` that says what is damaged."""
    try:
        yield
    except SourceError:
        raise
    # The standard library raises a dozen kinds of errors for what is cut or
    # overwritten, and promises none of them.
    except Exception as error:
        # Some of them quote all of a name, which may take 64 KB.
        raise SourceError(
            f"{source}: it is cut short or damaged ({str(error)[:300]}). Copy "
            "or download it again, then build again."
        ) from error


def check_path(path: Path) -> None:
    """Raises `SourceError` where the path of raw data cannot be printed."""
    if _NO_TEXT.search(str(path)):
        raise SourceError(
            f"{path}: this path holds characters that cannot be shown. Rename "
            "the file or folder and build again."
        )

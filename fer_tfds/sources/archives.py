"""Files inside tar archives, read as a stream.

Nothing is ever extracted to disk and member names are never used as paths:
a member counts for what its first bytes say.
"""

import contextlib
import gzip
import tarfile
import zlib
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from typing import NamedTuple

from fer_tfds.sources.records import SourceError

_GZIP_MAGIC = b"\x1f\x8b"
_DRAIN_BYTES = 1 << 20

# What the standard library raises for an archive that is cut or overwritten.
_DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError)


class Member(NamedTuple):
    """A file inside an archive; the name is for messages only."""

    name: str
    stream: IO[bytes]


def is_tar(path: Path) -> bool:
    """Whether a file is a tar archive, plain or compressed with gzip.

    Raises:
        SourceError: it is gzip, but so damaged that this cannot be told.
    """
    with _explain_damage(path), _open_unzipped(path) as stream:
        block = stream.read(tarfile.BLOCKSIZE)
    try:
        tarfile.TarInfo.frombuf(block, tarfile.ENCODING, "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def has_member(path: Path, is_wanted: Callable[[bytes], bool]) -> bool:
    """Whether a tar archive has a member that `is_wanted` accepts.

    Arguments and errors are those of `open_member`.
    """
    with _explain_damage(path), _open_tar(path) as (tar, _):
        return _find_member(tar, is_wanted) is not None


@contextlib.contextmanager
def open_member(
    path: Path, is_wanted: Callable[[bytes], bool]
) -> Iterator[Member]:
    """Opens the first member of a tar archive that `is_wanted` accepts.

    When the body of the `with` statement is done, the rest of the archive is
    read as well, so that its checksum has been verified in the end.

    Args:
        path: a tar archive, plain or compressed with gzip.
        is_wanted: tells from a member's first bytes (some thousands, fewer
            when it is smaller) whether it is the one.

    Yields:
        The member: its name, and its bytes as a stream.

    Raises:
        SourceError: the archive is cut short or damaged, or no member is
            wanted.
    """
    with _explain_damage(path), _open_tar(path) as (tar, stream):
        member = _find_member(tar, is_wanted)
        if member is None:
            raise SourceError(f"{path}: the wanted file is not in it.")
        yield member
        while stream.read(_DRAIN_BYTES):
            pass


def _find_member(
    tar: tarfile.TarFile, is_wanted: Callable[[bytes], bool]
) -> Member | None:
    for info in tar:
        stream = tar.extractfile(info) if info.isreg() else None
        if stream is not None and is_wanted(stream.peek()):
            return Member(info.name, stream)
    return None


@contextlib.contextmanager
def _open_tar(path: Path) -> Iterator[tuple[tarfile.TarFile, IO[bytes]]]:
    # "r:" and not the stream mode "r|", whose members lack what a text wrapper
    # needs; reading in order never seeks backwards either way.
    with (
        _open_unzipped(path) as stream,
        tarfile.open(fileobj=stream, mode="r:") as tar,
    ):
        yield tar, stream


@contextlib.contextmanager
def _open_unzipped(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        is_gzip = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        file.seek(0)
        if not is_gzip:
            yield file
            return
        with gzip.open(file) as unzipped:
            yield unzipped


@contextlib.contextmanager
def _explain_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise SourceError(
            f"{path}: the archive is cut short or damaged ({error}). Copy or "
            "download it again, then build again."
        ) from error

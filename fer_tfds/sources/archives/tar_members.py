"""The files in a tar archive, as streams, one after the other.

The standard library's own loop keeps every header and reads what headers
declare in one piece; this one holds one block at a time. Which members are of
use is not decided here, and nothing is written.
"""

import contextlib
import gzip
import io
import tarfile
from collections.abc import Iterator
from typing import IO

from fer_tfds.sources.archives.guarded_streams import BUFFER_BYTES
from fer_tfds.sources.archives.guarded_streams import Budget
from fer_tfds.sources.archives.guarded_streams import damaged
from fer_tfds.sources.archives.guarded_streams import guard
from fer_tfds.sources.records import SourceError

_GZIP_MAGIC = b"\x1f\x8b"

_BLOCK = tarfile.BLOCKSIZE
_END_BLOCK = bytes(_BLOCK)
# Headers that belong to the next member: a long name takes a few hundred
# bytes, extended attributes a few thousand.
_MAX_EXTRA_HEADER_BYTES = 1 << 16
_PAX_TYPES = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
_EXTRA_TYPES = (
    *_PAX_TYPES,
    tarfile.XGLTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
_TYPES_WITHOUT_DATA = (
    tarfile.LNKTYPE,
    tarfile.SYMTYPE,
    tarfile.DIRTYPE,
    tarfile.FIFOTYPE,
    tarfile.CHRTYPE,
    tarfile.BLKTYPE,
)


def is_tar(stream: io.BufferedReader, source: str) -> bool:
    """Whether a stream is a tar archive, plain or compressed with gzip.

    Some of the stream has been read afterwards.

    Raises:
        SourceError: it is gzip, but so damaged that this cannot be told.
    """
    with _unzip(stream, source, None) as unzipped:
        block = unzipped.read(_BLOCK)
    try:
        tarfile.TarInfo.frombuf(block, tarfile.ENCODING, "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        return False
    return True


def tar_members(
    stream: io.BufferedReader, source: str, budget: Budget
) -> Iterator[tuple[str, IO[bytes]]]:
    """Goes through the regular files of a tar archive, once and in order.

    At the end the rest of the stream is read as well, so that its checksum
    has been verified.

    Args:
        stream: the archive, plain or compressed with gzip, at its start.
        source: how errors call it.
        budget: counts all bytes of the unpacked archive.

    Yields:
        Name as it stands in the archive, and the bytes as a stream that ends
        with the next step.

    Raises:
        SourceError: the archive is cut short or damaged, or too large.
    """
    with _unzip(stream, source, budget) as unzipped:
        extra: dict[str, str] = {}
        while (info := _read_header(unzipped, source)) is not None:
            if info.type in _EXTRA_TYPES:
                extra |= _read_extra(unzipped, info, source)
                continue
            size = int(extra.get("size", info.size))
            body = _Section(unzipped, 0 if _is_empty(info) else size, source)
            if info.type in tarfile.REGULAR_TYPES:
                _refuse_sparse(info, extra, source)
                name = extra.get("path", info.name)
                yield name, io.BufferedReader(body, BUFFER_BYTES)
            extra = {}
            body.skip()
        while unzipped.read(BUFFER_BYTES):
            pass


class _Section(io.RawIOBase):
    """The bytes of one member of a tar archive."""

    def __init__(self, stream: IO[bytes], size: int, source: str) -> None:
        if size < 0:
            raise damaged(source, "negative size")
        self._stream = stream
        self._source = source
        self._left = size
        self._padding = -size % _BLOCK

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        data = self._take(min(len(buffer), self._left))
        buffer[: len(data)] = data
        return len(data)

    def read_small(self) -> bytes:
        if self._left > _MAX_EXTRA_HEADER_BYTES:
            raise damaged(self._source, f"a header of {self._left:,} bytes")
        return self._take(self._left)

    def skip(self) -> None:
        self._left += self._padding
        while self._left:
            self._take(min(BUFFER_BYTES, self._left))

    def _take(self, num_bytes: int) -> bytes:
        data = self._stream.read(num_bytes)
        if len(data) < num_bytes:
            raise damaged(self._source, "unexpected end of data")
        self._left -= num_bytes
        return data


@contextlib.contextmanager
def _unzip(
    stream: io.BufferedReader, source: str, budget: Budget | None
) -> Iterator[IO[bytes]]:
    if not stream.peek(len(_GZIP_MAGIC)).startswith(_GZIP_MAGIC):
        yield guard(stream, source, budget)
        return
    with gzip.open(stream) as unzipped:
        yield guard(unzipped, source, budget)


def _read_header(stream: IO[bytes], source: str) -> tarfile.TarInfo | None:
    block = stream.read(_BLOCK)
    if block == _END_BLOCK:
        return None
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError) as error:
        raise damaged(source, error) from error


def _read_extra(
    stream: IO[bytes], info: tarfile.TarInfo, source: str
) -> dict[str, str]:
    """Reads a header that says more about the next member."""
    body = _Section(stream, info.size, source)
    content = body.read_small()
    body.skip()
    if info.type in _PAX_TYPES:
        return _parse_pax(content, source)
    if info.type == tarfile.GNUTYPE_LONGNAME:
        name = content.partition(b"\0")[0]
        return {"path": name.decode(errors="surrogateescape")}
    return {}


def _is_empty(info: tarfile.TarInfo) -> bool:
    # Some writers put the size of the target into the header of a link.
    return info.type in _TYPES_WITHOUT_DATA


def _refuse_sparse(
    info: tarfile.TarInfo, extra: dict[str, str], source: str
) -> None:
    is_sparse = info.type == tarfile.GNUTYPE_SPARSE
    if is_sparse or any(key.startswith("GNU.sparse") for key in extra):
        raise SourceError(
            f"{source}: {info.name!r} is stored as a sparse file, which is not "
            "supported. Pack the data again without sparse files."
        )


def _parse_pax(content: bytes, source: str) -> dict[str, str]:
    """Parses the records `<length> <key>=<value>` of an extended header."""
    records = {}
    try:
        while content.rstrip(b"\0"):
            length = int(content[: content.index(b" ")])
            record = content[content.index(b" ") + 1 : length].decode()
            key, equals, value = record.removesuffix("\n").partition("=")
            if length < 1 or not equals:
                raise ValueError(f"{record[:40]!r} is no record")
            records[key] = value
            content = content[length:]
        int(records.get("size", 0))
    except ValueError as error:
        raise damaged(source, f"extended header: {error}") from error
    return records

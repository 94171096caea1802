"""The text of a table, in the encodings in which programs save it."""

import contextlib
import gzip
import io
import zlib

from fer_tfds.sources.records import SourceError

MAX_BYTES = 1 << 28
_GZIP = b"\x1f\x8b"
_MARKS = (b"\xff\xfe", b"\xfe\xff")
# A few names of columns, packed or not.
_MAX_HEADER_BYTES = 4096


def decode(data: bytes, where: str) -> str:
    """All of the text; UTF-8 or UTF-16, also compressed with gzip.

    Args:
        data: all of the file.
        where: what messages call it.

    Raises:
        SourceError: it is text in another encoding or none, or damaged.
    """
    if data.startswith(_GZIP):
        data = _unpack(data, where)
    try:
        return data.decode(_encoding(data))
    except UnicodeDecodeError:
        raise SourceError(
            f"{where}: this is not text in UTF-8. Save it as CSV in UTF-8, "
            "and build again."
        ) from None


def header(head: bytes) -> str:
    """The first line of a file that begins so; any text that is none."""
    if head.startswith(_GZIP):
        head = _begin_to_unpack(head)
    text = head[:_MAX_HEADER_BYTES].decode(_encoding(head), "replace")
    return (text.splitlines() or [""])[0]


def _encoding(data: bytes) -> str:
    """Told by the mark at its beginning, or by what the first letter takes."""
    if data[:2] in _MARKS:
        return "utf-16"
    if b"\0" in data[:2]:
        return "utf-16-be" if data[:1] == b"\0" else "utf-16-le"
    return "utf-8-sig"


def _begin_to_unpack(head: bytes) -> bytes:
    """What comes before any damage, which is named when all is read."""
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    unpacked = b""
    with contextlib.suppress(zlib.error):
        for position in range(len(head)):
            piece = head[position : position + 1]
            unpacked += unpacker.decompress(piece, _MAX_HEADER_BYTES)
            if len(unpacked) >= _MAX_HEADER_BYTES:
                break
    return unpacked


def _unpack(data: bytes, where: str) -> bytes:
    try:
        with gzip.open(io.BytesIO(data)) as file:
            unpacked = file.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(
            f"{where}: the compressed table is cut short or damaged ({error}). "
            "Copy it again."
        ) from None
    if len(unpacked) > MAX_BYTES:
        raise SourceError(f"{where}: more than {MAX_BYTES >> 20} MiB of text.")
    return unpacked

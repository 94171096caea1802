"""Pictures that lie about themselves, for the fuzz tests.

Functions are like those of `tests.fer_tfds.fuzz.damage`; what they are given is
replaced, or put into another form.
"""

import contextlib
import functools
import io
import random
import struct
import zlib

from PIL import Image

_SIZES = (0, 1, 47, 48, 4000, 9000, 65_500, 65_535, 1 << 20, (1 << 31) - 1)
_FORMATS = (
    *("PNG", "GIF", "BMP", "TIFF", "WEBP", "ICO", "PPM", "TGA", "PCX", "SGI"),
    *("JPEG2000", "EPS", "PDF", "DDS", "IM", "MSP", "XBM", "ICNS", "JPEG"),
)
_MODES = ("1", "L", "P", "LA", "RGB", "RGBA", "CMYK", "LAB", "I", "F", "I;16")


def lying_png(rng: random.Random, data: bytes) -> bytes:
    """Any size, depth and colour; pixels of another size."""
    size = rng.choice(((48, 48), (rng.choice(_SIZES), rng.choice(_SIZES))))
    depth, color = rng.choice(((8, 0), (8, 2), (16, 6), (1, 3), (8, 9), (0, 0)))
    packed = rng.choice((zlib.compress(b"abc"), _pack_zeros()))
    return make_png(*size, packed, header=(depth, color))


def png_with_bomb(rng: random.Random, data: bytes) -> bytes:
    """A whole picture with a text or a colour profile that is a bomb."""
    zeros = _pack_zeros()
    texts = ((b"zTXt", b"a\0\0" + zeros), (b"iTXt", b"a\0\1\0\0\0" + zeros))
    notes = ((b"iCCP", b"a\0\0" + zeros), (b"eXIf", b"MM\0*" + bytes(900_000)))
    extra = rng.choice((*texts, *notes, (b"sBIT", b"\xff" * 4)))
    return make_png(48, 48, zlib.compress(bytes(49 * 48)), extra=[extra])


def lying_jpeg(rng: random.Random, data: bytes) -> bytes:
    """Another size in the header, or many notes."""
    start = data.find(b"\xff\xc0") + 5
    size = struct.pack(">HH", *(rng.choice(_SIZES) % 65_536 for _ in "hw"))
    note = rng.choice((b"\xff\xe0", b"\xff\xe1", b"\xff\xe2", b"\xff\xfe"))
    notes = (note + b"\xea\x62" + rng.randbytes(60_000)) * rng.choice((1, 15))
    lying = data[:start] + size + data[start + 4 :]
    return rng.choice((lying, data[:2] + notes + data[2:]))


def other_picture(rng: random.Random, data: bytes) -> bytes:
    """Another format, mode or size, whole or with numbers changed."""
    size = rng.choice(((48, 48), (1, 48), (900, 2000)))
    image, buffer = Image.new(rng.choice(_MODES), size), io.BytesIO()
    with contextlib.suppress(OSError, ValueError, KeyError, SystemError):
        image.save(buffer, rng.choice(_FORMATS))  # nothing in some modes
    content = bytearray(buffer.getvalue())
    for _ in range(rng.choice((0, 0, 1, 6))):
        start = rng.randrange(4, max(5, min(len(content), 120)))
        block = struct.pack("<I", rng.choice(_SIZES))[: rng.choice((1, 2, 4))]
        content[start : start + len(block)] = block
    return bytes(content)


PICTURE = (
    *(lying_png, lying_png, png_with_bomb, lying_jpeg, lying_jpeg),
    *(other_picture, other_picture),
)


def make_png(
    width: int,
    height: int,
    packed: bytes,
    *,
    header: tuple[int, int] = (8, 0),
    extra: list[tuple[bytes, bytes]] | None = None,
) -> bytes:
    """A PNG file whose header says anything; its checksums are right."""
    start = struct.pack(">IIBBBBB", width, height, *header, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n"
    end = [(b"IDAT", packed), (b"IEND", b"")]
    for kind, body in [(b"IHDR", start), *(extra or []), *end]:
        png += struct.pack(">I", len(body)) + kind + body
        png += struct.pack(">I", zlib.crc32(kind + body))
    return png


@functools.cache
def _pack_zeros() -> bytes:
    return zlib.compress(bytes(20_000_000), 9)

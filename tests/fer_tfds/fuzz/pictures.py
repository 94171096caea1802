"""Pictures and arrays that lie about themselves, for the fuzz tests.

Functions are like those of `tests.fer_tfds.fuzz.damage`; what they are given is
replaced, or put into another form.
"""

import functools
import io
import pickle
import random
import struct
import zlib

import numpy as np
from PIL import Image

_SIZES = (0, 1, 47, 48, 4000, 9000, 65_500, 65_535, 1 << 20, (1 << 31) - 1)
_FORMATS = (
    *("PNG", "GIF", "BMP", "TIFF", "WEBP", "ICO", "PPM", "TGA", "PCX", "SGI"),
    *("JPEG2000", "EPS", "PDF", "DDS", "IM", "MSP", "XBM", "ICNS"),
)
_MODES = (
    *("1", "L", "P", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV"),
    *("I", "F", "I;16", "PA", "RGBX"),
)
# Bytes that a short chunk unpacks to; all pictures of a build may have one.
_CHUNK_BYTES = 20_000_000


def lying_png(rng: random.Random, data: bytes) -> bytes:
    depth, color = rng.choice(((8, 0), (8, 2), (16, 6), (1, 3), (8, 9), (0, 0)))
    return make_png(
        rng.choice(_SIZES), rng.choice(_SIZES), zlib.compress(b"abc"),
        depth=depth, color=color,
    )  # fmt: skip


def png_with_bomb(rng: random.Random, data: bytes) -> bytes:
    """A whole picture with a text or a colour profile that is a bomb."""
    packed = _pack_zeros()
    chunk = rng.choice(
        (
            (b"zTXt", b"a\0\0" + packed),
            (b"iTXt", b"a\0\1\0\0\0" + packed),
            (b"iCCP", b"a\0\0" + packed),
            (b"tEXt", b"a\0" + bytes(900_000)),
            (b"eXIf", b"MM\0*" + bytes(900_000)),
            (b"sBIT", struct.pack(">I", 0xFFFFFFFF)),
        )
    )
    pixels = zlib.compress(bytes(49 * 48))
    return make_png(48, 48, pixels, extra=chunk)


def png_of_more_rows(rng: random.Random, data: bytes) -> bytes:
    """Pixels that unpack to far more than the header says."""
    return make_png(48, 48, _pack_zeros())


def lying_jpeg(rng: random.Random, data: bytes) -> bytes:
    """Another size in the header, everything else as it was."""
    jpeg = data if data.startswith(b"\xff\xd8") else _encode("L", "JPEG")
    start = jpeg.find(b"\xff\xc0") + 5
    size = struct.pack(">HH", *(rng.choice(_SIZES) % 65_536 for _ in "hw"))
    return jpeg[:start] + size + jpeg[start + 4 :]


def jpeg_of_many_scans(rng: random.Random, data: bytes) -> bytes:
    return make_scans(rng.choice((48, 400)), rng.choice((50, 2000)))


def jpeg_with_notes(rng: random.Random, data: bytes) -> bytes:
    jpeg = _encode("RGB", "JPEG")
    kind = rng.choice((b"\xff\xe0", b"\xff\xe1", b"\xff\xe2", b"\xff\xfe"))
    note = rng.choice((b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", b"MPF\0II*\0", b""))
    note += rng.randbytes(60_000)
    segment = kind + struct.pack(">H", len(note) + 2) + note
    return jpeg[:2] + segment * rng.choice((1, 15)) + jpeg[2:]


def other_format(rng: random.Random, data: bytes) -> bytes:
    return _encode(rng.choice(("L", "RGB", "P")), rng.choice(_FORMATS))


def other_mode(rng: random.Random, data: bytes) -> bytes:
    return _encode(rng.choice(_MODES), rng.choice(("PNG", "TIFF", "JPEG")))


def other_size(rng: random.Random, data: bytes) -> bytes:
    size = (rng.choice((1, 3, 47, 900)), rng.choice((1, 48, 2000)))
    return _encode("RGB", rng.choice(("PNG", "JPEG", "GIF", "WEBP")), size)


def broken_format(rng: random.Random, data: bytes) -> bytes:
    """Numbers in the header of a format of which few people think."""
    content = bytearray(_encode("RGB", rng.choice(_FORMATS[:5])))
    for _ in range(rng.choice((1, 2, 6))):
        start = rng.randrange(4, min(len(content), 120))
        block = struct.pack("<I", rng.choice(_SIZES))[: rng.choice((1, 2, 4))]
        content[start : start + len(block)] = block
    return bytes(content)


def no_picture(rng: random.Random, data: bytes) -> bytes:
    return rng.choice(
        (
            *(b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%!PS\n/a"),
            *(
                b"\xff\xd8\xff",
                b"\x89PNG\r\n\x1a\n",
                b"GIF89a",
                b"II*\0",
                b"BM",
            ),
            *(b"RIFF\xff\xff\xff\xffWEBPVP8 ", b"PK\3\4", b"\xff" * 90_000),
        )
    )


PICTURE = (
    *(lying_png, png_with_bomb, png_of_more_rows, lying_jpeg, lying_jpeg),
    *(jpeg_of_many_scans, jpeg_with_notes, other_format, other_mode),
    *(other_size, broken_format, broken_format, no_picture),
)


def make_png(
    width: int,
    height: int,
    packed: bytes,
    *,
    depth: int = 8,
    color: int = 0,
    extra: tuple[bytes, bytes] | None = None,
) -> bytes:
    """A PNG file whose header says anything; its checksums are right."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    chunks = [(b"IHDR", header), *([extra] if extra else [])]
    chunks += [(b"IDAT", packed), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body))
        + kind
        + body
        + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def make_scans(size_px: int, num_scans: int) -> bytes:
    """A progressive JPEG whose scans are all the same and almost empty.

    A decoder goes over the whole picture for each of them.
    """
    buffer = io.BytesIO()
    image = Image.new("L", (size_px, size_px))
    image.save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    start = data.index(b"\xff\xda")
    scan = data[start : start + 10] + b"\0"
    return data[:start] + scan * num_scans + b"\xff\xd9"


@functools.cache
def _pack_zeros() -> bytes:
    return zlib.compress(bytes(_CHUNK_BYTES), 9)


def _encode(
    mode: str, image_format: str, size: tuple[int, int] = (48, 48)
) -> bytes:
    """A grey picture; in another mode where the format has not this one."""
    buffer = io.BytesIO()
    image = Image.new(mode, size)
    try:
        image.save(buffer, image_format)
    except (OSError, ValueError, KeyError, SystemError):
        buffer = io.BytesIO()
        Image.new("L", size).save(buffer, "PNG")
    return buffer.getvalue()


class _Program:
    """Unpickled it would leave a file behind; nobody may unpickle it."""

    def __reduce__(self):
        return (open, ("unpickled", "w"))


_DESCRIPTIONS = (
    *("'|O'", "'<U9'", "'<U999999999'", "'|S0'", "'|V8'", "'<f8'", "'<c16'"),
    *("'<M8[ns]'", "'|b1'", "'>U2'", "[('a', '<f4')]", "'<f2'", "'<i8'", "'x'"),
    *("None", "[" * 90 + "]" * 90, "'<f8', 'a': 1", "1" * 5000, "'\\ud800'"),
)
_SHAPES = (
    *("()", "(1,)", "(0,)", "(2, 2)", "(-1,)", "(1000000000000,)", "(True,)"),
    *("(1, 1, 1)", "1", "(1.0,)", "(" + "1," * 70 + ")", "(-1, -1)", "('a',)"),
)
_NUMBERS = ("0", "7", "8", "10", "11", "-1", "1e400", "nan", "x", "\ud800", "")


def lying_array(rng: random.Random, data: bytes) -> bytes:
    """A .npy file with any type and shape in its header."""
    version = rng.choice((b"\1\0", b"\1\0", b"\1\0", b"\2\0", b"\3\0", b"\7\1"))
    order = rng.choice(("False", "False", "True", "2"))
    header = (
        f"{{'descr': {rng.choice(_DESCRIPTIONS)}, 'fortran_order': {order}, "
        f"'shape': {rng.choice(_SHAPES)}, }}"
    ).encode()
    size = rng.choice((len(header), len(header), 0, 65_535))
    body = rng.choice((bytes(8), b"\xff" * 64, b"", pickle.dumps(_Program())))
    return b"\x93NUMPY" + version + struct.pack("<H", size) + header + body


def pickled_array(rng: random.Random, data: bytes) -> bytes:
    array = np.empty((), object)
    array[()] = _Program()
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return rng.choice((buffer.getvalue(), pickle.dumps(_Program())))


def other_value(rng: random.Random, data: bytes) -> bytes:
    text = rng.choice(_NUMBERS)
    kind = rng.choice((">U9", "<U9", "S9", "f4", "f8", "i8", "u1", "?"))
    buffer = io.BytesIO()
    try:
        np.save(buffer, np.array(text, kind))
    except (ValueError, OverflowError):
        np.save(buffer, np.array([[text]], "<U3"))
    return buffer.getvalue()


ARRAY = (lying_array, lying_array, pickled_array, other_value)

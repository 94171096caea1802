"""Raw FER-2013 data on a small scale, for the tests of the data layer."""

import io
import struct
import tarfile
import zipfile
import zlib

from fer_tfds.sources.fer2013 import find

COUNTS = {"train": [2] * 7, "validation": [1] * 7, "test": [1] * 7}
SEED = 7

HEADER = "emotion,pixels,Usage"
PIXELS = " ".join(str(i % 256) for i in range(2304))
GOOD_ROW = f"3,{PIXELS},Training"


def read_all(manual_dir):
    return find.find_source(manual_dir).read()


def write_tar(path, members):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def write_zip(path, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def contents(records):
    """What the records hold apart from ids and order, to be compared."""
    return sorted(
        (split, int(label), image.tobytes())
        for split, label, image in zip(
            records.splits, records.labels, records.images, strict=True
        )
    )


def declare(width, height):
    """A PNG file that says it is that large, and holds next to nothing."""
    header = struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 99))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )

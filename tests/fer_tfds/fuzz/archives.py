"""Archives for the fuzz tests: unpacked, damaged inside, packed again.

Their checksums are right, so that a reader gets as far as to what is in them.
"""

import gzip
import io
import random
import struct
import tarfile
import zipfile
from collections.abc import Callable

Members = dict[str, bytes]

# Names that lead out of an archive, or to nowhere.
_NAMES = (
    *("../escaped.csv", "a/../../escaped.csv", "..", "/tmp/escaped.csv", ""),
    *("C:\\escaped.csv", "//a/b.csv", "..\\..\\escaped.csv", "a\nb.csv", "a/"),
    *("\x1b[2J.csv", "x" * 1500, "a/" * 400 + "b.jpg", "a\0b.csv", "ü.csv"),
    *("\u202egpj.csv", "./a.csv", "a//b.csv", " ", ".hidden/a.csv", "labels"),
)
_TYPES = (
    *(tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE),
    *(tarfile.DIRTYPE, tarfile.CONTTYPE, tarfile.XGLTYPE, tarfile.XHDTYPE),
    *(tarfile.GNUTYPE_SPARSE, tarfile.GNUTYPE_LONGNAME, b"Z"),
)
_ZIP_FIELDS = ((6, 2), (8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (42, 4))
_BOMB_BYTES = 100_000_000  # Packed it is a thousandth of it.


def is_archive(data: bytes) -> bool:
    return data[:4] == b"PK\3\4" or data[257:262] == b"ustar" or _is_gzip(data)


def damage_archive(
    rng: random.Random, data: bytes, damage: Callable[..., bytes]
) -> bytes:
    """Damages a member, its name or its kind."""
    members = _unpack(data)
    if not members:
        return data
    is_tar = data[:4] != b"PK\3\4"
    name = rng.choice(list(members))
    what = rng.choice(("content",) * 4 + ("name", "odd", "more", "bomb"))
    if what == "odd":
        return (_odd_tar if is_tar else _odd_zip)(rng, members, name)
    if what == "content":
        members[name] = damage(rng, name, members[name])
    elif what == "name":
        keep = rng.random() < 0.5
        content = members[name] if keep else members.pop(name)
        members[rng.choice(_NAMES)] = content
    elif what == "more":
        members |= {f"more/{i}.csv": b"x" for i in range(2000)}
    else:
        members = {name: members[name][:9000].ljust(_BOMB_BYTES)}
    return pack_tar(members, _is_gzip(data)) if is_tar else pack_zip(members)


def pack_zip(members: Members, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            info.compress_type = method
            archive.writestr(info, content, compresslevel=1)
    return buffer.getvalue()


def pack_tar(members: Members, is_zipped: bool) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    data = buffer.getvalue()
    return gzip.compress(data, 1, mtime=0) if is_zipped else data


def _is_gzip(data: bytes) -> bool:
    return data[:2] == b"\x1f\x8b"


def _unpack(data: bytes) -> Members:
    """Regular files of an archive; nothing when it is damaged already."""
    try:
        if data[:4] == b"PK\3\4":
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                return {n: archive.read(n) for n in archive.namelist()}
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            files = filter(tarfile.TarInfo.isfile, tar)
            return {m.name: tar.extractfile(m).read() for m in files}
    except Exception:  # what another damage has left of it
        return {}


def _odd_tar(rng: random.Random, members: Members, name: str) -> bytes:
    """A member of another kind, or with another size, before the others."""
    info = tarfile.TarInfo(name)
    info.type = rng.choice(_TYPES)
    info.linkname = rng.choice(("/etc/passwd", "../../etc/passwd", "a" * 300))
    info.size = rng.choice((0, 0, 1, 511, 513, 1 << 16, 1 << 33, 1 << 60, -1))
    del members[name]
    data = info.tobuf(tarfile.GNU_FORMAT) + pack_tar(members, False)
    return rng.choice((data, gzip.compress(data, mtime=0)))


def _odd_zip(rng: random.Random, members: Members, name: str) -> bytes:
    """Another method, a link, or fields that say otherwise."""
    data = bytearray(pack_zip(members, rng.choice((0, 8, 8, 8, 12, 14))))
    entry = data.rfind(rng.choice((b"PK\1\2", b"PK\1\2", b"PK\3\4")))
    field, size = rng.choice(_ZIP_FIELDS)
    value = rng.choice((0, 1, 9, 99, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF))
    start = entry + field
    data[start : start + size] = value.to_bytes(4, "little")[:size]
    if rng.random() < 0.2:  # a link
        data[entry + 38 : entry + 42] = struct.pack("<L", 0o120777 << 16)
    return bytes(data)

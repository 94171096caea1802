"""Archives for the fuzz tests: unpacked, damaged inside, packed again.

Their checksums are right, so that a reader gets as far as to what is in them.
Everything stays in memory.
"""

import functools
import gzip
import io
import random
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable

Members = dict[str, bytes]
Damage = Callable[[random.Random, str, bytes], tuple[bytes, str]]

# Names that lead out of an archive, or to nowhere.
_NAMES = (
    *("../escaped.csv", "../../escaped.csv", "a/../../escaped.csv", ".."),
    *("/tmp/escaped.csv", "C:/escaped.csv", "C:\\escaped.csv", "//a/b.csv"),
    *("..\\..\\escaped.csv", "\\\\server\\a.csv", "a\nb.csv", "\x1b[2J.csv"),
    *("x" * 1500 + ".csv", "a/" * 400 + "b.jpg", "a\0b.csv", "Gefühl.csv"),
    *("\u202egpj.csv", "train/../train/angry/im1.png", "./a.csv", "a//b.csv"),
    *("", ".", "./", "a/", " ", "con", ".hidden/a.csv", "__MACOSX/._a.csv"),
    *("train/angry/../../../escaped.jpg", "labels.csv/labels.csv", "~/a.csv"),
)
_LINK_TYPES = (
    *(tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE),
    *(tarfile.FIFOTYPE, tarfile.DIRTYPE, tarfile.CONTTYPE, tarfile.XGLTYPE),
    *(tarfile.GNUTYPE_SPARSE, tarfile.GNUTYPE_LONGNAME, b"Z"),
)
_TARGETS = ("/etc/passwd", "../../../../etc/passwd", ".", "a" * 300)

# A bomb: packed a few hundred kilobytes, unpacked far more than a copy has.
_BOMB_BYTES = 100_000_000


def is_archive(data: bytes) -> bool:
    return data[:4] == b"PK\3\4" or _is_gzip(data) or data[257:262] == b"ustar"


def damage_archive(
    rng: random.Random, data: bytes, damage: Damage
) -> tuple[bytes, str]:
    """Damages a member, its name or its kind; says what was done."""
    members = _unpack(data)
    if not members:
        return data, "nothing"
    is_tar = data[:4] != b"PK\3\4"
    is_zipped = _is_gzip(data)
    name = rng.choice(list(members))
    what = rng.choice(("content",) * 4 + ("name", "kind", "more", "bomb"))
    if what == "content":
        members[name], what = damage(rng, name, members[name])
    elif what == "name":
        new = rng.choice(_NAMES)
        what = f"is called {new[:40]!r}"
        keep = rng.random() < 0.5
        members[new] = members[name] if keep else members.pop(name)
    elif what == "more":
        number = rng.choice((3, 2000))
        members |= {f"more/{i}.csv": b"x" for i in range(number)}
        what = f"{number} more files"
    elif what == "bomb":
        content = members[name]
        return make_bomb(name, content[:9000], is_tar), f"bomb in {name}"
    if what != "kind":
        packed = pack_tar(members, is_zipped) if is_tar else pack_zip(members)
        return packed, f"in it {name}: {what}"
    return (_odd_tar if is_tar else _odd_zip)(rng, members, name), "odd member"


@functools.lru_cache(4)
def make_bomb(
    name: str, start: bytes, is_tar: bool, num_bytes: int = _BOMB_BYTES
) -> bytes:
    """One member that begins like the real one and goes on with blanks."""
    blanks = b" " * (num_bytes - len(start))
    if not is_tar:
        return pack_zip({name: start + blanks})
    info = tarfile.TarInfo(name)
    info.size = num_bytes
    plain = info.tobuf() + start + blanks
    return gzip.compress(plain + bytes(-num_bytes % 512 + 1024), 1)


def pack_zip(members: Members, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            info.compress_type = method
            archive.writestr(info, content, compresslevel=1)
    return buffer.getvalue()


def pack_tar(
    members: Members, is_zipped: bool, form: int = tarfile.PAX_FORMAT
) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    data = buffer.getvalue()
    return gzip.compress(data, 1) if is_zipped else data


def make_many_members(number: int) -> bytes:
    """A zip file with so many empty members, of 52 bytes each.

    Only the list is there: nobody opens an empty file.
    """
    form = "<4s4B4HL2L5H2L"
    head = (b"PK\1\2", 20, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0)
    fixed = struct.pack(form, *head)
    names = b"".join(fixed + b"%06x" % (i % (1 << 24)) for i in range(number))
    end = struct.pack(
        "<4s4H2LH", b"PK\5\6", 0, 0, *[number % 65_536] * 2, len(names), 30, 0
    )
    local = struct.pack("<4s2B4HL2L2H", b"PK\3\4", 20, *[0] * 10)
    return local + names + end


def make_gzip_bomb(num_bytes: int) -> bytes:
    """A tar archive with one file of zeros, packed without holding them."""
    info = tarfile.TarInfo("fer2013.csv")
    info.size = num_bytes
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    pieces = [packer.compress(info.tobuf())]
    zeros = bytes(1 << 24)
    pieces += [packer.compress(zeros) for _ in range(num_bytes >> 24)]
    return b"".join([*pieces, packer.flush()])


def _is_gzip(data: bytes) -> bool:
    return data[:2] == b"\x1f\x8b"


def _unpack(data: bytes) -> Members:
    """Regular files of an archive; nothing when it is damaged already."""
    stream = io.BytesIO(data)
    try:
        if data[:4] == b"PK\3\4":
            with zipfile.ZipFile(stream) as archive:
                return {n: archive.read(n) for n in archive.namelist()}
        with tarfile.open(fileobj=stream) as tar:
            return {
                m.name: tar.extractfile(m).read() for m in tar if m.isfile()
            }
    except Exception:  # what another damage has left of it
        return {}


def _odd_tar(rng: random.Random, members: Members, name: str) -> bytes:
    """A member of another kind, or with another size, among the good."""
    info = tarfile.TarInfo(name)
    info.type = rng.choice(_LINK_TYPES)
    info.linkname = rng.choice(_TARGETS)
    info.size = rng.choice((0, 0, 1, 511, 513, 1 << 16, 1 << 33, -1))
    try:
        head = info.tobuf(rng.choice((tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)))
    except (ValueError, struct.error):
        head = rng.randbytes(512)
    rest = {n: c for n, c in members.items() if n != name}
    tail = pack_tar(rest, False, rng.choice((0, 1, 2)))
    return rng.choice((bytes, gzip.compress))(head + tail)


def _odd_zip(rng: random.Random, members: Members, name: str) -> bytes:
    """Another method, or fields in the list of members that say otherwise."""
    method = rng.choice((0, 8, 8, 8, 12, 14))
    data = bytearray(pack_zip(members, method))
    entry = data.rfind(b"PK\1\2" if rng.random() < 0.7 else b"PK\3\4")
    field, size = rng.choice(
        ((6, 2), (8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (42, 4))
    )
    start = entry + field
    values = (0, 1, 9, 99, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
    value = rng.choice(values).to_bytes(4, "little")[:size]
    data[start : start + size] = value
    if rng.random() < 0.2:
        data[entry + 38 : entry + 42] = struct.pack("<L", stat.S_IFLNK << 16)
    return bytes(data)

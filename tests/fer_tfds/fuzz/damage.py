"""Damage to one file: any bytes, and tables.

Every function takes a random generator and a content, and gives another
content; the same seed gives the same bytes.
"""

import random

_BLOCKS = (b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", bytes(600), b"\x9f" * 60)
# What a cell of a table must survive. Among them digits that are no ASCII,
# bytes that are no UTF-8, half of a surrogate pair, and a line separator that
# only Python knows.
_CELLS = (
    *(b"", b" ", b"NULL", b"nan", b"-inf", b"-1", b"10", b"1e400", b"0x10"),
    *(b"1_0", b"9" * 5000, b"1 " * 9, b"\0", b"\xff\xfe", b"\xed\xa0\x80"),
    *(b'"', b'"a', b"a\rb", b"../../../etc/passwd", b"/etc/passwd", b"\\"),
    *(b"C:\\a.jpg", b"a//b.jpg", b"~/a.jpg", b"%s{0}", b"x" * 70_000, b"."),
    *("٣".encode(), "\u2028".encode(), "\u202e.jpg".encode(), b"a\0.jpg"),
)


def flip_bits(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 8, 100)) if changed else 0):
        changed[_position(rng, data)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut(rng: random.Random, data: bytes) -> bytes:
    start = rng.choice((0, _position(rng, data)))
    rest = data[start + rng.randrange(1, 2000) :]
    return data[:start] + rng.choice((b"", rest))


def overwrite(rng: random.Random, data: bytes) -> bytes:
    start, block = _position(rng, data), rng.choice(_BLOCKS)
    return data[:start] + block + data[start + len(block) :]


def insert(rng: random.Random, data: bytes) -> bytes:
    start = _position(rng, data)
    block = data[start : start + rng.randrange(1, 4000)]
    more = (block, block * 50, rng.randbytes(rng.randrange(1, 60)))
    return data[:start] + rng.choice(more) + data[start:]


def replace_all(rng: random.Random, data: bytes) -> bytes:
    return rng.choice((b"", b"\n", bytes(100_000), b"a," * 50_000, b"PK"))


def add_long_line(rng: random.Random, data: bytes) -> bytes:
    start = rng.choice((0, data.find(b"\n") + 1, len(data)))
    line = rng.choice((b"1 ", b"x", b",", b'"', b"\r")) * (2 << 20)
    return data[:start] + line + data[start:]


BYTES = (flip_bits, cut, cut, overwrite, insert, replace_all, add_long_line)


def change_cells(rng: random.Random, data: bytes) -> bytes:
    """One cell, the same cell of all rows but the header, or no cell."""
    header, *rows = (line.split(b",") for line in data.split(b"\n"))
    column = rng.randrange(len(header))
    new = rng.choice(([rng.choice(_CELLS)], [rng.choice(_CELLS)], []))
    for row in rng.choice(([rng.choice([header, *rows])], rows)):
        row[column : column + 1] = new
    return b"\n".join(b",".join(row) for row in [header, *rows])


def change_rows(rng: random.Random, data: bytes) -> bytes:
    header, *rows = data.split(b"\n")
    rows = rng.choice((rows, rows * 9, rng.sample(rows, len(rows))))
    end = rng.choice((b"\n", b"\r\n", b"\r", b"\0\n", "\u2028".encode()))
    return end.join(rng.choice(([header], [b"\xff\xfe" + header], [])) + rows)


def recode(rng: random.Random, data: bytes) -> bytes:
    codec = rng.choice(("utf-16", "utf-32", "utf-7", "cp500"))
    return data.decode("latin-1").encode(codec)


TABLE = (change_cells, change_cells, change_cells, change_rows, recode)


def _position(rng: random.Random, data: bytes) -> int:
    """Half of the time near an end, where formats have their headers."""
    near = min(len(data), 600)
    low = rng.choice((0, 0, len(data) - near))
    high = rng.choice((low + near, len(data)))
    return rng.randrange(low, max(high, low + 1))

"""Damage to one file: any bytes, tables, JSON.

Every function takes a random generator and a content, and gives another
content; the same seed gives the same bytes.
"""

import json
import random

_BLOCKS = (b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", bytes(4), bytes(600))

# What a cell of a table must survive. Among them digits that are no ASCII,
# bytes that are no UTF-8, half of a surrogate pair, and a line separator that
# only Python knows.
_CELLS = (
    *(b"", b" ", b"NULL", b"nan", b"inf", b"-inf", b"-1", b"-0", b"10", b"11"),
    *(b"1e400", b"1e5", b"0.5", b"0x10", b"1_0", b"+1", b"9" * 5000, b"1 " * 9),
    *(
        b"\0",
        b"\xff\xfe",
        b"\xed\xa0\x80",
        b'"',
        b'""',
        b'"a',
        b"a\rb",
        b"\x1a",
    ),
    *(b"../../../etc/passwd", b"/etc/passwd", b"C:\\a.jpg", b"..\\..\\a.jpg"),
    *(
        b"./a.jpg",
        b"a//b.jpg",
        b"~/a.jpg",
        b"%s{0}",
        b"x" * 70_000,
        b"\\",
        b".",
    ),
    *("٣".encode(), "\u2028".encode(), "\u202e.jpg".encode(), b"a\0.jpg"),
)

_VALUES = (
    *(None, True, False, -1, 0, 7, 0.5, 1.5, 1e308, 10**400, -(10**30)),
    *("", "x", "\ud800", "a\nb", "neutral", "x" * 100_000, [], {}, [1], [[]]),
    *({"": {}}, {"train": []}, {"\ud800": "happy"}, [10**30] * 7, ["1"] * 7),
    *([0] * 7, [1.0] * 11, [True] * 11, [-1] * 11, [2**63] * 11, [None] * 7),
)
_TEXTS = (
    *(b"", b" ", b"null", b"[]", b"{}", b"0", b'"x"', b"NaN", b"-Infinity"),
    *(b"[" * 100_000, b'{"a":' * 50_000, b"9" * 5000, b"\xff\xfe{\0}\0"),
    *(b"\xef\xbb\xbf{}", b'{"note": "\xff"}', b'{"note": "\0"}', b"{'a': 1}"),
    *(b'{"note": "' + b"x" * (2 << 20) + b'"}', b'{"train": 1, "train": 2}'),
)


def flip_bits(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 8, 100)) if changed else 0):
        changed[_position(rng, data)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut_off(rng: random.Random, data: bytes) -> bytes:
    return data[: _position(rng, data)]


def cut_out(rng: random.Random, data: bytes) -> bytes:
    start = _position(rng, data)
    return data[:start] + data[start + rng.randrange(1, 2000) :]


def cut_head(rng: random.Random, data: bytes) -> bytes:
    return data[rng.randrange(1, 600) :]


def insert_bytes(rng: random.Random, data: bytes) -> bytes:
    start = _position(rng, data)
    return data[:start] + rng.randbytes(rng.randrange(1, 60)) + data[start:]


def overwrite(rng: random.Random, data: bytes) -> bytes:
    start, block = _position(rng, data), rng.choice(_BLOCKS)
    return data[:start] + block + data[start + len(block) :]


def repeat_block(rng: random.Random, data: bytes) -> bytes:
    start = _position(rng, data)
    block = data[start : start + rng.randrange(1, 4000)]
    return data[:start] + block * rng.choice((1, 2, 50)) + data[start:]


def replace_all(rng: random.Random, data: bytes) -> bytes:
    return rng.choice(
        (b"", b"\n", bytes(100_000), rng.randbytes(500), b"a," * 50_000, b"PK")
    )


def add_long_line(rng: random.Random, data: bytes) -> bytes:
    start = rng.choice((0, data.find(b"\n") + 1, len(data)))
    line = rng.choice((b"1 ", b"x", b",", b'"', b"\r")) * (2 << 20)
    return data[:start] + line + data[start:]


BYTES = (
    *(flip_bits, cut_off, cut_out, cut_head, insert_bytes, overwrite),
    *(repeat_block, replace_all, add_long_line),
)


def change_cell(rng: random.Random, data: bytes) -> bytes:
    rows = _rows(data)
    row = rng.choice(rows)
    row[rng.randrange(len(row))] = rng.choice(_CELLS)
    return _join(rows)


def change_column(rng: random.Random, data: bytes) -> bytes:
    rows, cell = _rows(data), rng.choice(_CELLS)
    column = rng.randrange(len(rows[0]))
    for row in rows[1:]:
        row[column : column + 1] = [cell]
    return _join(rows)


def drop_column(rng: random.Random, data: bytes) -> bytes:
    rows = _rows(data)
    column = rng.randrange(len(rows[0]))
    return _join([row[:column] + row[column + 1 :] for row in rows])


def copy_column(rng: random.Random, data: bytes) -> bytes:
    rows = _rows(data)
    source, target = (rng.randrange(len(rows[0])) for _ in range(2))
    return _join([row[:target] + row[source:] for row in rows])


def mix_rows(rng: random.Random, data: bytes) -> bytes:
    rows = _rows(data)
    rng.shuffle(rows)
    return _join(rows)


def repeat_rows(rng: random.Random, data: bytes) -> bytes:
    header, *rows = data.split(b"\n")
    return b"\n".join([header, *rows * rng.choice((2, 9))])


def drop_header(rng: random.Random, data: bytes) -> bytes:
    return data.partition(b"\n")[2]


def change_line_ends(rng: random.Random, data: bytes) -> bytes:
    end = rng.choice((b"\r\n", b"\r", b"\n\n", b"\0\n", "\u2028".encode()))
    return rng.choice((b"", b"\xef\xbb\xbf", b"\xff\xfe")) + data.replace(
        b"\n", end
    )


def recode(rng: random.Random, data: bytes) -> bytes:
    return data.decode("latin-1").encode(
        rng.choice(("utf-16", "utf-32", "utf-7", "cp500"))
    )


TABLE = (
    *(change_cell, change_cell, change_column, drop_column, copy_column),
    *(mix_rows, repeat_rows, drop_header, change_line_ends, recode),
)


def change_value(rng: random.Random, data: bytes) -> bytes:
    """Replaces one value of an object, or one below it."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):  # another damage came before
        return data
    place = content if isinstance(content, dict) else {}
    key = rng.choice([*place, "note", "class_names", "\ud800", "x\ny"])
    if isinstance(place.get(key), dict) and rng.random() < 0.5:
        place = place[key]
        key = rng.choice([*place, "0"])
    place[key] = rng.choice(_VALUES)
    return json.dumps(content).encode()


def nest(rng: random.Random, data: bytes) -> bytes:
    """Nests to about the depth that Python allows, below a known key."""
    depth = rng.choice((200, 400, rng.randrange(300, 1100)))
    key = rng.choice(("note", "class_names", "train"))
    return b'{"%s": %s%s}' % (key.encode(), b"[" * depth, b"]" * depth)


def replace_text(rng: random.Random, data: bytes) -> bytes:
    return rng.choice(_TEXTS)


JSON = (change_value, change_value, change_value, nest, replace_text)


def _position(rng: random.Random, data: bytes) -> int:
    """Half of the time near an end, where formats have their headers."""
    size = len(data)
    near = min(size, 600)
    low, high = rng.choice(
        ((0, size), (0, size), (0, near), (size - near, size))
    )
    return rng.randrange(low, max(high, low + 1))


def _rows(data: bytes) -> list[list[bytes]]:
    return [line.split(b",") for line in data.split(b"\n")]


def _join(rows: list[list[bytes]]) -> bytes:
    return b"\n".join(b",".join(row) for row in rows)

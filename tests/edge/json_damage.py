"""Damaged JSON, each from a random generator."""

import json
import random

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

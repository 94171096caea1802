"""Which pictures are for training, for validation and for the test.

By a hash of its name, or of its person's: where a picture goes depends on
nothing else, so that adding pictures moves none. What belongs together, by its
group or because it looks the same, is never on two sides.
"""

import collections
import hashlib
from collections.abc import Iterable
from collections.abc import Sequence

from fer_tfds.sources.records import SPLITS

# 70, 15 and 15 in 100.
_UP_TO = (0.70, 0.85)
# What validation takes of a given train: 15 parts of 70 and 15.
_VALIDATION_OF_TRAIN = 15 / 85
# With fewer, a class would lose what it has to train on.
_FEWEST_PARTS = 3


def assign(
    keys: Sequence[str],
    classes: Sequence[str],
    pairs: Iterable[tuple[int, int]],
) -> list[str]:
    """Draws a split for each picture.

    Where a class would have none in validation or in test, the part of it that
    is nearest goes over, so a class with three parts is in all of them.

    Args:
        keys: of each picture; equal ones stay together. The group, or the name
            of a picture without one.
        classes: of each picture.
        pairs: positions of pictures that look the same.

    Returns:
        A name out of `SPLITS` for each picture.
    """
    parts = _join(keys, pairs)
    members = collections.defaultdict(list)
    for position, part in enumerate(parts):
        members[part].append(position)
    drawn = {part: _fraction(part) for part in members}
    split_of = {part: _split_at(value) for part, value in drawn.items()}
    for name in sorted(set(classes)):
        own = [
            p for p in members if any(classes[i] == name for i in members[p])
        ]
        _fill_empty(sorted(own, key=drawn.__getitem__), split_of)
    return [split_of[part] for part in parts]


def cut_validation(
    keys: Sequence[str], pairs: Iterable[tuple[int, int]]
) -> list[bool]:
    """Whether each picture of a given train goes over to validation."""
    parts = _join(keys, pairs)
    return [_fraction(part) >= 1 - _VALIDATION_OF_TRAIN for part in parts]


def _split_at(fraction: float) -> str:
    return SPLITS[sum(fraction >= bound for bound in _UP_TO)]


def _fill_empty(parts: list[str], split_of: dict[str, str]) -> None:
    """Moves a part into each split that is empty; they stand in their order."""
    if len(parts) < _FEWEST_PARTS:
        return
    for split, order in (("test", parts[::-1]), ("validation", parts[::-1])):
        there = collections.Counter(split_of[part] for part in parts)
        if not there[split]:
            giver = max(SPLITS, key=lambda name: there[name])
            part = next(p for p in order if split_of[p] == giver)
            split_of[part] = split


def _join(keys: Sequence[str], pairs: Iterable[tuple[int, int]]) -> list[str]:
    """The key of the part that each picture belongs to: the least of them."""
    above = {key: key for key in keys}

    def top(key: str) -> str:
        while above[key] != key:
            above[key] = above[above[key]]
            key = above[key]
        return key

    for one, other in pairs:
        low, high = sorted((top(keys[one]), top(keys[other])))
        above[high] = low
    return [top(key) for key in keys]


def _fraction(key: str) -> float:
    """A number from 0 to 1 that a name always gets, and no other reason for."""
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64

"""Which pictures are for training, for validation and for the test.

By a hash of its name, or of its person's: where a picture goes depends on
nothing else, so that adding pictures moves none, but for those that fill a
split for a class that has few. What belongs together, by its group or because
it looks the same, is never on two sides.
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


def assign(
    keys: Sequence[str],
    classes: Sequence[str],
    pairs: Iterable[tuple[int, int]],
) -> list[str]:
    """Draws a split for each picture.

    Where a class would have none in a split, a part of it goes over, so a class
    with three parts is in all of them, and a smaller one in train.

    Args:
        keys: of each picture; equal ones stay together. The group, or the name
            of a picture without one.
        classes: of each picture.
        pairs: positions of pictures that look the same.

    Returns:
        A name out of `SPLITS` for each picture.
    """
    parts = _join(keys, pairs)
    split_of = {part: _split_at(_fraction(part)) for part in parts}
    _fill_empty(split_of, parts, classes, wanted=SPLITS)
    return [split_of[part] for part in parts]


def cut_validation(
    keys: Sequence[str],
    classes: Sequence[str],
    pairs: Iterable[tuple[int, int]],
    *,
    given: Sequence[str],
) -> list[str]:
    """Takes a validation out of a given train.

    A class with two parts in train is in both then, and a smaller one in train.

    Args:
        keys: as in `assign`.
        classes: of each picture.
        pairs: positions of pictures that look the same.
        given: the split of each picture, none of them `validation`.

    Returns:
        A name out of `SPLITS` for each picture.
    """
    parts = _join(keys, pairs)
    inside = [i for i, split in enumerate(given) if split == "train"]
    least = 1 - _VALIDATION_OF_TRAIN
    split_of = {
        parts[i]: ("train", "validation")[_fraction(parts[i]) >= least]
        for i in inside
    }
    _fill_empty(
        split_of,
        [parts[i] for i in inside],
        [classes[i] for i in inside],
        wanted=("train", "validation"),
    )
    return [
        split_of[part] if split == "train" else split
        for part, split in zip(parts, given, strict=True)
    ]


def _split_at(fraction: float) -> str:
    return SPLITS[sum(fraction >= bound for bound in _UP_TO)]


def _fill_empty(
    split_of: dict[str, str],
    parts: Sequence[str],
    classes: Sequence[str],
    *,
    wanted: Sequence[str],
) -> None:
    """Sees that each class is in each split, and a small one in the first.

    Args:
        split_of: of each part; changed in place.
        parts: of each picture.
        classes: of each picture.
        wanted: the splits.
    """
    members = collections.defaultdict(set)
    for part, name in zip(parts, classes, strict=True):
        members[name].add(part)
    # Those with few parts have little choice, so they come first.
    for name in sorted(members, key=lambda n: (len(members[n]), n)):
        is_small = len(members[name]) < len(wanted)
        for split in wanted[:1] if is_small else wanted:
            if split not in map(split_of.__getitem__, members[name]):
                part = _part_to_move(
                    name, split, members=members, split_of=split_of
                )
                split_of[part] = split


def _part_to_move(
    name: str,
    split: str,
    *,
    members: dict[str, set[str]],
    split_of: dict[str, str],
) -> str:
    """The part of a class that goes over into a split without any.

    Where it can be, the one that no other class needs where it is; of those one
    out of the fullest split, from the side on which the splits meet.
    """

    def preference(part: str) -> tuple:
        left = split_of[part]
        is_spare = all(
            sum(split_of[other] == left for other in own) > 1
            for own in members.values()
            if part in own
        )
        fullness = sum(split_of[other] == left for other in members[name])
        fraction = _fraction(part)
        return is_spare, fullness, -fraction if split == "train" else fraction

    return max(sorted(members[name]), key=preference)


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

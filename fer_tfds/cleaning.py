"""What is broken, repeated or leaking in FER-2013, and what to leave out.

Two images are the same when all of their pixels are; nothing here judges by
similarity. Works on plain records in memory, without TensorFlow.
"""

import dataclasses
from collections.abc import Iterable

import numpy as np

from fer_tfds.sources.records import FaceRecords

# Why an image is left out, in the order in which the rules are asked.
CONSTANT = "every pixel has the same value"
CONFLICT = "the same image carries several labels"
LEAK = "the same image stands in another split"
DUPLICATE = "the same image stands earlier in this split"

LEAK_FREE_TEST = "test_leak_free"

# Split -> the official split that it is made from, and the splits whose images
# it may not hold. Of validation and test only what cannot be scored is left
# out, so that figures stay comparable with everybody else's.
_SOURCES: dict[str, tuple[str, tuple[str, ...]]] = {
    "train": ("train", ("validation", "test")),
    "validation": ("validation", ()),
    "test": ("test", ()),
    LEAK_FREE_TEST: ("test", ("train", "validation")),
}


@dataclasses.dataclass(frozen=True)
class CleanSplit:
    """A split after the rules.

    Attributes:
        kept: int64 [k], positions in the records, in their order.
        removed: rule -> int64 [r], positions left out because of it; each
            position counts for the first rule that it breaks.
    """

    kept: np.ndarray
    removed: dict[str, np.ndarray]


def find_groups(images: np.ndarray) -> np.ndarray:
    """Numbers the distinct images.

    Args:
        images: uint8 [n, ...].

    Returns:
        int64 [n]: equal images have equal numbers, counted from 0 in the
        order of their first appearance.
    """
    numbers: dict[bytes, int] = {}
    return np.array(
        [numbers.setdefault(image.tobytes(), len(numbers)) for image in images],
        np.int64,
    )


def is_constant(images: np.ndarray) -> np.ndarray:
    """Whether all pixels of an image are equal: bool [n]."""
    flat = images.reshape(len(images), -1)
    return flat.min(axis=1) == flat.max(axis=1)


def has_conflict(groups: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Whether an image's group carries more than one label: bool [n]."""
    pairs = np.unique(np.stack([groups, labels]), axis=1)
    return np.bincount(pairs[0])[groups] > 1


def clean(records: FaceRecords) -> dict[str, CleanSplit]:
    """Applies the rules to every split.

    `train` loses what any rule names. `validation` and `test` lose constant
    images and those whose label contradicts itself. `test_leak_free` is
    `test` without images that stand in the official `train` or `validation`,
    and with one of each image: for models trained on official data.

    Returns:
        Split name -> what is kept and what is removed; splits without an
        image are left out.
    """
    groups = find_groups(records.images)
    broken = {
        CONSTANT: is_constant(records.images),
        CONFLICT: has_conflict(groups, records.labels),
    }
    splits = {}
    for name, (official, others) in _SOURCES.items():
        indices = records.indices_of(official)
        if indices.size and others:
            leaks = stands_in(records, groups, others)
            splits[name] = _leave_out(
                indices, {**broken, LEAK: leaks}, groups=groups
            )
        elif indices.size:
            splits[name] = _leave_out(indices, broken)
    return splits


def stands_in(
    records: FaceRecords, groups: np.ndarray, splits: Iterable[str]
) -> np.ndarray:
    """Whether an image is also one of these splits' images: bool [n]."""
    return np.isin(groups, groups[np.isin(records.splits, list(splits))])


def is_first(groups: np.ndarray) -> np.ndarray:
    """Whether an image is the first of its group: bool [n]."""
    first = np.zeros(len(groups), bool)
    first[np.unique(groups, return_index=True)[1]] = True
    return first


def _leave_out(
    indices: np.ndarray,
    broken: dict[str, np.ndarray],
    groups: np.ndarray | None = None,
) -> CleanSplit:
    """Applies the rules in turn; with `groups`, repeated images go as well."""
    removed = {}
    for rule, breaks in broken.items():
        removed[rule] = indices[breaks[indices]]
        indices = indices[~breaks[indices]]
    if groups is not None:
        first = is_first(groups[indices])
        removed[DUPLICATE] = indices[~first]
        indices = indices[first]
    return CleanSplit(kept=indices, removed=removed)

"""Which images are left out, on twelve hand-made ones."""

import numpy as np
import pytest

from fer_tfds import cleaning
from fer_tfds.sources.records import FaceRecords

# (split, image, label); images of one letter are the same, `0` is constant.
FACES = [
    ("train", "0", 1),  # 0: constant
    ("train", "a", 2),  # 1
    ("train", "a", 2),  # 2: stands earlier
    ("train", "b", 3),  # 3: stands in validation
    ("train", "c", 4),  # 4: stands in test
    ("train", "d", 5),  # 5: its twin in test carries another label
    ("validation", "b", 3),  # 6
    ("validation", "e", 0),  # 7
    ("test", "c", 4),  # 8
    ("test", "d", 6),  # 9: its twin in train carries another label
    ("test", "e", 0),  # 10: stands in validation
    ("test", "f", 1),  # 11
    ("test", "f", 1),  # 12: stands earlier
]


def draw(letter):
    image = np.full((48, 48), ord(letter), np.uint8)
    if letter != "0":
        image[0, 0] = 0
    return image


@pytest.fixture
def records():
    splits, letters, label_ids = zip(*FACES, strict=True)
    return FaceRecords(
        images=np.stack([draw(letter) for letter in letters]),
        labels=np.array(label_ids),
        splits=list(splits),
        ids=[f"row_{index:05d}" for index in range(len(FACES))],
    )


def test_groups_are_numbered_by_first_appearance(records):
    groups = cleaning.find_groups(records.images)
    assert groups.tolist() == [0, 1, 1, 2, 3, 4, 2, 5, 3, 4, 5, 6, 6]
    records.images[2, 47, 47] += 1
    assert cleaning.find_groups(records.images)[2] != 1


RULES = ("CONSTANT", "CONFLICT", "LEAK", "DUPLICATE")


@pytest.mark.parametrize(
    ("split", "kept", "removed"),
    [
        ("train", [1], [[0], [5], [3, 4], [2]]),
        ("validation", [6, 7], [[], [], [], []]),
        ("test", [8, 10, 11, 12], [[], [9], [], []]),
        ("test_leak_free", [11], [[], [9], [8, 10], [12]]),
    ],
)
def test_each_rule_removes_what_it_should(records, split, kept, removed):
    result = cleaning.clean(records)[split]
    assert result.kept.tolist() == kept
    keys = [getattr(cleaning, rule) for rule in RULES]
    found = [[*result.removed.get(key, [])] for key in keys]
    assert found == removed


def test_every_image_is_in_one_place_and_absent_splits_stay_absent(records):
    for name, split in cleaning.clean(records).items():
        official = records.indices_of(name.removesuffix("_leak_free"))
        parts = [split.kept, *split.removed.values()]
        assert sorted(np.concatenate(parts)) == official.tolist()
    splits = cleaning.clean(records)
    groups = cleaning.find_groups(records.images)
    homes = {name: set(groups[split.kept]) for name, split in splits.items()}
    assert not homes["train"] & (homes["validation"] | homes["test"])
    kept = np.unique(np.concatenate([s.kept for s in splits.values()]))
    assert not cleaning.has_conflict(groups[kept], records.labels[kept]).any()
    splits = ["test" if s == "validation" else s for s in records.splits]
    without = FaceRecords(records.images, records.labels, splits, records.ids)
    assert list(cleaning.clean(without)) == ["train", "test", "test_leak_free"]

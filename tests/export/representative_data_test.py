"""Tests of export/representative_data.py: balanced, fixed, recorded."""

import numpy as np
import pytest

from export import representative_data
from trainer.data.prepared import Split


def split_of(counts, low=0, high=256):
    labels = np.repeat(np.arange(len(counts)), counts).astype(np.int32)
    generator = np.random.default_rng(0)
    shape = [len(labels), 6, 6, 1]
    images = generator.integers(low, high, shape).astype(np.uint8)
    ids = [f"train-{index}" for index in range(len(labels))]
    return Split(images, labels, ids)


def test_classes_are_balanced():
    chosen = representative_data.choose(split_of([100, 50, 30]), 3, count=60)
    assert chosen.per_class == [20, 20, 20]
    assert len(set(chosen.ids)) == 60


def test_large_classes_fill_up_for_a_small_one():
    chosen = representative_data.choose(split_of([100, 5, 100]), 3, count=65)
    assert chosen.per_class == [30, 5, 30]


def test_all_images_when_there_are_fewer_than_asked_for():
    chosen = representative_data.choose(split_of([4, 0, 3]), 3, count=400)
    assert chosen.per_class == [4, 0, 3]


def test_the_seed_decides_the_list():
    split = split_of([50, 50])
    first = representative_data.choose(split, 2, count=20, seed=1)
    again = representative_data.choose(split, 2, count=20, seed=1)
    other = representative_data.choose(split, 2, count=20, seed=2)
    assert first.ids == again.ids
    np.testing.assert_array_equal(first.images, again.images)
    assert set(first.ids) != set(other.ids)


def test_ids_name_the_very_images():
    split = split_of([30, 30])
    split.images[0, 0, 0], split.images[1, 0, 0] = 0, 255
    chosen = representative_data.choose(split, 2, count=60)
    for name, image in zip(chosen.ids, chosen.images, strict=True):
        np.testing.assert_array_equal(
            image, split.images[split.ids.index(name)]
        )
    assert chosen.range_set == {}


def test_both_ends_of_the_range_occur_at_the_cost_of_two_pixels():
    split = split_of([20, 20], low=30, high=200)
    before = split.images.copy()
    chosen = representative_data.choose(split, 2, count=10)
    assert (chosen.images.min(), chosen.images.max()) == (0, 255)
    rows = [split.ids.index(name) for name in chosen.ids]
    assert np.sum(chosen.images != split.images[rows]) == 2
    assert sorted(chosen.range_set.values()) == [0, 255]
    np.testing.assert_array_equal(split.images, before)


def test_the_description_records_the_list():
    chosen = representative_data.choose(split_of([9, 9]), 2, count=6, seed=3)
    record = chosen.describe()
    assert (record["count"], record["seed"]) == (6, 3)
    assert record["ids"] == chosen.ids
    assert record["per_class"] == [3, 3]


@pytest.mark.parametrize(
    ("counts", "count"), [([3, 3], 0), ([0, 0], 5)], ids=["none", "no data"]
)
def test_an_empty_list_is_refused(counts, count):
    with pytest.raises(ValueError, match="at least 1 training image"):
        representative_data.choose(split_of(counts), 2, count=count)

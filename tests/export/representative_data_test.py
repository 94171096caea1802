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


@pytest.mark.parametrize(
    ("counts", "count", "per_class"),
    [
        ([100, 50, 30], 60, [20, 20, 20]),
        ([100, 5, 100], 65, [30, 5, 30]),
        ([4, 0, 3], 400, [4, 0, 3]),
    ],
    ids=["balanced", "large ones fill up", "all there are"],
)
def test_classes_are_balanced_where_there_are_enough(counts, count, per_class):
    split = split_of(counts)
    chosen = representative_data.choose(split, 3, count=count, seed=3)
    assert chosen.per_class == per_class
    assert len(set(chosen.ids)) == sum(per_class)
    record = chosen.describe()
    assert (record["count"], record["seed"]) == (sum(per_class), 3)
    assert (record["ids"], record["per_class"]) == (chosen.ids, per_class)


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


@pytest.mark.parametrize(
    ("counts", "count"), [([3, 3], 0), ([0, 0], 5)], ids=["none", "no data"]
)
def test_an_empty_list_is_refused(counts, count):
    with pytest.raises(ValueError, match="at least 1 training image"):
        representative_data.choose(split_of(counts), 2, count=count)

"""Annotations into buckets: nothing lost, shuffled, the same each time."""

import math

import pytest

from fer_tfds.affectnet import buckets as affectnet_buckets
from fer_tfds.sources.affectnet.records import Annotation
from fer_tfds.sources.affectnet.records import Box
from fer_tfds.sources.affectnet.records import Reason
from fer_tfds.sources.affectnet.records import Reject

ROWS = [
    Annotation("train", f"{i}/é.jpg", f"{i}/é.jpg", i % 8, Box(i, 1, 2, 3), 0.5)
    for i in range(500)
]


class Source:
    def __init__(self, rows):
        self.rows = rows

    def annotations(self):
        return iter(self.rows)


@pytest.fixture
def small_memory(monkeypatch):
    monkeypatch.setattr(affectnet_buckets, "_MAX_WAITING_BYTES", 1000)


def fill(folder, rows, num_buckets=7, max_rows=None):
    folder.mkdir(exist_ok=True)
    counts = affectnet_buckets.spool_rows(Source(rows), folder)
    affectnet_buckets.fill_buckets(
        folder, "train", num_buckets, max_rows=max_rows
    )
    return counts, [
        affectnet_buckets.read_bucket(folder, "train", index)
        for index in range(num_buckets)
    ]


@pytest.mark.usefixtures("small_memory")
def test_every_row_is_in_one_bucket(tmp_path):
    counts, buckets = fill(tmp_path, ROWS)
    assert counts == {"train": 500}
    found = sorted(row for bucket in buckets for row in bucket)
    assert str(found) == str(sorted(ROWS))
    assert all(40 < len(bucket) < 110 for bucket in buckets)
    assert isinstance(buckets[0][0].box, Box)
    assert math.isnan(buckets[0][0].arousal)


@pytest.mark.parametrize("max_rows", [None, 80])
def test_order_and_sample_are_random_and_the_same_each_time(tmp_path, max_rows):
    _, first = fill(tmp_path / "a", ROWS, max_rows=max_rows)
    _, second = fill(tmp_path / "b", ROWS[::-1], max_rows=max_rows)
    assert str(first) == str(second)
    numbers = [row.box.x for row in first[0]]
    assert numbers != sorted(numbers)
    rows = [row for bucket in first for row in bucket]
    assert len(rows) == (max_rows or len(ROWS))
    assert {row.label for row in rows} == set(range(8))


def test_rows_of_one_id_stay_together_in_their_order(tmp_path):
    rows = [ROWS[0]._replace(label=label) for label in range(8)]
    _, buckets = fill(tmp_path, rows)
    (bucket,) = filter(None, buckets)
    assert [row.label for row in bucket] == list(range(8))


def test_rejects_are_kept_as_text(tmp_path):
    reject = Reject("train", "x\udc80\n.jpg", Reason.BAD_PATH, "a,b")
    assert affectnet_buckets.spool_rows(Source([reject]), tmp_path) == {}
    (found,) = affectnet_buckets.read_rejects(tmp_path)
    assert found == ("train", r"'x\udc80\n.jpg'", "bad_path", "a,b")


@pytest.mark.parametrize("number", [1, 20, 5000])
def test_a_look_reaches_the_whole_file(tmp_path, number):
    affectnet_buckets.spool_rows(Source(ROWS), tmp_path)
    rows = affectnet_buckets.read_spread(tmp_path, "train", number)
    numbers = [row.box.x for row in rows]
    assert numbers == sorted(set(numbers))
    assert (len(rows), rows[0]) == (min(number, 500), rows[0])
    assert number == 1 or numbers[-1] > 470

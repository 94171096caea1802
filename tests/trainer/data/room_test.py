"""What fits into memory, and who shares it."""

import dataclasses
import json

import pytest

from tests.trainer.free_memory import ALL
from tests.trainer.free_memory import set_free
from trainer.data import prepared
from trainer.data import room
from trainer.data.stored import Stored
from trainer.settings.model_and_data import DataSettings


@pytest.fixture
def data(prepared_data):
    return DataSettings(data_dir=prepared_data)


def is_streamed(data):
    splits = prepared.load_splits(data).values()
    streamed = {isinstance(split.images, Stored) for split in splits}
    assert len(streamed) == 1  # All splits of a run are read alike.
    return streamed.pop()


@pytest.mark.parametrize(
    ("reading", "free", "expected"),
    [
        ("auto", 2 * ALL, False),
        ("auto", 2 * ALL - 1, True),
        ("memory", ALL, False),
        ("stream", 1000 * ALL, True),
    ],
)
def test_half_of_what_is_free_may_be_filled(
    reading, free, expected, data, monkeypatch
):
    set_free(monkeypatch, free)
    assert is_streamed(dataclasses.replace(data, reading=reading)) == expected


def test_the_bound_of_the_settings_counts(data, monkeypatch):
    large = dataclasses.replace(data, image_size=200, max_memory_gib=0.01)
    assert not is_streamed(dataclasses.replace(large, max_memory_gib=0.1))
    monkeypatch.setattr(prepared, "_decode_split", None)
    assert is_streamed(large)


def test_a_run_that_would_not_fit_says_so_before_it_begins(data, monkeypatch):
    set_free(monkeypatch, ALL - 1)
    monkeypatch.setattr(prepared, "_decode_split", None)
    monkeypatch.setattr(prepared.records, "read_rows", None)
    asked = dataclasses.replace(data, reading="memory")
    with pytest.raises(prepared.DataError, match="Give --reading=stream"):
        prepared.load_splits(asked)


@pytest.mark.parametrize(
    ("workers", "index", "expected"),
    [
        (["a:1"], 0, 1),
        (["a:1", "a:2", "b:1"], 0, 2),
        (["a:1", "a:2", "b:1"], 2, 1),
        (["a:1"], 5, 1),
    ],
    ids=["alone", "with another", "the other machine", "no such task"],
)
def test_processes_of_one_machine_share_its_memory(
    workers, index, expected, data, monkeypatch
):
    cluster = {"worker": workers}
    task = {"type": "worker", "index": index}
    text = json.dumps({"cluster": cluster, "task": task})
    monkeypatch.setenv("TF_CONFIG", text)
    assert room.processes_here() == expected
    set_free(monkeypatch, 2 * ALL * expected)
    assert room.settle(data, ALL) == "memory"
    assert room.settle(data, ALL + 1) == "stream"

"""What is seen of a build that takes long, or that never moves."""

import re
import time

import pytest

from fer_tfds import synthetic
from fer_tfds.affectnet import progress
from fer_tfds.affectnet import shards
from tests.fer_tfds.affectnet_builds import build
from tests.fer_tfds.affectnet_fixtures import SEED


@pytest.fixture(autouse=True)
def often(monkeypatch):
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_REPORTS", 0.05)


def test_progress_is_shown(tmp_path, monkeypatch, capsys):
    synthetic.write("full", tmp_path / "raw", {"train": [2] * 8}, seed=SEED)
    original = shards.write_shard

    def write_slowly(shard, job):
        original(shard, job)
        time.sleep(0.1)

    monkeypatch.setattr(shards, "write_shard", write_slowly)
    build(tmp_path / "raw", tmp_path / "data", num_shards=5)
    reports = re.findall(
        r"^(\d) of 5 shards written after \d", capsys.readouterr().out, re.M
    )
    assert reports == sorted(reports)
    assert {"1", "2", "3"} & set(reports)


def advice(folder, capsys):
    with progress.report(folder, 24):
        time.sleep(0.8)
    printed = capsys.readouterr().out
    assert printed.count("of 24 shards written") > 3
    return re.findall("No shard is written yet.*", printed)


def test_when_nothing_moves_it_says_once_what_to_look_at(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(progress, "_SECONDS_WITHOUT_A_SHARD", 0.1)
    (line,) = advice(tmp_path, capsys)
    assert "`python` from its PATH" in line
    assert str(tmp_path) in line
    assert "docs/data.md" in line


def test_it_says_nothing_too_early_or_once_a_shard_is_there(
    tmp_path, monkeypatch, capsys
):
    assert not advice(tmp_path, capsys)
    monkeypatch.setattr(progress, "_SECONDS_WITHOUT_A_SHARD", 0.1)
    (tmp_path / "train-00000.summary.json").touch()
    assert not advice(tmp_path, capsys)

"""Which runner Beam gets, and what is seen of a long build."""

import logging
import re
import time

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.options.pipeline_options import StandardOptions

from fer_tfds import synthetic
from fer_tfds.affectnet import pipeline
from fer_tfds.affectnet import shards
from tests.fer_tfds.affectnet_builds import build
from tests.fer_tfds.affectnet_builds import read_content
from tests.fer_tfds.affectnet_fixtures import SEED


@pytest.fixture
def raw(tmp_path):
    synthetic.write("full", tmp_path / "raw", {"train": [2] * 8}, seed=SEED)
    return tmp_path / "raw"


@pytest.fixture
def pipelines(monkeypatch):
    """What each pipeline was made with; all of them run here."""
    seen = []

    def make(runner, options):
        seen.append((runner, options.view_as(StandardOptions).runner))
        return original(runner="FnApiRunner", options=PipelineOptions([]))

    original = beam.Pipeline
    monkeypatch.setattr(beam, "Pipeline", make)
    monkeypatch.setattr("sys.argv", ["program", "--runner=FlinkRunner"])
    return seen


@pytest.mark.parametrize(
    ("flags", "runner", "expected"),
    [
        (None, None, ("FnApiRunner", None)),
        ([], None, ("FnApiRunner", None)),
        (["--runner=DirectRunner"], None, ("FnApiRunner", "DirectRunner")),
        (["--runner=FlinkRunner"], None, (None, "FlinkRunner")),
        ([], "SparkRunner", ("SparkRunner", None)),
    ],
    ids=["nothing", "no_flags", "direct", "flink", "spark"],
)
def test_the_runner_is_as_asked_for(
    raw, tmp_path, pipelines, flags, runner, expected
):
    """Of Beam, whatever the program's own flags are called."""
    build(
        raw,
        tmp_path / "data",
        beam_options=None if flags is None else PipelineOptions(flags),
        beam_runner=runner,
    )
    assert pipelines == [expected]


def test_threads_build_the_same_and_beam_may_speak_again(raw, tmp_path):
    level = logging.getLogger("apache_beam").level
    flags = ["--direct_running_mode=multi_threading", "--direct_num_workers=2"]
    options = {"beam_options": PipelineOptions(flags), "num_shards": 5}
    builder = build(raw, tmp_path / "data", **options)
    assert read_content(builder) == read_content(build(raw, tmp_path / "one"))
    assert logging.getLogger("apache_beam").level == level


def test_progress_is_shown(raw, tmp_path, monkeypatch, capsys):
    original = shards.write_shard

    def write_slowly(shard, job):
        original(shard, job)
        time.sleep(0.1)

    monkeypatch.setattr(shards, "write_shard", write_slowly)
    monkeypatch.setattr(pipeline, "_SECONDS_BETWEEN_REPORTS", 0.05)
    build(raw, tmp_path / "data", num_shards=5)
    reports = re.findall(
        r"^(\d) of 5 shards written after \d", capsys.readouterr().out, re.M
    )
    assert reports == sorted(reports)
    assert {"1", "2", "3"} & set(reports)

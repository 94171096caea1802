"""Which runner Beam gets, and what it builds."""

import dataclasses
import logging

import apache_beam as beam
import pytest
import tensorflow as tf
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.options.pipeline_options import StandardOptions

from fer_tfds import synthetic
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


def test_a_worker_that_comes_too_late_changes_nothing(
    raw, tmp_path, monkeypatch
):
    """An engine may run a shard again that it has lost sight of."""
    jobs, original = [], shards.finish

    def finish(job, split, num_shards):
        jobs.append(job)
        return original(job, split, num_shards)

    monkeypatch.setattr(shards, "finish", finish)
    builder = build(raw, tmp_path / "data", num_shards=2)
    content = read_content(builder)
    files = sorted(builder.data_path.iterdir())
    late = moved(jobs[0], builder.data_path)
    for index in range(2):
        with pytest.raises(tf.errors.NotFoundError):
            shards.write_shard(shards.Shard("train", index, 2), late)
    assert read_content(builder) == content
    assert sorted(builder.data_path.iterdir()) == files


def moved(job, folder):
    """The same job where its records lie once they are complete."""
    return dataclasses.replace(
        job,
        folder=folder / job.folder.name,
        templates={
            split: template.replace(data_dir=folder)
            for split, template in job.templates.items()
        },
    )

"""`tfds build fer_tfds/affectnet` as its user runs it: processes, kill -9."""

import os
import signal

import pytest

from fer_tfds import synthetic
from tests.commands.affectnet_command import read
from tests.commands.affectnet_command import run
from tests.commands.affectnet_command import start
from tests.commands.affectnet_command import wait_for_shards
from tests.fer_tfds.affectnet_fixtures import SEED

TWO_PROCESSES = (
    "--beam_pipeline_options=direct_running_mode=multi_processing,"
    "direct_num_workers=2"
)


def test_command_builds_and_shows_the_counts(tmp_path):
    synthetic.write("full", tmp_path, {"train": [2] * 8}, seed=SEED)
    code, output, errors = run(tmp_path, tmp_path / "data", "--config=size_48")
    assert code == 0, errors
    assert "(full release, faces are cut out of photographs)" in output
    assert "  all                   18" in output
    assert len(read(tmp_path / "data", "size_48")) == 18


def test_command_shows_the_message_alone(tmp_path):
    synthetic.write("numbered_folders", tmp_path, {"train": [1] * 8}, seed=SEED)
    (tmp_path / "affectnet.json").unlink()
    code, _, errors = run(tmp_path, tmp_path / "data")
    assert code != 0
    assert "Traceback" not in errors
    last_line = errors.strip().splitlines()[-1]
    assert "Copies differ in what the numbers mean" in last_line


@pytest.mark.slow
def test_two_processes_build_the_same(tmp_path):
    counts = {"train": [40] * 8, "validation": [5] * 8}
    synthetic.write("full", tmp_path, counts, seed=SEED)
    one, two = tmp_path / "one", tmp_path / "two"
    for data_dir, options in ((one, ()), (two, (TWO_PROCESSES,))):
        code, _, errors = run(tmp_path, data_dir, "--num_shards=8", *options)
        assert code == 0, errors
    content = read(one)
    assert len(content) == 396
    assert read(two) == content
    assert list(read(two)) == list(content)


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), (TWO_PROCESSES,)], ids=["one", "two"])
def test_killed_and_built_again_it_is_the_same(tmp_path, options):
    counts = {"train": [60] * 8, "validation": [5] * 8}
    synthetic.write("full", tmp_path, counts, seed=SEED)
    options = ("--num_shards=20", *options)
    killed = start(tmp_path, tmp_path / "killed", *options)
    wait_for_shards(tmp_path / "killed", killed, number=3)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate(timeout=60)
    folder = tmp_path / "killed" / "affectnet" / "size_96"
    assert not (folder / "1.0.0").exists()
    for data_dir in (tmp_path / "killed", tmp_path / "whole"):
        code, output, errors = run(tmp_path, data_dir, *options)
        assert code == 0, errors
        was_killed = data_dir.name == "killed"
        assert ("a killed build has left" in output) == was_killed
    content = read(tmp_path / "killed")
    assert len(content) == 572
    assert content == read(tmp_path / "whole")

"""`tfds build fer_tfds/affectnet` as its user runs it: processes, kill -9."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
import tensorflow_datasets as tfds

from fer_tfds import synthetic
from tests.fer_tfds.affectnet_builds import read_content
from tests.fer_tfds.affectnet_fixtures import SEED

ROOT = pathlib.Path(__file__).parents[2]
TWO_PROCESSES = (
    "--beam_pipeline_options=direct_running_mode=multi_processing,"
    "direct_num_workers=2"
)


def start(manual_dir, data_dir, *options):
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1"}
    # Workers must find all they need without it.
    environment.pop("PYTHONPATH", None)
    return subprocess.Popen(
        [
            pathlib.Path(sys.executable).with_name("tfds"),
            "build",
            "fer_tfds/affectnet",
            f"--manual_dir={manual_dir}",
            f"--data_dir={data_dir}",
            *options,
        ],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(*arguments):
    """Exit code, standard output and standard error of a whole build."""
    process = start(*arguments)
    output, errors = process.communicate(timeout=300)
    return process.returncode, output, errors


def read(data_dir, config="size_96"):
    folder = data_dir / "affectnet" / config / "1.0.0"
    return read_content(tfds.builder_from_directory(folder))


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


def wait_for_shards(data_dir, process, number):
    """Until so many shards of a running build are written."""
    while process.poll() is None:
        if len(list(data_dir.rglob("*.summary.json"))) >= number:
            return
        time.sleep(0.005)
    raise AssertionError(process.communicate()[1])


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

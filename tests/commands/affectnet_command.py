"""`tfds build fer_tfds/affectnet` in a process of its own, and its result."""

import os
import pathlib
import subprocess
import sys
import time

import tensorflow_datasets as tfds

from tests.commands.command_line import ROOT
from tests.fer_tfds.affectnet_builds import read_content


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


def wait_for_shards(data_dir, process, number):
    """Until so many shards of a running build are written."""
    while process.poll() is None:
        if len(list(data_dir.rglob("*.summary.json"))) >= number:
            return
        time.sleep(0.005)
    raise AssertionError(process.communicate()[1])

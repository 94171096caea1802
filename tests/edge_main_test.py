"""Tests of `python -m edge`, run as a user runs it, and of its wheel."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from tests import classifier_test

ROOT = pathlib.Path(__file__).parent.parent


@pytest.fixture
def files(tmp_path):
    """A model, a dark and a light picture, and a text called .png."""
    shutil.copy(classifier_test.model_path("uint8"), tmp_path / "m.tflite")
    for name, level in (("dark", 5), ("light", 250)):
        image = Image.fromarray(np.full([20, 30], level, np.uint8))
        image.save(tmp_path / f"{name}.png")
    (tmp_path / "bad.png").write_text("no picture")
    return tmp_path


def edge(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "edge", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


def test_runs_in_any_folder(files):
    done = edge(files, "--model=m.tflite", "light.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("light.png: light 0.")
    assert done.stdout.count("\n") == 1


def test_one_bad_picture_does_not_stop_the_others(files):
    names = ["dark.png", "bad.png", "light.png"]
    done = edge(files, "--model=m.tflite", *names)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["dark.png:", "dark"],
        ["light.png:", "light"],
    ]
    assert "bad.png" in done.stderr


def test_json_gives_one_object_for_each_picture(files):
    done = edge(files, "--model=m.tflite", "--json", "dark.png", "bad.png")
    good, bad = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 1
    assert (good["picture"], good["label"]) == ("dark.png", "dark")
    assert set(good["probabilities"]) == set(classifier_test.LABELS)
    assert bad["picture"] == "bad.png"
    assert "cannot read" in bad["error"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "usage"),
        (["light.png"], "--model"),
        (["--model=m.tflite"], "PICTURE"),
        (["--model=gone.tflite", "light.png"], "python -m export --tflite"),
        (["--model=m.tflite", "--threads=0", "light.png"], "num_threads"),
    ],
    ids=["nothing", "no model", "no picture", "missing model", "threads"],
)
def test_wrong_commands_exit_with_2(files, arguments, message):
    done = edge(files, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_the_wheel_holds_the_package_and_nothing_else(tmp_path):
    """Builds what `pip install ./edge` installs, from a littered folder."""
    source = tmp_path / "edge"
    ignored = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT / "edge", source, ignore=ignored)
    (source / "tests").mkdir()
    (source / "tests" / "stray_test.py").touch()
    (source / "model.tflite").touch()
    subprocess.run(
        [
            sys.executable,
            "-c",
            "from setuptools import build_meta; "
            f"build_meta.build_wheel({str(tmp_path)!r})",
        ],
        cwd=source,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("fer_edge-0.1.0-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    modules = {f"edge/{path.name}" for path in (ROOT / "edge").glob("*.py")}
    assert {name for name in names if ".dist-info/" not in name} == modules

"""Flags without effect are named before a training starts."""

import os
import pathlib
import subprocess
import sys

import pytest

from trainer.settings import cli_flags
from trainer.settings import settings as settings_lib

ROOT = pathlib.Path(__file__).parents[3]
FLAGFILES = sorted(ROOT.glob("*.flags")) + sorted(ROOT.glob("recipes/*.flags"))


def test_the_line_names_each_flag_with_what_makes_it_idle():
    settings = settings_lib.from_flat(
        {"backbone": "densenet121", "widths": (8,), "momentum": 0.5}
    )
    assert cli_flags.idle_line(settings) == (
        "without effect here: --widths=8 (--backbone=densenet121), "
        "--momentum=0.5 (--optimizer=adam)"
    )
    assert cli_flags.idle_line(settings_lib.Settings()) == ""


@pytest.mark.parametrize("path", FLAGFILES, ids=lambda path: path.name)
def test_no_recipe_has_a_dead_line(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert cli_flags.idle_line(cli_flags.read_flagfile(path)) == ""


def start(folder, *arguments):
    """What `python -m trainer` says where no data is prepared."""
    command = [sys.executable, "-m", "trainer", *arguments]
    return subprocess.run(
        [*command, f"--workdir={folder}/run", f"--data_dir={folder}"],
        cwd=ROOT,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_command_says_it_before_all_else(tmp_path):
    flagfile = tmp_path / "mine.flags"
    flagfile.write_text("--backbone=tiny_cnn\n--stem_stride=4\n")
    done = start(tmp_path, f"--flagfile={flagfile}", "--momentum=0.5")
    assert done.stderr.splitlines()[0] == (
        "without effect here: --stem_stride=4 (--backbone=tiny_cnn), "
        "--momentum=0.5 (--optimizer=adam)"
    )
    assert "no prepared `fer2013`" in done.stderr


def test_the_command_is_silent_where_all_flags_count(tmp_path):
    done = start(tmp_path, "--optimizer=sgd", "--momentum=0.5")
    assert "without effect" not in done.stdout + done.stderr
    assert "no prepared `fer2013`" in done.stderr

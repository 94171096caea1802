"""Flags without effect are named before a training starts."""

import pytest

from tests.commands.command_line import python
from tests.trainer.settings.variants import FLAGFILES
from tests.trainer.settings.variants import ROOT
from trainer.settings import cli_flags
from trainer.settings import settings as settings_lib


def test_the_line_names_each_flag_with_what_makes_it_idle():
    values = {"backbone": "densenet121", "widths": (8,), "momentum": 0.5}
    settings = settings_lib.from_flat(values)
    assert cli_flags.idle_line(settings) == (
        "without effect here: --widths=8 (--backbone=densenet121), "
        "--momentum=0.5 (--optimizer=adam)"
    )
    assert cli_flags.idle_line(settings_lib.Settings()) == ""


@pytest.mark.parametrize("path", FLAGFILES, ids=lambda path: path.name)
def test_no_recipe_has_a_dead_line(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert cli_flags.idle_line(cli_flags.read_flagfile(path)) == ""


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_the_command_says_it_before_all_else(tmp_path, optimizer):
    (tmp_path / "mine.flags").write_text(f"--optimizer={optimizer}\n")
    arguments = [f"--flagfile={tmp_path}/mine.flags", "--momentum=0.5"]
    folders = f"--workdir={tmp_path}/run", f"--data_dir={tmp_path}"
    done = python("-m", "trainer", *arguments, *folders)
    assert "no prepared `fer2013`" in done.stderr
    said = "without effect here: --momentum=0.5 (--optimizer=adam)"
    assert (done.stderr.splitlines()[0] == said) == (optimizer == "adam")
    assert ("without effect" in done.stdout + done.stderr) == (
        optimizer == "adam"
    )

"""Flags without effect are named before a training starts."""

import pytest

from tests.commands.command_line import python
from tests.trainer.settings.variants import FLAGFILES
from tests.trainer.settings.variants import ROOT
from trainer.settings import cli_flags
from trainer.settings import settings as settings_lib


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


@pytest.mark.parametrize(
    ("lines", "arguments", "said"),
    [
        (
            "--backbone=tiny_cnn\n--stem_stride=4\n",
            ["--momentum=0.5"],
            "without effect here: --stem_stride=4 (--backbone=tiny_cnn), "
            "--momentum=0.5 (--optimizer=adam)",
        ),
        ("", ["--optimizer=sgd", "--momentum=0.5"], None),
    ],
    ids=["idle", "all count"],
)
def test_the_command_says_it_before_all_else(tmp_path, lines, arguments, said):
    (tmp_path / "mine.flags").write_text(lines)
    arguments = [f"--flagfile={tmp_path}/mine.flags", *arguments]
    folders = f"--workdir={tmp_path}/run", f"--data_dir={tmp_path}"
    done = python("-m", "trainer", *arguments, *folders)
    assert "no prepared `fer2013`" in done.stderr
    if said is None:
        assert "without effect" not in done.stdout + done.stderr
    else:
        assert done.stderr.splitlines()[0] == said

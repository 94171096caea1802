"""Exports that are stopped or killed: what they say, and what they leave."""

import re
import signal
import subprocess
import sys

from export import exporter
from fer_tfds import locks
from tests.commands import command_line
from tests.export.export_fixtures import names
from tests.export.export_fixtures import options


def lock_of(workdir):
    """The locks of the hidden folders that exports write into."""
    return list(workdir.glob(".export-*/.lock"))


def test_ctrl_c_says_where_it_stands(workdir):
    process = subprocess.Popen(
        [sys.executable, "-m", "export", f"--workdir={workdir}", "--tflite"],
        cwd=command_line.ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    command_line.wait_for(lambda: lock_of(workdir) or process.poll())
    process.send_signal(signal.SIGINT)
    said = process.communicate()[1]
    assert re.fullmatch(
        "stopped by SIGINT: while (writing and converting|comparing .*); "
        "nothing of it is kept; the same command starts again\n",
        said,
    )
    assert process.returncode == 130
    assert not [n for n in names(workdir) if "export" in n]


def test_the_next_export_clears_what_a_killed_one_left(workdir, capsys):
    command_line.kill_once(
        ["-m", "export", f"--workdir={workdir}"], lambda: lock_of(workdir)
    )
    (left,) = (lock.parent for lock in lock_of(workdir))
    foreign, held = workdir / ".export-mine", workdir / ".export-held"
    foreign.mkdir()
    with locks.hold_folder(held):
        (held / "half").touch()
        exporter.export_run(options(workdir, parity_images=7))
        assert (held / "half").exists()
    assert f"deleted {left}" in capsys.readouterr().out
    assert not left.exists()
    assert foreign.exists()

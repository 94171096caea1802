"""Runs that are stopped in their midst, and what they have written by then."""

import csv
import os
import signal
import subprocess
import sys
import time

from tests.commands.command_line import ROOT
from tests.commands.command_line import python


def history(workdir):
    """Rows of each epoch, but for the time it took."""
    with open(workdir / "history.csv", encoding="utf-8") as file:
        return [{**row, "seconds": ""} for row in csv.DictReader(file)]


def stop_after_epoch(arguments, workdir, epoch, number=signal.SIGKILL):
    """Starts a run and stops it once the checkpoint of `epoch` is there."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 240
    target = workdir / "checkpoints" / f"epoch-{epoch:05d}"
    while not target.exists():
        assert process.poll() is None, "the run ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGSTOP)
    # A second run finds the folder in use, and says by whom.
    second = python(*arguments, "--overwrite")
    assert f"in use: process {process.pid} on" in second.stderr
    os.killpg(process.pid, number)
    os.killpg(process.pid, signal.SIGCONT)
    _, told = process.communicate()
    return process.returncode, told

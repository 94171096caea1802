"""A worker killed with -9 in the middle of a job of two; the job goes on."""

import os
import signal

import pytest

from tests.commands.command_line import wait_for
from tests.trainer import two_workers
from tests.trainer import weight_files
from tests.trainer.small_runs import tiny

VALUES = {"fine_tune_epochs": 8, "flip": True, "ema": 0.5}

# The survivor learns of the loss from a heartbeat that stays away.
SECONDS_TO_NOTICE = 120


@pytest.mark.slow
def test_a_job_that_lost_a_worker_goes_on(prepared_data, tmp_path):
    settings = tiny(prepared_data, strategy="multi_worker", **VALUES)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for process in two_workers.start(settings, whole):
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors[-3000:]

    chief, other = two_workers.start(settings, broken)
    wait_for((broken / "checkpoints" / "epoch-00003").exists)
    os.kill(other.pid, signal.SIGKILL)
    _, errors = chief.communicate(timeout=SECONDS_TO_NOTICE)
    other.communicate()
    assert chief.returncode != 0
    assert "Traceback" not in errors
    assert "type the same command again on every machine" in errors
    assert not (broken / "metrics.json").exists()

    printed = []
    for process in two_workers.start(settings, broken):
        out, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors[-3000:]
        printed.append(out)
    assert "resuming after epoch" in printed[0]
    assert "epoch   1/8" not in printed[0]
    weight_files.assert_equal(whole, broken, 1e-5)

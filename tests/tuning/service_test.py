"""A search of several processes, and what becomes of it when one is lost."""

import json
import os
import signal
import subprocess
import sys
import types

import pytest

from tests.commands.command_line import ROOT
from tests.commands.command_line import wait_for
from tests.trainer import two_workers
from tuning import service

TRIALS = 10
NAMES = dict(zip(service.VARIABLES, ("127.0.0.1", "1", "chief"), strict=True))


def command(data_dir, out):
    return [
        sys.executable, "-m", "tuning", f"--data_dir={data_dir}",
        f"--out={out}", f"--feature_cache={out.parent}/cache",
        "--backbone=tiny_cnn", "--head_epochs=3", "--batch_size=28",
        f"--max_trials={TRIALS}", "--tune=head_depth,head_learning_rate",
        "--confirm_seeds=0", "--worker_timeout=10",
    ]  # fmt: skip


def start(name, port, data_dir, out):
    values = ("127.0.0.1", str(port), name)
    env = {**os.environ, **dict(zip(service.VARIABLES, values, strict=True))}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen(
        command(data_dir, out), cwd=ROOT, env=env, text=True, **pipes
    )


def results_in(out):
    return {path.parent.name for path in out.glob("trials/*/result.json")}


@pytest.mark.slow
@pytest.mark.parametrize("lost", ["worker", "chief"])
def test_a_search_survives_the_loss_of_a_process(lost, prepared_data, tmp_path):
    out, port = tmp_path / "out", two_workers.free_ports(1)[0]
    names = ("chief", "one", "two")
    jobs = {name: start(name, port, prepared_data, out) for name in names}
    wait_for(lambda: len(results_in(out)) >= 3)
    gone = "chief" if lost == "chief" else "one"
    os.kill(jobs[gone].pid, signal.SIGKILL)
    jobs[gone].communicate()
    if lost == "chief":
        jobs[gone] = start(gone, port, prepared_data, out)
    printed = {}
    for name, job in jobs.items():
        if name != gone or lost == "chief":
            printed[name], _ = job.communicate(timeout=240)
            assert job.returncode == 0, printed[name][-3000:]
    assert len(results_in(out)) == TRIALS
    for path in out.glob("trials/*/result.json"):
        assert json.loads(path.read_text())["status"] == "completed"
    assert (out / "best.flags").exists()
    assert "no trial is left" in printed["two"]
    assert not list((out / "workers").iterdir())


def test_the_environment_says_who_we_are_or_is_refused(monkeypatch):
    for name in service.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert service.role() == "single"
    for name, value in NAMES.items():
        monkeypatch.setenv(name, value)
    assert service.role() == "chief"
    monkeypatch.setenv("KERASTUNER_TUNER_ID", "worker0")
    assert service.role() == "worker"
    monkeypatch.delenv("KERASTUNER_ORACLE_PORT")
    with pytest.raises(ValueError, match="not set: KERASTUNER_ORACLE_PORT"):
        service.role()


def test_a_silent_worker_is_noticed_no_living_one(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(service.time, "monotonic", lambda: now[0])
    watch = service._Watch(tmp_path, timeout=10)
    for name in ("silent", "living", "ended"):
        (tmp_path / name).touch()
    assert watch.look() == ({"silent", "living", "ended"}, set())
    now[0] += 11
    os.utime(tmp_path / "living", (1, 1))
    (tmp_path / "ended").unlink()
    assert watch.look() == ({"living"}, {"silent", "ended"})
    assert not (tmp_path / "silent").exists()
    assert watch.look() == ({"living"}, set())


def test_a_worker_shows_that_it_lives_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASTUNER_TUNER_ID", "one")
    monkeypatch.setattr(service, "BEAT", 0.01)
    with service.beating(tmp_path):
        os.utime(tmp_path / "one", (1, 1))
        wait_for(lambda: (tmp_path / "one").stat().st_mtime > 1)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def port(monkeypatch):
    """A port that nobody listens on, told as that of the chief."""
    port = two_workers.free_ports(1)[0]
    monkeypatch.setenv("KERASTUNER_ORACLE_IP", "127.0.0.1")
    monkeypatch.setenv("KERASTUNER_ORACLE_PORT", str(port))
    return port


def test_a_chief_with_nothing_left_ends(port, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(service, "BEAT", 0.01)
    ended = types.SimpleNamespace(is_over=lambda has_stopped: True)
    service.serve(ended, tmp_path, 10)
    assert f"127.0.0.1:{port}" in capsys.readouterr().out


@pytest.mark.usefixtures("port")
def test_a_worker_without_a_chief_says_so(monkeypatch):
    from keras_tuner.src.distribute import oracle_client

    monkeypatch.setenv("KERASTUNER_TUNER_ID", "one")
    monkeypatch.setattr(service, "CHIEF_TIMEOUT", 0.5)
    with (
        pytest.raises(service.ServiceError, match="start chief and workers"),
        service.explain_lost_chief(),
    ):
        oracle_client.OracleClient(None).get_space()

"""A disk that fills up: refused before, or survived in mid-run.

The system's own limit on the size of a file stands in for the full disk: the
same writes fail at the same places.
"""

import csv
import json
import resource
import shutil
import signal

import pytest

from tests.commands.command_line import python
from tests.trainer.small_runs import tiny
from trainer import exit_codes
from trainer import files
from trainer import train as training


def train(data_dir, workdir, file_bytes=None, epochs=2):
    """Runs the command, on demand with a bound on the size of its files."""

    def bound():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        if file_bytes:
            limits = (file_bytes, file_bytes)
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    return python(
        *("-m", "trainer", "--backbone=tiny_cnn", f"--data_dir={data_dir}"),
        *(f"--workdir={workdir}", f"--fine_tune_epochs={epochs}"),
        preexec_fn=bound,
        env={"TF_CPP_MIN_LOG_LEVEL": "3"},
    )


@pytest.mark.parametrize(
    ("kib", "what"),
    [(450, "checkpoint"), pytest.param(100, "weights", marks=pytest.mark.slow)],
)
def test_a_full_disk_is_one_message_and_the_run_goes_on(
    kib, what, prepared_data, tmp_path
):
    workdir = tmp_path / "run"
    # The weights take 330 KB and a checkpoint three times as much.
    result = train(prepared_data, workdir, kib * 1024)
    assert result.returncode == exit_codes.DISK_FULL
    assert result.stderr.count("\n") == 1, result.stderr
    assert "make room and type the same command again" in result.stderr
    assert ("checkpoints" in result.stderr) == (what == "checkpoint")
    assert not list(workdir.glob("checkpoints/*"))
    assert train(prepared_data, workdir).returncode == 0
    with open(workdir / "history.csv", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 2
    json.loads((workdir / "metrics.json").read_text())


def test_too_little_space_is_refused_before_writing(tmp_path, monkeypatch):
    free = shutil.disk_usage(tmp_path)._replace(free=5 * files.MIB)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: free)
    files.check_space(tmp_path / "a" / "b", 5 * files.MIB)
    with pytest.raises(OSError, match=r"needs 6.0 MiB .* 5.0 MiB left"):
        files.check_space(tmp_path / "a" / "b", 6 * files.MIB)
    assert not (tmp_path / "a").exists()


def test_a_run_asks_for_the_room_it_takes(prepared_data, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        files, "check_space", lambda *given: asked.append(given)
    )
    workdir = tmp_path / "run"
    settings = tiny(prepared_data, ema=0.9)
    training.train_and_evaluate(settings, workdir)
    checkpoints = workdir.glob("checkpoints/*/*")
    written = [*checkpoints, workdir / "best.weights.h5"]
    # One more checkpoint while it is written.
    taken = 1.5 * sum(path.stat().st_size for path in written)
    assert 0.8 * taken < asked[0][1] < 1.2 * taken

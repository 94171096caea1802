"""Two replicas in one process, and two real worker processes on loopback.

Equality with one device is shown on the head phase: there BatchNorm uses its
stored statistics. In training mode each replica normalises by its own share
of the batch, so a different number of replicas is a different network.
"""

import json
import re

import pytest

from tests.commands.command_line import ROOT
from tests.commands.command_line import python
from tests.trainer import two_workers
from tests.trainer import weight_files
from trainer import runtime
from trainer.settings import settings as settings_lib

VALUES = {
    **{"backbone": "tiny_cnn", "batch_size": 28, "fine_tune_epochs": 0},
    **{"head_epochs": 2, "head_learning_rate": 0.01, "ema": 0.5},
    **{"flip": True, "rotation": 5, "class_weights": "balanced"},
}


def run(*arguments):
    """Runs a training to its end; returns what it printed."""
    result = python(*arguments)
    assert result.returncode == 0, result.stderr[-3000:]
    return result.stdout


@pytest.fixture(scope="module")
def one_device(prepared_data, tmp_path_factory):
    settings = settings_lib.from_flat({**VALUES, "data_dir": prepared_data})
    workdir = tmp_path_factory.mktemp("runs") / "one_device"
    run(*two_workers.arguments(settings, workdir))
    return workdir


def run_two_replicas(values, folder):
    settings = settings_lib.from_flat({**values, "strategy": "mirrored"})
    (folder / "s.json").write_text(settings.to_json())
    script = ROOT / "tests" / "trainer" / "two_replicas.py"
    printed = run(script, folder / "s.json", folder / "w")
    assert "logical devices: 2" in printed
    return folder / "w"


def test_two_replicas_train_the_same_head(one_device, prepared_data, tmp_path):
    workdir = run_two_replicas({**VALUES, "data_dir": prepared_data}, tmp_path)
    weight_files.assert_equal(one_device, workdir, 1e-5)
    manifest = json.loads((workdir / "manifest.json").read_text())
    assert manifest["replicas"] == 2


def test_two_replicas_fine_tune_in_mixed_precision(prepared_data, tmp_path):
    changes = {"fine_tune_epochs": 1, "image_size": 24}
    changes |= {"data_dir": prepared_data, "precision": "mixed_float16"}
    workdir = run_two_replicas({**VALUES, **changes}, tmp_path)
    metrics = json.loads((workdir / "metrics.json").read_text())
    assert metrics["test"]["n"] == 42
    manifest = json.loads((workdir / "manifest.json").read_text())
    assert manifest["precision"] == "mixed_float16"


def test_two_workers_train_the_same_head(one_device, prepared_data, tmp_path):
    values = {**VALUES, "data_dir": prepared_data, "strategy": "multi_worker"}
    settings = settings_lib.from_flat(values)
    printed = []
    for process in two_workers.start(settings, tmp_path / "w"):
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err[-3000:]
        printed.append(re.findall(".*macro-F1.*", out))
    # Only the chief tells of epochs; both must come to the same figures.
    assert printed[0][-2:] == printed[1][-2:]
    weight_files.assert_equal(one_device, tmp_path / "w", 1e-5)


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ("", "needs TF_CONFIG"),
        ("nonsense", "TF_CONFIG is not usable"),
        ('{"cluster": {}, "task": {}}', "TF_CONFIG is not usable"),
    ],
    ids=["absent", "nonsense", "empty"],
)
def test_a_worker_without_address_says_what_to_set(config, text, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(ValueError, match=text):
        runtime.make_strategy("multi_worker")


def test_a_batch_that_cannot_be_shared_is_refused(prepared_data, tmp_path):
    values = {**VALUES, "data_dir": prepared_data, "batch_size": 27}
    with pytest.raises(AssertionError, match="give a multiple of 2"):
        run_two_replicas(values, tmp_path)

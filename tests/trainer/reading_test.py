"""Runs that stream: resumed, on two workers, and over files that go bad."""

import dataclasses
import json
import re
import signal

import pytest
import tensorflow as tf

from tests.commands.command_line import python
from tests.trainer import free_memory
from tests.trainer import sharded
from tests.trainer import stopped_runs
from tests.trainer import two_workers
from tests.trainer import weight_files
from trainer import reading
from trainer import train
from trainer import training_run
from trainer.data import prepared
from trainer.settings import settings as settings_lib
from trainer.settings.model_and_data import DataSettings

VALUES = {
    **{"backbone": "tiny_cnn", "batch_size": 28, "fine_tune_epochs": 4},
    **{"fine_tune_learning_rate": 0.003, "flip": True, "rotation": 5},
    **{"mixup": 0.1, "reading": "stream"},
}


@pytest.fixture(scope="module")
def data_dir(prepared_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sharded") / "data"
    return sharded.copy(prepared_data, folder, train=5)


def test_a_killed_run_resumes_with_the_same_bits(data_dir, tmp_path):
    settings = settings_lib.from_flat({**VALUES, "data_dir": data_dir})
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    train.train_and_evaluate(settings, whole)
    command = two_workers.arguments(settings, killed)
    stopped_runs.stop_after_epoch(command, killed, 2, signal.SIGKILL)
    again = python(*command)
    assert again.returncode == 0, again.stderr
    assert "resuming after epoch" in again.stdout
    # What TensorFlow says where determinism takes parallelism away.
    assert "NodeDef" not in again.stderr
    assert stopped_runs.history(killed) == stopped_runs.history(whole)
    weight_files.assert_equal(whole, killed)


def test_two_workers_read_half_each(data_dir, tmp_path):
    """Real ones: which examples come, and how many bytes."""
    values = {**VALUES, "data_dir": data_dir, "strategy": "multi_worker"}
    settings = settings_lib.from_flat({**values, "image_size": 96})
    path = tmp_path / "settings.json"
    path.write_text(settings.to_json())
    workers = two_workers.start_each("-m", "tests.trainer.two_readers", path)
    found = []
    for process in workers:
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err[-3000:]
        found.append(json.loads(out.splitlines()[-1]))
    for epoch in range(2):
        both = [worker["epochs"][epoch] for worker in found]
        assert [len(seen) for seen in both] == [140, 140]
        assert sorted(both[0] + both[1]) == list(range(280))
    assert found[0]["epochs"][0] != found[0]["epochs"][1]
    assert [worker["evaluated"] for worker in found] == [280, 280]


@pytest.mark.slow
def test_two_workers_come_to_the_same(data_dir, tmp_path):
    values = {**VALUES, "data_dir": data_dir, "strategy": "multi_worker"}
    settings = settings_lib.from_flat({**values, "fine_tune_epochs": 2})
    printed = []
    for process in two_workers.start(settings, tmp_path / "w"):
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err[-3000:]
        printed.append(re.findall(".*macro-F1.*", out))
    assert printed[0][-2:] == printed[1][-2:]
    metrics = json.loads((tmp_path / "w" / "metrics.json").read_text())
    assert {name: each["n"] for name, each in metrics.items()} == {
        "validation": 56,
        "test": 42,
    }


def test_one_image_after_the_other_it_is_the_run_of_memory(
    prepared_data, tmp_path
):
    """The figures of a network that does not train."""
    frozen = {"fine_tune_learning_rate": 0.0, "fine_tune_epochs": 1}
    frozen |= {"num_classes": 6, "mixup": 0.0, "fine_tune_batch_norm": False}
    histories, metrics = [], []
    for way in ("stream", "memory"):
        values = {**VALUES, **frozen, "reading": way, "flip": False}
        settings = settings_lib.from_flat(
            {**values, "rotation": 0, "data_dir": prepared_data}
        )
        metrics.append(train.train_and_evaluate(settings, tmp_path / way))
        (row,) = stopped_runs.history(tmp_path / way)
        histories.append(row)
    for name in ("val_loss", "val_accuracy", "val_macro_f1"):
        assert float(histories[0][name]) == pytest.approx(
            float(histories[1][name]), abs=1e-5
        )
    # Another order: other examples wait for another epoch.
    assert histories[0]["loss"] != histories[1]["loss"]
    assert metrics[0]["test"]["n"] == metrics[1]["test"]["n"] == 36
    for name in ("seen_in_training", "accuracy", "unseen"):
        assert metrics[0]["test"][name] == metrics[1]["test"][name]
    manifests = [
        json.loads((tmp_path / way / "manifest.json").read_text())
        for way in ("stream", "memory")
    ]
    assert [m["reading"] for m in manifests] == ["stream", "memory"]
    assert "stored_sha256" in manifests[0]["data"]["splits"]["train"]
    assert "sha256" in manifests[1]["data"]["splits"]["train"]


@pytest.mark.parametrize("how", ["vanishes", "cut"])
def test_a_shard_that_goes_bad_in_mid_epoch_is_named(
    how, data_dir, prepared_data, tmp_path, monkeypatch
):
    root = sharded.copy(prepared_data, tmp_path / "data", train=5)
    shard = sharded.files(root, "train")[3]

    def spoil(run, phase, images):
        """Once a run reads, before its first step."""
        if how == "vanishes":
            shard.unlink()
        else:
            shard.write_bytes(shard.read_bytes()[:-100])
        return training_data(run, phase, images)

    training_data = training_run.TrainingRun.training_data
    monkeypatch.setattr(training_run.TrainingRun, "training_data", spoil)
    settings = settings_lib.from_flat({**VALUES, "data_dir": root})
    said = {"vanishes": "is missing", "cut": "is cut or damaged"}[how]
    with pytest.raises(prepared.DataError, match=f"{shard.name} {said}") as why:
        train.train_and_evaluate(settings, tmp_path / "run")
    assert "tfds build fer_tfds/fer2013 --config=original" in str(why.value)


def settle(data, begun, monkeypatch, free):
    free_memory.set_free(monkeypatch, free)
    strategy = tf.distribute.get_strategy()
    return reading.settle(data, strategy, begun=begun).reading


def test_a_run_goes_on_as_it_began(data_dir, tmp_path, monkeypatch):
    data, much = DataSettings(data_dir=data_dir), 10 * free_memory.ALL
    little = free_memory.ALL + 1
    assert settle(data, None, monkeypatch, much) == "memory"
    assert settle(data, None, monkeypatch, little) == "stream"
    assert settle(data, tmp_path, monkeypatch, little) == "stream"
    manifest = tmp_path / "manifest.json"
    told = {"data": {"name": "fer2013"}, "commit": None}
    manifest.write_text(json.dumps({**told, "reading": "stream"}))
    assert settle(data, tmp_path, monkeypatch, much) == "stream"
    # Runs from before there was a choice.
    manifest.write_text(json.dumps(told))
    assert settle(data, tmp_path, monkeypatch, little) == "memory"
    with pytest.raises(prepared.DataError, match="make room, or begin again"):
        settle(data, tmp_path, monkeypatch, free_memory.ALL - 1)
    asked = dataclasses.replace(data, reading="stream")
    assert settle(asked, None, monkeypatch, much) == "stream"

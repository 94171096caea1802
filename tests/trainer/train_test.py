"""A run end to end, in this process: what it leaves behind and honours."""

import csv
import json
import math

import numpy as np
import pytest

from tests.trainer.small_runs import tiny
from trainer import checkpoints
from trainer import train
from trainer.data import prepared


@pytest.fixture(scope="module")
def finished(prepared_data, tmp_path_factory):
    """A run through both phases: its workdir and what it returned."""
    workdir = tmp_path_factory.mktemp("runs") / "finished"
    head = {"head_epochs": 1, "head_units": (16,), "head_dropout": (0.1,)}
    others = {"ema": 0.9, "pooling_dropout": 0.2, "flip": True, "rotation": 5}
    from_layer = {"fine_tune_from": "stage3_1_conv"}
    settings = tiny(prepared_data, **head, **others, **from_layer)
    return workdir, train.train_and_evaluate(settings, workdir)


def test_a_run_leaves_all_its_files(finished):
    workdir, _ = finished
    assert {path.name for path in workdir.iterdir()} == {
        *("settings.json", "run.flags", "manifest.json", "checkpoints"),
        *("best.weights.h5", "history.csv", "tensorboard", "report.html"),
        *("predictions.npz", "robustness.json", "metrics.json"),
    }
    kept = sorted(path.name for path in (workdir / "checkpoints").iterdir())
    assert kept == ["epoch-00002", "epoch-00003"]


def test_metrics_history_and_manifest_say_what_happened(finished):
    workdir, figures = finished
    assert json.loads((workdir / "metrics.json").read_text()) == figures
    assert figures["test"]["n"] == 42
    with open(workdir / "history.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["phase"] for row in rows] == ["head"] + ["fine_tune"] * 2
    best = max(float(row["val_accuracy"]) for row in rows)
    assert figures["validation"]["accuracy"] == pytest.approx(best)
    run = checkpoints.load_for_inference(workdir)
    split = prepared.load_split(run.settings.data, "test")
    answers = run.model.predict(split.images.astype(np.float32), verbose=0)
    right = np.mean(answers.argmax(axis=1) == split.labels)
    assert figures["test"]["accuracy"] == pytest.approx(right)
    manifest = json.loads((workdir / "manifest.json").read_text())
    assert manifest["data"]["name"] == "fer2013/original/1.1.0"
    assert manifest["data"]["splits"]["train"]["examples"] == 280
    assert len(manifest["data"]["splits"]["test"]["sha256"]) == 64
    assert manifest["libraries"]["tensorflow"].startswith("2.")


def test_phase_two_leaves_the_frozen_part_as_it_was(finished):
    import keras

    from trainer.models import build_model

    run = checkpoints.load_for_inference(finished[0])
    keras.utils.set_random_seed(0)
    fresh = build_model(run.settings, 7, keras)
    for name in ("normalisation", "stage1_1_conv", "stage1_1_bn"):
        before = fresh.get_layer(name).get_weights()
        after = run.model.get_layer(name).get_weights()
        assert all(map(np.array_equal, before, after))
    moved = run.model.get_layer("stage3_1_bn").get_weights()[2]
    assert np.abs(moved).max() > 1e-4


def test_a_run_may_be_tested_once_it_has_been_chosen(prepared_data, tmp_path):
    untested = tiny(prepared_data, test_split="none")
    assert "test" not in train.train_and_evaluate(untested, tmp_path)
    weights, history = (
        (tmp_path / name).read_bytes()
        for name in ("best.weights.h5", "history.csv")
    )
    figures = train.train_and_evaluate(tiny(prepared_data), tmp_path)
    assert figures["test"]["n"] == 42
    assert figures == json.loads((tmp_path / "metrics.json").read_text())
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert "test" in manifest["data"]["splits"]
    assert (tmp_path / "best.weights.h5").read_bytes() == weights
    assert (tmp_path / "history.csv").read_bytes() == history


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"batch_size": 300}, "larger than the training split"),
        ({"fine_tune_from": "conv9"}, "Layers: pixels, normalisation"),
        ({"data_dir": "nowhere"}, "tfds build fer_tfds/fer2013"),
        ({"weights": "no.weights.h5"}, "there is no no.weights.h5"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_cannot_work_fails_at_once(values, text, prepared_data, tmp_path):
    settings = tiny(**{"data_dir": prepared_data, **values})
    with pytest.raises(ValueError) as caught:
        train.train_and_evaluate(settings, tmp_path / "run")
    assert text in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_divergence_ends_the_run_and_says_what_to_do(prepared_data, tmp_path):
    wild = {"optimizer": "sgd", "fine_tune_learning_rate": 1e38}
    settings = tiny(prepared_data, **wild)
    with pytest.raises(ArithmeticError, match="Lower the learning rate"):
        train.train_and_evaluate(settings, tmp_path / "run")
    assert not (tmp_path / "run" / "metrics.json").exists()


@pytest.mark.parametrize("name", ["macro_f1", "accuracy", "loss"])
def test_the_selection_metric_keeps_an_epoch(
    name, prepared_data, tmp_path, monkeypatch
):
    """Two figures that disagree about which of two epochs is the better."""
    rows = iter(
        {"val_loss": loss, "val_accuracy": accuracy, "val_macro_f1": macro_f1}
        for loss, accuracy, macro_f1 in [(1.0, 0.5, 0.1), (0.5, 0.4, 0.2)]
    )
    monkeypatch.setattr(
        train.evaluate, "validation_metrics", lambda *_: next(rows)
    )
    settings = tiny(prepared_data, selection_metric=name)
    train.train_and_evaluate(settings, tmp_path / "run")
    progress = checkpoints.read_progress(tmp_path / "run")
    best = {"macro_f1": 0.2, "accuracy": 0.5, "loss": math.exp(-0.5)}
    assert progress.best == best[name]
    assert progress.stale == (name == "accuracy")


def test_early_stopping_ends_a_phase(prepared_data, tmp_path):
    stale = {"fine_tune_epochs": 9, "fine_tune_learning_rate": 0.0}
    settings = tiny(prepared_data, **stale, early_stopping=2)
    train.train_and_evaluate(settings, tmp_path / "run")
    rows = (tmp_path / "run" / "history.csv").read_text().splitlines()[1:]
    assert 2 <= len(rows) < 9

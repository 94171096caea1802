"""What the end of a run writes, and that it is all of one piece."""

import dataclasses
import json

import pytest

from tests.trainer import finished_runs
from trainer import run_folder
from trainer.evaluation import calibration
from trainer.evaluation import evaluate
from trainer.evaluation import metrics
from trainer.evaluation import predictions


def test_epoch_figures_are_those_of_the_final_evaluation():
    labels = finished_runs.make_splits()["test"].labels
    answers = finished_runs.answer(labels, 0.5, seed=3)
    quick = evaluate.validation_metrics(labels, answers)
    full = metrics.evaluate_probabilities(labels, answers, "abcdefg")
    names = {"loss": "log_loss", "accuracy": "accuracy", "macro_f1": "macro_f1"}
    assert quick == {f"val_{key}": full[name] for key, name in names.items()}


@pytest.fixture(name="finished", scope="module")
def write_once(tmp_path_factory):
    """Folder, figures and stored predictions; 20 test images were seen."""
    splits = finished_runs.make_splits(groups=["a", "b"] * 35)
    images = splits["test"].images.copy()
    images[:50] = 255 - images[:50]
    splits["test"] = dataclasses.replace(splits["test"], images=images)
    folder = tmp_path_factory.mktemp("runs") / "run"
    _, figures = finished_runs.write_run(folder, skill=0.3, splits=splits)
    path = folder / run_folder.PREDICTIONS
    return folder, figures, {s: predictions.read(path, s) for s in figures}


def test_everything_that_is_written_belongs_together(finished):
    folder, figures, stored = finished
    assert json.loads((folder / "metrics.json").read_text()) == figures
    assert list(figures) == ["validation", "test"]
    assert stored["test"].ids[:2] == ["test_0", "test_1"]
    robust = json.loads((folder / "robustness.json").read_text())
    assert robust["images"] == 70
    page = (folder / "report.html").read_text()
    assert "Accuracy on 70 validation" in page
    assert "Largest gap:" in page
    rows = figures["test"]["groups"]
    assert [(row["name"], row["n"]) for row in rows] == [("a", 35), ("b", 35)]


def test_images_of_the_training_split_are_counted_apart(finished):
    _, figures, stored = finished
    test = stored["test"]
    right = test.probabilities.argmax(axis=1) == test.labels
    assert figures["test"]["accuracy"] == pytest.approx(right.mean())
    assert figures["test"]["seen_in_training"] == 20
    assert figures["test"]["unseen"]["accuracy"] == right[:50].mean()
    assert figures["validation"]["unseen"] is None


def test_the_temperature_of_validation_is_applied_to_test(finished):
    _, figures, stored = finished
    validation, test = stored["validation"], stored["test"]
    answers = validation.labels, validation.probabilities
    fitted = calibration.fit_temperature(*answers)
    assert fitted > 1.2  # right in 4 of 10, and sure of 8 of 10
    for figure in figures.values():
        assert figure["temperature"] == pytest.approx(fitted, rel=1e-6)
    scaled = calibration.apply_temperature(test.probabilities, fitted)
    expected = calibration.reliability(test.labels, scaled)["ece"]
    assert figures["test"]["ece_scaled"] == pytest.approx(expected, abs=1e-6)


def test_metrics_are_written_last(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr("trainer.evaluation.report.write_report", fail)
    with pytest.raises(OSError, match="disk full"):
        finished_runs.write_run(tmp_path / "run")
    assert not (tmp_path / "run" / "metrics.json").exists()

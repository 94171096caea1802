"""What the end of a run writes, and that it is all of one piece."""

import dataclasses
import json

import numpy as np
import pytest

from tests.trainer import finished_runs
from trainer import run_folder
from trainer.evaluation import calibration
from trainer.evaluation import charts
from trainer.evaluation import evaluate
from trainer.evaluation import metrics
from trainer.evaluation import predictions


@pytest.fixture(autouse=True)
def draw_coarsely(monkeypatch):
    monkeypatch.setattr(charts, "DOTS_PER_INCH", 40)


def test_epoch_figures_are_those_of_the_final_evaluation():
    labels = finished_runs.make_splits()["test"].labels
    answers = finished_runs.answer(labels, 0.5, seed=3)
    quick = evaluate.quick_figures(labels, answers)
    names = [str(i) for i in range(7)]
    full = metrics.evaluate_probabilities(labels, answers, names)
    assert quick == {
        "val_loss": full["log_loss"],
        "val_accuracy": full["accuracy"],
        "val_macro_f1": full["macro_f1"],
    }


def test_everything_that_is_written_belongs_together(tmp_path):
    folder, figures = finished_runs.write_run(tmp_path / "run", skill=0.7)
    assert json.loads((folder / "metrics.json").read_text()) == figures
    assert list(figures) == ["validation", "test"]
    stored = predictions.read(folder / run_folder.PREDICTIONS, "test")
    assert stored.ids[:2] == ["test_0", "test_1"]
    right = np.mean(stored.probabilities.argmax(axis=1) == stored.labels)
    assert figures["test"]["accuracy"] == pytest.approx(right)
    robust = json.loads((folder / "robustness.json").read_text())
    assert robust["images"] == 70
    page = (folder / "report.html").read_text()
    assert "Accuracy on 70 validation" in page
    assert "nothing can be said about how" in page


def test_images_of_the_training_split_are_counted_apart(tmp_path):
    splits = finished_runs.make_splits()
    test = splits["test"]
    images = test.images.copy()
    images[:50] = 255 - images[:50]
    splits["test"] = dataclasses.replace(test, images=images)
    folder, figures = finished_runs.write_run(tmp_path / "run", splits=splits)
    stored = predictions.read(folder / run_folder.PREDICTIONS, "test")
    right = stored.probabilities.argmax(axis=1) == stored.labels
    assert figures["test"]["seen_in_training"] == 20
    assert figures["test"]["unseen"]["accuracy"] == right[:50].mean()
    assert figures["validation"]["unseen"] is None


def test_the_temperature_of_validation_is_applied_to_test(tmp_path):
    folder, figures = finished_runs.write_run(tmp_path / "run", skill=0.3)
    path = folder / run_folder.PREDICTIONS
    stored = {split: predictions.read(path, split) for split in figures}
    validation, test = stored["validation"], stored["test"]
    fitted = calibration.fit_temperature(
        validation.labels, validation.probabilities
    )
    assert fitted > 1.2  # right in 4 of 10, and sure of 8 of 10
    for figure in figures.values():
        assert figure["temperature"] == pytest.approx(fitted, rel=1e-6)
    scaled = calibration.apply_temperature(test.probabilities, fitted)
    assert figures["test"]["ece_scaled"] == pytest.approx(
        calibration.reliability(test.labels, scaled)["ece"], abs=1e-6
    )


def test_groups_of_the_data_are_compared(tmp_path):
    splits = finished_runs.make_splits(groups=["a", "b"] * 35)
    folder, figures = finished_runs.write_run(tmp_path / "run", splits=splits)
    rows = figures["test"]["groups"]
    assert [(row["name"], row["n"]) for row in rows] == [("a", 35), ("b", 35)]
    assert "Largest gap:" in (folder / "report.html").read_text()


def test_metrics_are_written_last(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr("trainer.evaluation.report.write_report", fail)
    with pytest.raises(OSError, match="disk full"):
        finished_runs.write_run(tmp_path / "run")
    assert not (tmp_path / "run" / "metrics.json").exists()

"""Tests of export/parity.py: what passes, what fails, and for which reason."""

import dataclasses
import json
import shutil

import keras
import numpy as np
import pytest

import edge
from export import artifacts
from export import parity
from export import tflite
from tests import export_fixtures
from trainer.models import build_model

COUNT = 200
BOUNDS = parity.Bounds()


def reference():
    """Float32 [200, 4]: every class fifty times, each quite sure."""
    answers = np.full([COUNT, 4], 0.05, np.float32)
    answers[np.arange(COUNT), np.arange(COUNT) % 4] = 0.85
    return answers


def right_labels():
    return np.arange(COUNT) % 4


def with_changed(count):
    """The reference, with the answers to `count` pictures swapped."""
    answers = reference()
    rows = np.arange(count)
    answers[rows] = np.roll(answers[rows], 1, axis=1)
    return answers


def compare(candidate, *, is_quantised=False, labels=None, bounds=BOUNDS):
    return parity.compare(
        right_labels() if labels is None else labels,
        reference(),
        candidate,
        bounds=bounds,
        is_quantised=is_quantised,
    )


@pytest.mark.parametrize("is_quantised", [False, True], ids=["float", "int8"])
def test_equal_answers_pass(is_quantised):
    result = compare(reference(), is_quantised=is_quantised)
    assert result["passed"]
    assert result["agreement"] == 1
    assert result["accuracy"] == result["trained_accuracy"] == 1
    assert result["largest_probability_difference"] == 0
    assert result["classes_predicted"] == 4


def test_float_probabilities_are_held_to_their_bound():
    near, far = reference(), reference()
    near[3, 0] += 5e-5
    far[3, 0] += 5e-4
    assert compare(near)["passed"]
    (reason,) = compare(far)["failures"]
    assert reason.startswith("probabilities: differ by 5.0e-04")
    assert compare(far, is_quantised=True)["passed"]


@pytest.mark.parametrize(
    ("changed", "passes"), [(4, True), (5, False)], ids=["at", "beyond"]
)
def test_int8_agreement_is_held_to_98_percent(changed, passes):
    wrong = (right_labels() + 2) % 4  # Neither answer is right: no loss.
    result = compare(with_changed(changed), is_quantised=True, labels=wrong)
    assert result["passed"] == passes
    assert result["agreement"] == pytest.approx(1 - changed / COUNT)
    if not passes:
        assert result["failures"][0].startswith("agreement: 5 of 200")


def test_lost_accuracy_is_held_to_its_bound():
    result = compare(with_changed(2), is_quantised=True)
    (reason,) = result["failures"]
    assert reason.startswith("accuracy: 1.00 points lost, allowed are 0.50")
    loose = parity.Bounds(accuracy_loss_points=1.0)
    assert compare(with_changed(2), is_quantised=True, bounds=loose)["passed"]


def test_gained_accuracy_is_no_failure():
    gained = right_labels()
    candidate = with_changed(2)
    gained[:2] = candidate[:2].argmax(axis=1)
    result = compare(candidate, is_quantised=True, labels=gained)
    assert result["passed"]
    assert result["accuracy_difference_points"] == pytest.approx(1.0)


def test_one_picture_may_change_however_few_there_are():
    answers = reference()[:8]
    candidate = answers.copy()
    candidate[0] = np.roll(candidate[0], 1)
    result = parity.compare(
        right_labels()[:8],
        answers,
        candidate,
        bounds=BOUNDS,
        is_quantised=True,
    )
    assert result["accuracy_difference_points"] == pytest.approx(-12.5)
    assert result["passed"]


@pytest.mark.parametrize("is_quantised", [False, True], ids=["float", "int8"])
def test_a_class_that_vanishes_is_a_collapse(is_quantised):
    candidate = reference()
    candidate[:, 2] = 0
    result = compare(candidate, is_quantised=is_quantised)
    assert not result["passed"]
    assert result["classes_vanished"] == [2]
    assert result["classes_predicted"] == 3
    assert result["failures"][0].startswith("collapse: never answers")


@pytest.mark.parametrize(
    "candidate",
    [reference() * np.nan, reference()[:, :3], reference()[:5]],
    ids=["nan", "classes", "count"],
)
def test_answers_of_another_kind_fail(candidate):
    result = compare(candidate)
    assert not result["passed"]
    assert "finite numbers" in result["failures"][0]


@pytest.fixture
def folder(tmp_path):
    """A copy of the export that a test may spoil."""
    target = tmp_path / "export"
    shutil.copytree(export_fixtures.export_folder(), target)
    return target


def measure(folder, run=None):
    return parity.measure(
        run or export_fixtures.run(),
        folder,
        export_fixtures.validation(),
        BOUNDS,
    )


def verdicts(report):
    return {r["artefact"]: r["passed"] for r in report["artefacts"]}


def test_a_faithful_export_passes_and_is_recorded():
    folder = export_fixtures.export_folder()
    report = json.loads((folder / "parity.json").read_text())
    assert report["passed"]
    assert report["images"] == 56
    assert report["trained_model"]["warning"] is None
    assert verdicts(report) == dict.fromkeys(
        [
            "saved_model (pixels)",
            "saved_model (image bytes)",
            artifacts.KERAS,
            artifacts.H5,
            "model_float32.tflite",
            "model_int8.tflite",
        ],
        True,
    )


def other_network():
    """The same shape with weights of its own: someone else's model."""
    keras.utils.set_random_seed(5)
    settings = export_fixtures.make_settings()
    return build_model(settings, len(export_fixtures.CLASSES), keras)


def test_files_of_another_model_are_caught(folder, tmp_path):
    stranger = dataclasses.replace(export_fixtures.run(), model=other_network())
    elsewhere = tmp_path / "stranger"
    elsewhere.mkdir()
    tflite.write_tflite_files(
        stranger,
        elsewhere,
        export_fixtures.calibration(),
        artifacts.describe(stranger),
    )
    shutil.copy(elsewhere / "model_int8.tflite", folder)
    stranger.model.save(folder / artifacts.KERAS)
    report = measure(folder)
    assert not report["passed"]
    failed = {name for name, passed in verdicts(report).items() if not passed}
    assert failed == {"model_int8.tflite", artifacts.KERAS}
    table = parity.as_table(report)
    assert table.count("FAIL") == 2
    assert "agreement:" in table


def collapse(model):
    """Makes a model answer class 3 whatever it sees."""
    kernel, bias = model.get_layer("logits").get_weights()
    bias = np.zeros_like(bias)
    bias[3] = 9
    model.get_layer("logits").set_weights([kernel * 0, bias])
    return model


def test_a_collapsed_float_file_is_caught(folder):
    model = keras.models.load_model(folder / artifacts.H5, compile=False)
    collapse(model).save(folder / artifacts.H5)
    (result,) = (
        r for r in measure(folder)["artefacts"] if r["artefact"] == "model.h5"
    )
    assert result["classes_predicted"] == 1
    assert result["classes_vanished"] == [0, 1, 2, 4, 5, 6]
    assert result["failures"][0].startswith("collapse")


def test_a_degenerate_trained_model_is_reported(folder):
    run = dataclasses.replace(
        export_fixtures.run(), model=collapse(other_network())
    )
    report = measure(folder, run)
    assert "answers only `happy`" in report["trained_model"]["warning"]
    assert "WARNING" in parity.as_table(report)


def test_labels_in_another_order_are_caught(folder):
    path = folder / tflite.file_name("int8")
    content = path.read_bytes()
    path.write_bytes(content[: edge.Classifier(path).metadata["model_bytes"]])
    swapped = export_fixtures.CLASSES[::-1]
    metadata = artifacts.describe(export_fixtures.run())
    tflite.append_metadata(path, swapped, metadata)
    with pytest.raises(ValueError, match="carries labels"):
        measure(folder)

"""Tests of export/calibrate.py: a temperature in the last layer."""

import numpy as np
import pytest

from edge.classifier import Classifier
from export import calibrate
from export import exporter
from export import parity
from tests.export import export_fixtures
from tests.export.export_fixtures import options
from trainer import checkpoints
from trainer.data.prepared import Split
from trainer.evaluation import calibration

SHARPNESS = 1.5


@pytest.fixture
def run(workdir):
    """A run of a test's own; its network knows less than it says."""
    return checkpoints.load_for_inference(workdir)


def make_split(labels, images):
    return Split(images, labels, [str(i) for i in range(len(labels))])


@pytest.fixture
def images():
    return np.tile(export_fixtures.validation().images, [20, 1, 1, 1])


def drawn_labels(probabilities):
    """Labels that make a network right as often as its softer self says."""
    softer = calibration.apply_temperature(probabilities, SHARPNESS)
    thresholds = np.random.default_rng(0).random([len(softer), 1])
    return (softer.cumsum(axis=1) < thresholds).sum(axis=1)


def test_the_temperature_is_found_and_folded(run, images):
    before = parity.live_model(run)(images)
    labels = drawn_labels(before)
    found = calibrate.fold(run, make_split(labels, images))
    assert found["temperature"] == pytest.approx(SHARPNESS, rel=0.1)
    assert found["images"] == len(images)
    after = parity.live_model(run)(images)
    softened = calibration.apply_temperature(before, found["temperature"])
    np.testing.assert_allclose(after, softened, atol=1e-5)
    np.testing.assert_array_equal(after.argmax(axis=1), before.argmax(axis=1))
    error = calibration.reliability(labels, after)["ece"]
    assert found["ece_after"] == pytest.approx(error, abs=1e-5)
    assert found["ece_after"] < found["ece_before"] / 2


@pytest.mark.parametrize("count", [1, 56])
def test_nothing_is_folded_where_nothing_is_known(run, images, count, capsys):
    weights = run.model.get_layer("logits").get_weights()
    labels = parity.live_model(run)(images[:count]).argmax(axis=1)
    labels[1::2] = (labels[1::2] + 1) % 7
    assert calibrate.fold(run, make_split(labels, images[:count])) is None
    for one, other in zip(
        weights, run.model.get_layer("logits").get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    assert "temperature: none" in capsys.readouterr().out


def test_the_temperature_has_bounds(run, images):
    labels = parity.live_model(run)(images).argmax(axis=1)
    found = calibrate.fold(run, make_split(labels, images))
    assert found["temperature"] == calibrate.COLDEST


def test_files_have_the_temperature_and_tell_it(workdir, tmp_path):
    answers = {}
    for name, is_on in (("plain", False), ("calibrated", True)):
        chosen = {"tflite": True, "recipes": ("float32",), "calibrate": is_on}
        folder = exporter.export_run(
            options(workdir, out=tmp_path / name, **chosen)
        )
        model = Classifier(folder / "model_float32.tflite")
        images = export_fixtures.validation().images[:20]
        answers[name] = model.probabilities(images)
        fitted = model.metadata["calibrated"]
    softened = calibration.apply_temperature(
        answers["plain"], fitted["temperature"]
    )
    np.testing.assert_allclose(answers["calibrated"], softened, atol=1e-5)
    assert f"{fitted['temperature']:.3f}" in (
        folder / "MODEL_CARD.md"
    ).read_text("utf-8")

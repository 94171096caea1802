"""Calibration: bins by hand, and a temperature that is known beforehand."""

import json

import numpy as np
import pytest

from tests.trainer.evaluation.six_examples import LABELS
from tests.trainer.evaluation.six_examples import PROBABILITIES
from trainer.evaluation import calibration
from trainer.evaluation import metrics


def test_reliability_matches_hand_computation():
    # Confidences .7 .5 | .8 .6 .6 .5 with hits 1 0 1 1 1 0. Bins of 0.2:
    # (.4, .6] holds two 0.5 misses (float32 0.6 lies above the bound).
    result = calibration.reliability(LABELS, PROBABILITIES, bins=5)
    middle = result["bins"][2]
    assert sum(row["count"] for row in result["bins"]) == 6
    assert (middle["count"], middle["accuracy"]) == (2, 0.0)
    assert middle["confidence"] == pytest.approx(0.5)
    assert result["bins"][0]["accuracy"] is None
    # (2 x |.5 - 0| + 4 x |mean(.7 .8 .6 .6) - 1|) / 6.
    assert result["ece"] == pytest.approx((2 * 0.5 + 4 * 0.325) / 6, abs=1e-6)
    # Bins are closed above.
    probabilities = np.array([[0.5, 0.5], [0.75, 0.25], [1.0, 0.0]])
    result = calibration.reliability(np.array([0, 0, 0]), probabilities, bins=4)
    assert [row["count"] for row in result["bins"]] == [0, 1, 1, 1]
    with pytest.raises(ValueError, match="at least 1"):
        calibration.reliability(LABELS, PROBABILITIES, bins=0)


def calibrated(n=20000, classes=4):
    """Labels drawn from the probabilities themselves."""
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(classes), n)
    below = probabilities.cumsum(axis=1) < rng.random((n, 1))
    return below.sum(axis=1).clip(max=classes - 1), probabilities


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_the_temperature_that_spoiled_the_answers_is_found(temperature):
    labels, probabilities = calibrated()
    # Too confident answers are those of a temperature below 1.
    spoiled = calibration.apply_temperature(probabilities, 1 / temperature)
    found = calibration.fit_temperature(labels, spoiled)
    assert found == pytest.approx(temperature, rel=0.03)
    figures = calibration.calibration_metrics(labels, spoiled, found)
    assert figures["ece_scaled"] < 0.015
    assert figures["temperature"] == found
    if temperature != 1.0:
        assert figures["ece"] > 0.05


def test_no_other_temperature_has_a_lower_log_loss():
    labels, probabilities = calibrated(500)
    best = calibration.fit_temperature(labels, probabilities)

    def loss(temperature):
        scaled = calibration.apply_temperature(probabilities, temperature)
        return metrics.log_losses(labels, scaled).mean()

    for factor in (0.9, 0.999, 1.001, 1.1):
        assert loss(best) <= loss(best * factor)


def test_the_search_ends_at_its_bounds():
    labels = np.arange(6) % 2
    always_right = np.eye(2)[labels] * 0.6 + 0.2
    found = calibration.fit_temperature(labels, always_right)
    assert found == pytest.approx(calibration.COLDEST)
    found = calibration.fit_temperature(labels, 1 - always_right)
    assert found == pytest.approx(calibration.HOTTEST)


def test_scaling_changes_how_sure_an_answer_is_and_never_which():
    _, probabilities = calibrated(300)
    for temperature in (0.1, 3.0):
        scaled = calibration.apply_temperature(probabilities, temperature)
        assert (scaled.argmax(1) == probabilities.argmax(1)).all()
        np.testing.assert_allclose(scaled.sum(axis=1), 1)
    same = calibration.apply_temperature(probabilities, 1.0)
    np.testing.assert_allclose(same, probabilities, atol=1e-6)
    # By hand: the square roots of 0.64 and 0.36 are 0.8 and 0.6.
    halved = calibration.apply_temperature(np.array([[0.64, 0.36]]), 2.0)
    assert halved[0] == pytest.approx([0.8 / 1.4, 0.6 / 1.4])


def test_certain_answers_stay_finite():
    scaled = calibration.apply_temperature(np.eye(3), 0.05)
    assert np.isfinite(scaled).all()
    figures = calibration.calibration_metrics(np.arange(3), np.eye(3), 2.0)
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    for impossible in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="above 0"):
            calibration.apply_temperature(PROBABILITIES, impossible)

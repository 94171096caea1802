"""Figures of merit against values worked out by hand or published."""

import json

import numpy as np
import pytest

from tests.trainer.evaluation.six_examples import LABELS
from tests.trainer.evaluation.six_examples import PROBABILITIES
from trainer.evaluation import intervals
from trainer.evaluation import metrics
from trainer.evaluation.metrics import evaluate_probabilities

NAMES = ("ant", "bee", "cat")


@pytest.fixture(name="result", scope="module")
def evaluate():
    return evaluate_probabilities(LABELS, PROBABILITIES, NAMES)


def test_overall_figures_match_hand_computation(result):
    assert result["n"] == 6
    # True classes in rows.
    assert result["confusion_matrix"] == [[1, 1, 0], [0, 2, 0], [1, 0, 1]]
    assert result["accuracy"] == pytest.approx(4 / 6)
    assert result["accuracy_interval"] == list(intervals.wilson_interval(4, 6))
    assert result["balanced_accuracy"] == pytest.approx((0.5 + 1 + 0.5) / 3)
    # F1 = 2 hits / (support + predictions): 2/4, 4/5, 2/3.
    assert result["macro_f1"] == pytest.approx((1 / 2 + 4 / 5 + 2 / 3) / 3)
    true = [0.7, 0.3, 0.8, 0.6, 0.6, 0.4]
    assert result["log_loss"] == pytest.approx(-np.log(true).mean(), abs=1e-6)
    assert result["predicted_classes"] == 3
    assert (result["collapsed"], result["never_predicted"]) == (False, [])


def test_per_class_figures_match_hand_computation(result):
    rows = {row["name"]: row for row in result["per_class"]}
    assert list(rows) == list(NAMES)
    assert rows["ant"]["support"] == 2
    precisions = [row["precision"] for row in rows.values()]
    assert precisions == pytest.approx([1 / 2, 2 / 3, 1])
    assert [row["recall"] for row in rows.values()] == [0.5, 1.0, 0.5]
    assert rows["bee"]["f1"] == pytest.approx(4 / 5)
    # 1 of 2: centre 1/2, half width z / sqrt(2 + z^2) / 2.
    half = 1.959964 / np.sqrt(2 + 1.959964**2) / 2
    expected = pytest.approx([0.5 - half, 0.5 + half], abs=1e-6)
    assert rows["ant"]["recall_interval"] == expected


def test_roc_areas_come_from_probabilities(result):
    # Pairs (example, other) won. ant: 0.7 beats all 4; 0.3 beats 3 of 4.
    # bee: 0.8 and 0.6 beat all. cat: 0.6 and 0.4 beat all.
    areas = [row["roc_auc"] for row in result["per_class"]]
    assert areas == pytest.approx([7 / 8, 1.0, 1.0])
    assert result["roc_auc"] == pytest.approx((7 / 8 + 2) / 3)
    assert result["roc_auc_reason"] is None
    # From hard labels "ant" would have 1/2 true and 1/4 false positives.
    assert areas[0] != pytest.approx(5 / 8)


def test_missing_class_gives_no_area_but_a_reason():
    result = evaluate_probabilities(LABELS[:4], PROBABILITIES[:4], NAMES)
    assert result["roc_auc"] is None
    assert result["roc_auc_reason"] == "no example of cat"
    for name in ("recall", "recall_interval", "precision", "f1"):
        assert result["per_class"][2][name] is None
    assert result["collapsed"] is False  # cat has no example to be missed
    # Over ant and bee alone: F1 2/3 and 4/5, recall 1/2 and 1.
    assert result["macro_f1"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert result["balanced_accuracy"] == pytest.approx(0.75)


def test_ties_certain_mistakes_and_rare_classes_count_as_they_should():
    labels = np.array([0, 0, 0, 1])
    tied = np.full((4, 2), 0.5)
    result = evaluate_probabilities(labels, tied, "ab")
    assert result["roc_auc"] == pytest.approx(0.5)
    certain = np.eye(2)[[0, 0, 0, 0]]
    result = evaluate_probabilities(labels, certain, "ab")
    # ln(2^-23) over four examples.
    assert result["log_loss"] == pytest.approx(23 * np.log(2) / 4)
    # The frequency of a class counts for accuracy alone.
    assert (result["accuracy"], result["balanced_accuracy"]) == (0.75, 0.5)
    assert result["macro_f1"] == pytest.approx(3 / 7)


def test_collapse_to_one_class_is_reported():
    probabilities = np.tile([0.2, 0.5, 0.3], (6, 1))
    result = evaluate_probabilities(LABELS, probabilities, NAMES)
    assert result["collapsed"] is True
    assert result["predicted_classes"] == 1
    assert result["never_predicted"] == ["ant", "cat"]
    assert result["per_class"][0]["precision"] is None
    assert result["per_class"][0]["f1"] == 0.0


def test_intervals_shrink_with_the_square_root_of_the_examples():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 400)
    probabilities = rng.dirichlet(np.ones(3), 400)
    probabilities[:200] = np.eye(3)[labels[:200]] * 0.7 + 0.1
    small = evaluate_probabilities(labels, probabilities, NAMES)
    large = evaluate_probabilities(
        np.repeat(labels, 4), np.repeat(probabilities, 4, axis=0), NAMES
    )
    for name in ("macro_f1", "balanced_accuracy", "roc_auc", "log_loss"):
        low, high = small[f"{name}_interval"]
        assert low < small[name] < high
        assert large[name] == pytest.approx(small[name])
        width = np.diff(large[f"{name}_interval"])[0]
        assert (high - low) / width == pytest.approx(2, rel=0.08)


def test_quick_metrics_are_those_of_the_full_evaluation(result, monkeypatch):
    """And draw no curve and no sample."""
    monkeypatch.delattr(metrics, "roc_curves")
    monkeypatch.delattr(intervals, "resampled_intervals")
    quick = metrics.quick_metrics(LABELS, PROBABILITIES)
    assert quick == {name: result[name] for name in quick}
    assert set(quick) == {"accuracy", "macro_f1", "log_loss"}
    diverged = np.full_like(PROBABILITIES, np.nan)
    with pytest.raises(ValueError, match="diverge"):
        metrics.quick_metrics(LABELS, diverged)


def test_result_survives_strict_json(result):
    text = json.dumps(result, allow_nan=False)
    assert json.loads(text) == result
    values = [value for row in result["per_class"] for value in row.values()]
    assert {type(value) for value in values} == {str, int, float, list}


def test_roc_curve_passes_through_hand_computed_points():
    ant, bee, _ = metrics.roc_curves(LABELS, PROBABILITIES)
    rates = ant["false_positive_rate"], ant["true_positive_rate"]
    points = set(zip(*rates, strict=True))
    # Scores fall 0.7+ 0.5- 0.3+: the two corners need all three thresholds.
    assert {(0.0, 0.5), (0.25, 0.5), (0.25, 1.0), (1.0, 1.0)} <= points
    assert bee["true_positive_rate"][0] == 0.0
    assert metrics.roc_curves(LABELS[:4], PROBABILITIES[:4])[2] is None


def _changed(row, values):
    probabilities = PROBABILITIES.copy()
    probabilities[row] = values
    return probabilities


WRONG = {
    "1-d": (r"shape \[n, K\]", {"probabilities": PROBABILITIES[:, 0]}),
    "lengths": (r"shape \(6,\)", {"labels": LABELS[:5]}),
    "one-hot": (r"\(6, 3\)", {"labels": np.eye(3)[LABELS]}),
    "empty": (
        r"is empty\. Has",
        {"labels": LABELS[:0], "probabilities": PROBABILITIES[:0]},
    ),
    "floats": ("float64", {"labels": LABELS.astype(float)}),
    "label 3": ("3 at position 4", {"labels": LABELS + 1}),
    "label -1": ("-1 at position 0", {"labels": LABELS - 1}),
    "nan": ("finite.*row 3", {"probabilities": _changed(3, np.nan)}),
    "logits": ("row 2.*logits", {"probabilities": _changed(2, [2, -1, 0])}),
    "sum": ("sum to 1", {"probabilities": _changed(5, [0.9, 0.9, 0])}),
    "two names": ("class_names", {"class_names": ("a", "b")}),
    "same names": ("distinct", {"class_names": ("a", "b", "a")}),
}


@pytest.mark.parametrize(("message", "changes"), WRONG.values(), ids=WRONG)
def test_wrong_input_is_refused(message, changes):
    good = {"labels": LABELS, "probabilities": PROBABILITIES}
    fields = {**good, "class_names": NAMES, **changes}
    with pytest.raises(ValueError, match=message):
        evaluate_probabilities(**fields)


def test_eight_bit_probabilities_are_accepted():
    steps = np.round(PROBABILITIES * 256)
    steps[0] = [179, 51, 25]  # 255 / 256 in sum, as LiteRT's softmax gives
    result = evaluate_probabilities(LABELS, steps / 256, NAMES)
    assert result["accuracy"] == pytest.approx(4 / 6)

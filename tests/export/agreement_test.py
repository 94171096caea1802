"""Tests of export/agreement.py: what passes, what fails, for which reason."""

import dataclasses

import numpy as np
import pytest

from export import agreement
from export import choices
from export.bounds import COMPRESSED
from export.bounds import Bounds

COUNT = 200
NAMES = ("angry", "happy", "neutral", "sad")
BOUNDS = Bounds()


def reference():
    """Float32 [200, 4]: every class fifty times, each quite sure."""
    answers = np.full([COUNT, 4], 0.05, np.float32)
    answers[np.arange(COUNT), np.arange(COUNT) % 4] = 0.85
    return answers


def right_labels():
    return np.arange(COUNT) % 4


def with_changed(count, step=1):
    """The reference, with the answers to `count` pictures swapped."""
    answers = reference()
    rows = np.arange(0, count * step, step)
    answers[rows] = np.roll(answers[rows], 1, axis=1)
    return answers


def compare(candidate, *, kind="float32", labels=None, bounds=BOUNDS):
    return agreement.compare(
        right_labels() if labels is None else labels,
        reference(),
        candidate,
        bounds=bounds,
        kind=kind,
        names=NAMES,
    )


@pytest.mark.parametrize("kind", [*choices.RECIPES, COMPRESSED])
def test_equal_answers_pass(kind):
    result = compare(reference(), kind=kind)
    assert result["passed"]
    assert result["agreement"] == 1
    assert result["accuracy"] == result["trained_accuracy"] == 1
    assert result["largest_probability_difference"] == 0
    assert result["classes_predicted"] == 4
    assert result["macro_f1_difference_interval"] == [0, 0]


def test_float_probabilities_are_held_to_their_bound():
    near, far = reference(), reference()
    near[3, 0] += 5e-5
    far[3, 0] += 5e-4
    assert compare(near)["passed"]
    (reason,) = compare(far)["failures"]
    assert reason.startswith("probabilities: differ by 5.0e-04")
    assert compare(far, kind="int8")["passed"]


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        *(("float16", 1), ("dynamic", 4), ("int8", 4)),
        *(("int16x8", 2), (COMPRESSED, 40)),
    ],
)
def test_each_kind_is_held_to_its_own_agreement(kind, changed):
    wrong = (right_labels() + 2) % 4  # Neither answer is right: no loss.
    allowed = compare(with_changed(changed), kind=kind, labels=wrong)
    assert allowed["passed"]
    assert allowed["agreement"] == pytest.approx(1 - changed / COUNT)
    result = compare(with_changed(changed + 1), kind=kind, labels=wrong)
    (reason,) = result["failures"]
    assert reason.startswith(f"agreement: {changed + 1} of 200")


def test_every_bound_is_honoured():
    """Changed to its other extreme, each bound changes a verdict."""
    strict = Bounds(
        **{
            field.name: 1.0 if "agreement" in field.name else 0.0
            for field in dataclasses.fields(Bounds)
        }
    )
    answers = with_changed(2, step=4)
    answers[1, 1] -= 0.01
    for field in dataclasses.fields(Bounds):
        kind = field.name.split("_")[0].replace("float", "float32")
        kind = {"float3216": "float16"}.get(kind, kind)
        kind = "int8" if kind in ("accuracy", "recall") else kind
        loose = 0.0 if "agreement" in field.name else 100.0
        bounds = dataclasses.replace(strict, **{field.name: loose})
        before = compare(answers, kind=kind, bounds=strict)["failures"]
        after = compare(answers, kind=kind, bounds=bounds)["failures"]
        assert len(before) == len(after) + 1, field.name


def test_lost_accuracy_and_recall_are_held_to_their_bounds():
    result = compare(with_changed(2), kind="int8")
    (reason,) = result["failures"]
    assert reason.startswith("accuracy: 1.00 points lost, allowed are 0.50")
    low, high = result["accuracy_difference_interval"]
    assert low < -1 < high < 1
    low, high = result["macro_f1_difference_interval"]
    assert low < result["macro_f1_difference_points"] < high
    """Three of fifty pictures of one class, 1.5 points of all of them."""
    bounds = dataclasses.replace(BOUNDS, accuracy_loss_points=5.0)
    result = compare(with_changed(3, step=4), kind="int8", bounds=bounds)
    (reason,) = result["failures"]
    assert reason == "recall: `angry` lost 6.00 points, allowed are 4.00"
    assert result["recall_difference_points"]["angry"] == pytest.approx(-6)
    assert result["recall_difference_points"]["sad"] == 0


def test_gained_accuracy_and_one_picture_are_no_failure():
    gained = right_labels()
    candidate = with_changed(2)
    gained[:2] = candidate[:2].argmax(axis=1)
    result = compare(candidate, kind="int8", labels=gained)
    assert result["passed"]
    assert result["accuracy_difference_points"] == pytest.approx(1.0)
    answers = reference()[:8]
    candidate = answers.copy()
    candidate[0] = np.roll(candidate[0], 1)
    others = {"bounds": BOUNDS, "kind": "int8", "names": NAMES}
    result = agreement.compare(right_labels()[:8], answers, candidate, **others)
    assert result["accuracy_difference_points"] == pytest.approx(-12.5)
    assert result["passed"]


@pytest.mark.parametrize("kind", [*choices.RECIPES, COMPRESSED])
def test_a_class_that_vanishes_is_a_collapse(kind):
    candidate = reference()
    candidate[:, 2] = 0
    result = compare(candidate, kind=kind)
    assert not result["passed"]
    assert result["classes_vanished"] == [2]
    assert result["classes_predicted"] == 3
    assert result["failures"][0].startswith("collapse: never predicts")


@pytest.mark.parametrize(
    "candidate",
    [reference() * np.nan, reference()[:, :3], reference()[:5]],
    ids=["nan", "classes", "count"],
)
def test_answers_of_another_kind_fail(candidate):
    result = compare(candidate)
    assert not result["passed"]
    assert "finite numbers" in result["failures"][0]

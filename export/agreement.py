"""Is it still the same model? Judges one artefact's predictions.

Numpy in, plain JSON values out: metrics, and the bounds that were broken in
words. Loads no file and knows no artefact; what is judged how strictly
follows from the kind of a file alone.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from export.bounds import Bounds
from trainer.evaluation import intervals
from trainer.evaluation import metrics

# A class the trained model gives this often must not vanish from an artefact;
# one that it gives once may fall to a single image on the boundary.
VANISHED_FROM = 2


def compare(
    labels: np.ndarray,
    reference: np.ndarray,
    candidate: np.ndarray,
    *,
    bounds: Bounds,
    kind: str,
    names: Sequence[str],
) -> dict[str, Any]:
    """Compares one artefact's predictions with the trained model's.

    One image is always allowed to change, in all and in each class, since
    with few images it alone is more than the bounds; the difference of
    probabilities is not relaxed.

    Args:
      labels: int [n], the true classes.
      reference: float32 [n, K], probabilities of the trained model.
      candidate: float32 [n, K], probabilities of the artefact.
      bounds: what may differ.
      kind: a recipe's name, or `compressed`.
      names: of the K classes.

    Returns:
      Metrics, `failures` (reasons in words) and `passed`.
    """
    if candidate.shape != reference.shape or not np.isfinite(candidate).all():
        reason = f"predictions are not {list(reference.shape)} finite numbers"
        return {"failures": [reason], "passed": False}
    expected, predicted = reference.argmax(axis=1), candidate.argmax(axis=1)
    measured = {
        "kind": kind,
        "agreement": float(np.mean(predicted == expected)),
        **_accuracy(labels, expected, predicted),
        **_macro_f1(
            labels, expected, predicted, num_classes=reference.shape[1]
        ),
        "recall_difference_points": _recalls(
            labels, expected, predicted, names=names
        ),
        "largest_probability_difference": float(
            np.abs(candidate - reference).max()
        ),
        "classes_predicted": len(np.unique(predicted)),
        "classes_vanished": _vanished(expected, predicted, reference.shape[1]),
    }
    failures = _failures(measured, labels, names, bounds=bounds, kind=kind)
    return {**measured, "failures": failures, "passed": not failures}


def _accuracy(
    labels: np.ndarray, expected: np.ndarray, predicted: np.ndarray
) -> dict[str, Any]:
    was_right, is_right = expected == labels, predicted == labels
    before, after = float(was_right.mean()), float(is_right.mean())
    low, high = intervals.paired_interval(
        int((is_right & ~was_right).sum()),
        int((was_right & ~is_right).sum()),
        len(labels),
    )
    return {
        "accuracy": after,
        "trained_accuracy": before,
        "accuracy_difference_points": 100 * (after - before),
        "accuracy_difference_interval": [100 * low, 100 * high],
    }


def _macro_f1(
    labels: np.ndarray,
    expected: np.ndarray,
    predicted: np.ndarray,
    *,
    num_classes: int,
) -> dict[str, Any]:
    """The difference and its interval, from images resampled in pairs."""
    cells = (labels * num_classes + expected) * num_classes + predicted
    counts = np.bincount(cells, minlength=num_classes**3)
    triples = counts.reshape([num_classes] * 3)

    def difference(resampled: np.ndarray) -> dict[str, Any]:
        before = metrics.class_means(resampled.sum(axis=-1))["macro_f1"]
        after = metrics.class_means(resampled.sum(axis=-2))["macro_f1"]
        return {"points": 100 * (after - before)}

    resampled = intervals.resampled_intervals(triples, difference)
    return {
        "macro_f1": float(metrics.class_means(triples.sum(axis=1))["macro_f1"]),
        "macro_f1_difference_points": float(difference(triples)["points"]),
        "macro_f1_difference_interval": resampled["points"],
    }


def _recalls(
    labels: np.ndarray,
    expected: np.ndarray,
    predicted: np.ndarray,
    *,
    names: Sequence[str],
) -> dict[str, float]:
    """Class name -> points of recall gained; classes with an image only."""
    differences = {}
    for label in np.unique(labels):
        mine = labels == label
        gained = np.sum(predicted[mine] == label)
        lost = np.sum(expected[mine] == label)
        differences[names[label]] = float(100 * (gained - lost) / mine.sum())
    return differences


def _failures(
    measured: dict[str, Any],
    labels: np.ndarray,
    names: Sequence[str],
    *,
    bounds: Bounds,
    kind: str,
) -> list[str]:
    """The bounds that were broken, in words."""
    count = len(labels)
    supports = np.bincount(labels, minlength=len(names))
    failures = [
        _collapse(measured),
        _agreement(measured, count, bounds.least_agreement(kind)),
        _loss(measured, count, bounds.most_lost(kind, "accuracy")),
        *(
            _recall(
                name, measured, support, most=bounds.most_lost(kind, "recall")
            )
            for name, support in zip(names, supports, strict=True)
        ),
    ]
    difference = measured["largest_probability_difference"]
    if kind == "float32" and difference > bounds.float_difference:
        failures.append(
            f"probabilities: differ by {difference:.1e}, allowed are "
            f"{bounds.float_difference:.1e}"
        )
    return [failure for failure in failures if failure]


def _collapse(measured: dict[str, Any]) -> str | None:
    if measured["classes_vanished"]:
        return (
            "collapse: never predicts classes "
            f"{measured['classes_vanished']}, which the trained model does"
        )
    return None


def _agreement(
    measured: dict[str, Any], count: int, least: float
) -> str | None:
    changed = round((1 - measured["agreement"]) * count)
    allowed = max(1, math.floor((1 - least) * count + 1e-9))
    if changed <= allowed:
        return None
    return (
        f"agreement: {changed:,} of {count:,} predictions changed, allowed "
        f"are {allowed:,} (least agreement {100 * least:g}%)"
    )


def _loss(measured: dict[str, Any], count: int, most: float) -> str | None:
    lost = -measured["accuracy_difference_points"]
    allowed = max(most, 100 / count)
    if lost <= allowed + 1e-9:
        return None
    return f"accuracy: {lost:.2f} points lost, allowed are {allowed:.2f}"


def _recall(
    name: str, measured: dict[str, Any], support: np.integer, *, most: float
) -> str | None:
    lost = -measured["recall_difference_points"].get(name, 0.0)
    allowed = max(most, 100 / max(support, 1))
    if lost <= allowed + 1e-9:
        return None
    return f"recall: `{name}` lost {lost:.2f} points, allowed are {allowed:.2f}"


def _vanished(
    expected: np.ndarray, predicted: np.ndarray, num_classes: int
) -> list[int]:
    """Label ids that the model gives and the artefact never does."""
    before = np.bincount(expected, minlength=num_classes)
    after = np.bincount(predicted, minlength=num_classes)
    return np.flatnonzero((before >= VANISHED_FROM) & (after == 0)).tolist()

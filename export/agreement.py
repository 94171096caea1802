"""Is it still the same model? One artefact's answers against the trained ones.

Numpy in, plain JSON values out: figures, and the bounds that were broken in
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
# one that it gives once may fall to a single picture on the boundary.
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
    """Compares one artefact's answers with the trained model's.

    One picture is always allowed to change, in all and in each class, since
    with few pictures it alone is more than the bounds; the difference of
    probabilities is not relaxed.

    Args:
      labels: int [n], the right answers.
      reference: float32 [n, K], probabilities of the trained model.
      candidate: float32 [n, K], probabilities of the artefact.
      bounds: what may differ.
      kind: a recipe's name, or `compressed`.
      names: of the K classes.

    Returns:
      Figures, `failures` (reasons in words) and `passed`.
    """
    if candidate.shape != reference.shape or not np.isfinite(candidate).all():
        reason = f"answers are not {list(reference.shape)} finite numbers"
        return {"failures": [reason], "passed": False}
    expected, answered = reference.argmax(axis=1), candidate.argmax(axis=1)
    figures = {
        "kind": kind,
        "agreement": float(np.mean(answered == expected)),
        **_accuracy(labels, expected, answered),
        **_macro_f1(labels, expected, answered, reference.shape[1]),
        "recall_difference_points": _recalls(labels, expected, answered, names),
        "largest_probability_difference": float(
            np.abs(candidate - reference).max()
        ),
        "classes_predicted": len(np.unique(answered)),
        "classes_vanished": _vanished(expected, answered, reference.shape[1]),
    }
    failures = _failures(figures, labels, names, bounds, kind)
    return {**figures, "failures": failures, "passed": not failures}


def _accuracy(labels, expected, answered):
    was_right, is_right = expected == labels, answered == labels
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


def _macro_f1(labels, expected, answered, num_classes):
    """The difference and its interval, from pictures drawn in pairs."""
    cells = (labels * num_classes + expected) * num_classes + answered
    counts = np.bincount(cells, minlength=num_classes**3)
    triples = counts.reshape([num_classes] * 3)

    def difference(drawn):
        before = metrics.class_means(drawn.sum(axis=-1))["macro_f1"]
        after = metrics.class_means(drawn.sum(axis=-2))["macro_f1"]
        return {"points": 100 * (after - before)}

    drawn = intervals.resampled_intervals(triples, difference)
    return {
        "macro_f1": float(metrics.class_means(triples.sum(axis=1))["macro_f1"]),
        "macro_f1_difference_points": float(difference(triples)["points"]),
        "macro_f1_difference_interval": drawn["points"],
    }


def _recalls(labels, expected, answered, names):
    """Class name -> points of recall gained; classes with a picture only."""
    differences = {}
    for label in np.unique(labels):
        mine = labels == label
        gained = np.sum(answered[mine] == label)
        lost = np.sum(expected[mine] == label)
        differences[names[label]] = float(100 * (gained - lost) / mine.sum())
    return differences


def _failures(figures, labels, names, bounds, kind):
    """The bounds that were broken, in words."""
    count = len(labels)
    supports = np.bincount(labels, minlength=len(names))
    failures = [
        _collapse(figures),
        _agreement(figures, count, bounds.least_agreement(kind)),
        _loss(figures, count, bounds.most_lost(kind, "accuracy")),
        *(
            _recall(name, figures, support, bounds.most_lost(kind, "recall"))
            for name, support in zip(names, supports, strict=True)
        ),
    ]
    difference = figures["largest_probability_difference"]
    if kind == "float32" and difference > bounds.float_difference:
        failures.append(
            f"probabilities: differ by {difference:.1e}, allowed are "
            f"{bounds.float_difference:.1e}"
        )
    return [failure for failure in failures if failure]


def _collapse(figures):
    if figures["classes_vanished"]:
        return (
            "collapse: never answers classes "
            f"{figures['classes_vanished']}, which the trained model does"
        )
    return None


def _agreement(figures, count, least):
    changed = round((1 - figures["agreement"]) * count)
    allowed = max(1, math.floor((1 - least) * count + 1e-9))
    if changed <= allowed:
        return None
    return (
        f"agreement: {changed} of {count} answers changed, allowed are "
        f"{allowed} (least agreement {100 * least:g}%)"
    )


def _loss(figures, count, most):
    lost = -figures["accuracy_difference_points"]
    allowed = max(most, 100 / count)
    if lost <= allowed + 1e-9:
        return None
    return f"accuracy: {lost:.2f} points lost, allowed are {allowed:.2f}"


def _recall(name, figures, support, most):
    lost = -figures["recall_difference_points"].get(name, 0.0)
    allowed = max(most, 100 / max(support, 1))
    if lost <= allowed + 1e-9:
        return None
    return f"recall: `{name}` lost {lost:.2f} points, allowed are {allowed:.2f}"


def _vanished(expected, answered, num_classes):
    """Label ids that the model gives and the artefact never does."""
    before = np.bincount(expected, minlength=num_classes)
    after = np.bincount(answered, minlength=num_classes)
    return np.flatnonzero((before >= VANISHED_FROM) & (after == 0)).tolist()

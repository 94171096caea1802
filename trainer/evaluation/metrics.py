"""Metrics of a classifier: numpy in, plain JSON-able values out.

The only module that imports scikit-learn. It must not import TensorFlow, draw,
read files or know a data set: class names arrive as an argument, and all ids
are positions in them. The predicted class is the first largest probability.
"""

import math
from collections.abc import Sequence

import numpy as np
from sklearn import metrics as sk_metrics

from trainer.evaluation import intervals
from trainer.evaluation import predictions

# Smallest probability that enters a logarithm: the spacing of float32 at 1.
SMALLEST_PROBABILITY = float(np.finfo(np.float32).eps)


def quick_metrics(
    labels: np.ndarray, probabilities: np.ndarray
) -> dict[str, float]:
    """Computes the metrics that an epoch is judged by, and nothing else.

    Args:
      labels: int [n], true class ids in [0, K).
      probabilities: float [n, K] in [0, 1], rows sum to 1.

    Returns:
      accuracy, macro_f1 and log_loss (nats), as `evaluate_probabilities`
      computes them.

    Raises:
      ValueError: as `evaluate_probabilities`.
    """
    labels, probabilities = predictions.checked(labels, probabilities)
    matrix = _confusion_matrix(labels, probabilities)
    return {
        "accuracy": int(np.trace(matrix)) / len(labels),
        "macro_f1": float(class_means(matrix)["macro_f1"]),
        "log_loss": float(log_losses(labels, probabilities).mean()),
    }


def evaluate_probabilities(
    labels: np.ndarray, probabilities: np.ndarray, class_names: Sequence[str]
) -> dict:
    """Computes every metric that the project reports for one split.

    A ratio with nothing below the line is None, never a made-up 0: precision of
    a class that is never predicted, recall of a class without an example.
    `macro_f1` and `balanced_accuracy` average over the classes that have an
    example. `roc_auc` is the mean of the one-vs-rest areas of all classes, from
    probabilities; None, with the reason in `roc_auc_reason`, when a class has
    no example. `collapsed` is true when a class that has an example is never
    predicted; `never_predicted` names these. `predicted_classes` counts the
    distinct predictions. All but the counts and log_loss are in [0, 1].

    Args:
      labels: int [n], true class ids in [0, K).
      probabilities: float [n, K] in [0, 1], rows sum to 1 within 1e-3 plus the
        rounding of an 8-bit output, K / 512.
      class_names: K distinct names in id order.

    Returns:
      dict of python ints, floats, strings and lists: n, class_names, accuracy,
      macro_f1, balanced_accuracy, roc_auc, roc_auc_reason, log_loss (nats),
      X_interval [low, high] of each of these metrics (95%; see
      `trainer.evaluation.intervals`), per_class (name, support, precision,
      recall, recall_interval, f1, roc_auc), confusion_matrix (rows: true class,
      columns: predicted), predicted_classes, never_predicted, collapsed.

    Raises:
      ValueError: on wrong shapes, types or values, and on no examples.
    """
    labels, probabilities = predictions.checked(labels, probabilities)
    names = predictions.checked_names(class_names, probabilities.shape[1])
    matrix = _confusion_matrix(labels, probabilities)
    areas = [_area(curve) for curve in roc_curves(labels, probabilities)]
    reason = _roc_reason(matrix, names)
    return {
        "n": len(labels),
        "class_names": list(names),
        **_accuracies(matrix),
        **_macro_area(labels, probabilities, areas, reason=reason),
        **_log_loss(labels, probabilities),
        **_classes(matrix, names, areas),
    }


def roc_curves(
    labels: np.ndarray, probabilities: np.ndarray
) -> list[dict | None]:
    """Returns the one-vs-rest ROC curve of each class, in id order.

    Args:
      labels: int [n], true class ids in [0, K).
      probabilities: float [n, K] in [0, 1], rows sum to 1.

    Returns:
      K entries: {"false_positive_rate": [...], "true_positive_rate": [...]},
      from (0, 0) to (1, 1), or None for a class with no example or no other.

    Raises:
      ValueError: as `evaluate_probabilities`.
    """
    labels, probabilities = predictions.checked(labels, probabilities)
    columns = enumerate(probabilities.T)
    return [_roc_curve(labels == i, scores) for i, scores in columns]


def log_losses(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Returns each example's negative log likelihood, in nats.

    Args:
      labels: int [n], true class ids in [0, K).
      probabilities: float [n, K]; below 2^-23 they count as 2^-23.

    Returns:
      float [n], from 0 to 15.9.
    """
    true = probabilities[np.arange(len(labels)), labels]
    return -np.log(np.maximum(true, SMALLEST_PROBABILITY))


def _confusion_matrix(
    labels: np.ndarray, probabilities: np.ndarray
) -> np.ndarray:
    """int [K, K]; rows: true class, columns: predicted."""
    classes = probabilities.shape[1]
    cells = labels * classes + probabilities.argmax(axis=1)
    counts = np.bincount(cells, minlength=classes**2)
    return counts.reshape(classes, classes)


def class_means(matrices: np.ndarray) -> dict[str, np.ndarray]:
    """Means over the classes with an example: int [..., K, K] -> float [...].

    The leading axes are for many matrices at once, as the bootstrap draws.
    """
    hits = np.diagonal(matrices, axis1=-2, axis2=-1)
    support, predicted = matrices.sum(axis=-1), matrices.sum(axis=-2)
    present = support > 0
    # What is not present has no hit, so it adds 0 to the sums.
    f1 = 2 * hits / np.maximum(support + predicted, 1)
    recall = hits / np.maximum(support, 1)
    count = present.sum(axis=-1)
    return {
        "macro_f1": f1.sum(axis=-1) / count,
        "balanced_accuracy": recall.sum(axis=-1) / count,
    }


def _accuracies(matrix: np.ndarray) -> dict:
    """Accuracy and the means over classes, each with its interval."""
    n, correct = int(matrix.sum()), int(np.trace(matrix))
    result = {
        "accuracy": correct / n,
        "accuracy_interval": list(intervals.wilson_interval(correct, n)),
    }
    resampled = intervals.resampled_intervals(matrix, class_means)
    for name, value in class_means(matrix).items():
        result |= {name: float(value), f"{name}_interval": resampled[name]}
    return result


def _macro_area(
    labels: np.ndarray,
    probabilities: np.ndarray,
    areas: Sequence[float | None],
    *,
    reason: str | None,
) -> dict:
    """Mean one-vs-rest area with its interval, or the reason for none."""
    mean = bounds = None
    if reason is None:
        mean = math.fsum(areas) / len(areas)
        influences = [
            intervals.area_influences(labels == i, scores)
            for i, scores in enumerate(probabilities.T)
        ]
        bounds = intervals.mean_interval(np.mean(influences, axis=0), mean)
        bounds = np.clip(bounds, 0.0, 1.0).tolist()
    names = ("roc_auc", "roc_auc_interval", "roc_auc_reason")
    return dict(zip(names, (mean, bounds, reason), strict=True))


def _log_loss(labels: np.ndarray, probabilities: np.ndarray) -> dict:
    losses = log_losses(labels, probabilities)
    mean = float(losses.mean())
    low, high = intervals.mean_interval(losses - mean, mean)
    return {"log_loss": mean, "log_loss_interval": [max(0.0, low), high]}


def _classes(
    matrix: np.ndarray,
    names: Sequence[str],
    areas: Sequence[float | None],
) -> dict:
    """What is known of each class, and whether all are predicted."""
    per_class = _per_class(matrix, names, areas)
    present = [row for row in per_class if row["support"]]
    never = [row["name"] for row in present if row["precision"] is None]
    return {
        "per_class": per_class,
        "confusion_matrix": matrix.tolist(),
        "predicted_classes": int(np.count_nonzero(matrix.sum(axis=0))),
        "never_predicted": never,
        "collapsed": bool(never),
    }


def _per_class(
    matrix: np.ndarray,
    names: Sequence[str],
    areas: Sequence[float | None],
) -> list[dict]:
    hits = np.diag(matrix).tolist()
    supports = matrix.sum(axis=1).tolist()
    predicted = matrix.sum(axis=0).tolist()
    return [
        {
            "name": name,
            "support": support,
            "precision": _ratio(hit, predictions),
            "recall": _ratio(hit, support),
            "recall_interval": _interval(hit, support),
            "f1": _ratio(2 * hit, support + predictions),
            "roc_auc": area,
        }
        for name, hit, support, predictions, area in zip(
            names, hits, supports, predicted, areas, strict=True
        )
    ]


def _roc_curve(is_class: np.ndarray, scores: np.ndarray) -> dict | None:
    if is_class.all() or not is_class.any():
        return None
    false, true, _ = sk_metrics.roc_curve(is_class, scores)
    rates = {"false_positive_rate": false, "true_positive_rate": true}
    return {name: values.tolist() for name, values in rates.items()}


def _area(curve: dict | None) -> float | None:
    if curve is None:
        return None
    rates = curve["false_positive_rate"], curve["true_positive_rate"]
    return float(sk_metrics.auc(*rates))


def _roc_reason(matrix: np.ndarray, names: Sequence[str]) -> str | None:
    missing = [names[i] for i in np.flatnonzero(matrix.sum(axis=1) == 0)]
    return f"no example of {', '.join(missing)}" if missing else None


def _interval(hit: int, support: int) -> list[float] | None:
    return list(intervals.wilson_interval(hit, support)) if support else None


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None

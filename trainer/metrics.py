"""Figures of merit of a classifier: numpy in, plain JSON-able values out.

The only module that imports scikit-learn. It must not import TensorFlow, draw,
read files or know a data set: class names arrive as an argument, and all ids
are positions in them. The predicted class is the first largest probability.
"""

import math
from collections.abc import Sequence

import numpy as np
from sklearn import metrics as sk_metrics

# Standard normal quantile of a two-sided 95% interval.
Z_95 = 1.959963984540054

# Half a step of an 8-bit output of scale 1/256 (LiteRT's softmax): the most by
# which one probability of a quantised model is off through rounding alone.
QUANTISATION_HALF_STEP = 0.5 / 256

# Slack for float16 and float32 softmax sums; logits miss by far more.
FLOAT_SUM_SLACK = 1e-3

# Smallest probability that enters a logarithm: the spacing of float32 at 1.
SMALLEST_PROBABILITY = float(np.finfo(np.float32).eps)


def evaluate_probabilities(
    labels: np.ndarray, probabilities: np.ndarray, class_names: Sequence[str]
) -> dict:
    """Computes every figure that the project reports for one split.

    A ratio with nothing below the line is None, never a made-up 0: precision of
    a class that is never predicted, recall of a class without an example.
    `macro_f1` and `balanced_accuracy` average over the classes that have an
    example. `roc_auc` is the mean of the one-vs-rest areas of all classes, from
    probabilities; None, with the reason in `roc_auc_reason`, when a class has
    no example. `collapsed` is true when a class that has an example is never
    predicted; `never_predicted` names these. `predicted_classes` counts the
    distinct predictions.

    Args:
      labels: int [n], true class ids in [0, K).
      probabilities: float [n, K] in [0, 1], rows sum to 1 within 1e-3 plus the
        rounding of an 8-bit output, K / 512.
      class_names: K distinct names in id order.

    Returns:
      dict of python ints, floats, strings and lists: n, class_names, accuracy,
      accuracy_interval [low, high] (95%, Wilson), macro_f1, balanced_accuracy,
      roc_auc, roc_auc_reason, log_loss (nats), per_class (name, support,
      precision, recall, recall_interval, f1, roc_auc), confusion_matrix (rows:
      true class, columns: predicted), predicted_classes, never_predicted,
      collapsed. All but the counts and log_loss are in [0, 1].

    Raises:
      ValueError: on wrong shapes, types or values, and on no examples.
    """
    labels, probabilities = _checked(labels, probabilities)
    names = _checked_names(class_names, probabilities.shape[1])
    ids, predictions = np.arange(len(names)), probabilities.argmax(axis=1)
    matrix = sk_metrics.confusion_matrix(labels, predictions, labels=ids)
    areas = [_area(curve) for curve in roc_curves(labels, probabilities)]
    reason = _roc_reason(matrix, names)
    per_class = _per_class(matrix, names, areas)
    present = [row for row in per_class if row["support"]]
    never = [row["name"] for row in present if row["precision"] is None]
    n, correct = len(labels), int(np.trace(matrix))
    return {
        "n": n,
        "class_names": list(names),
        "accuracy": correct / n,
        "accuracy_interval": list(wilson_interval(correct, n)),
        "macro_f1": _mean([row["f1"] for row in present]),
        "balanced_accuracy": _mean([row["recall"] for row in present]),
        "roc_auc": _mean(areas) if reason is None else None,
        "roc_auc_reason": reason,
        "log_loss": _log_loss(labels, probabilities),
        "per_class": per_class,
        "confusion_matrix": matrix.tolist(),
        "predicted_classes": int(np.count_nonzero(matrix.sum(axis=0))),
        "never_predicted": never,
        "collapsed": bool(never),
    }


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """Returns the 95% score interval (low, high) of a proportion, in [0, 1].

    Source: E. B. Wilson, JASA 22 (1927) 209-212; no continuity correction.
    Example: `wilson_interval(8, 10)` is (0.490, 0.943).

    Raises:
      ValueError: unless 0 <= successes <= n and n >= 1.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(
            "`successes` and `n` must satisfy 0 <= successes <= n and n >= 1. "
            f"Received: successes={successes}, n={n}."
        )
    share, z2 = successes / n, Z_95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    spread = math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    half = Z_95 * spread / (1 + z2 / n)
    # Exact at 0 and n, where sums of floats miss the bound by one bit.
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == n else centre + half
    return float(low), float(high)


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
    labels, probabilities = _checked(labels, probabilities)
    columns = enumerate(probabilities.T)
    return [_roc_curve(labels == i, scores) for i, scores in columns]


def reliability(
    labels: np.ndarray, probabilities: np.ndarray, bins: int = 15
) -> dict:
    """Compares confidence with accuracy in bins of equal width.

    Source: C. Guo et al., On calibration of modern neural networks, ICML 2017;
    the 15 bins and the bounds (low, high] are theirs. Confidence is the largest
    probability of a row.

    Args:
      labels: int [n], true class ids in [0, K).
      probabilities: float [n, K] in [0, 1], rows sum to 1.
      bins: number of bins over (0, 1], at least 1.

    Returns:
      {"bins": [{low, high, count, confidence, accuracy}, ...] with the means
      None in an empty bin, "expected_calibration_error": float in [0, 1]}.

    Raises:
      ValueError: as `evaluate_probabilities`; `bins` below 1.
    """
    if bins < 1:
        raise ValueError(f"`bins` must be at least 1. Received: {bins}.")
    labels, probabilities = _checked(labels, probabilities)
    confidence = probabilities.max(axis=1)
    is_right = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0.0, 1.0, bins + 1)
    # Side "left" gives the edge at or above the value: bins closed above.
    where = np.clip(np.searchsorted(edges, confidence) - 1, 0, bins - 1)
    rows = [
        _bin(*edges[i : i + 2], confidence[where == i], is_right[where == i])
        for i in range(bins)
    ]
    filled = [row for row in rows if row["count"]]
    gaps = [abs(row["confidence"] - row["accuracy"]) for row in filled]
    error = np.average(gaps, weights=[row["count"] for row in filled])
    return {"bins": rows, "expected_calibration_error": float(error)}


def _bin(low, high, confidence, is_right) -> dict:
    count = len(confidence)
    return {
        "low": float(low),
        "high": float(high),
        "count": count,
        "confidence": float(confidence.mean()) if count else None,
        "accuracy": float(is_right.mean()) if count else None,
    }


def _per_class(matrix, names, areas) -> list[dict]:
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


def _roc_curve(is_class, scores) -> dict | None:
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


def _roc_reason(matrix, names) -> str | None:
    missing = [names[i] for i in np.flatnonzero(matrix.sum(axis=1) == 0)]
    return f"no example of {', '.join(missing)}" if missing else None


def _log_loss(labels, probabilities) -> float:
    true = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(true, SMALLEST_PROBABILITY)).mean())


def _interval(hit: int, support: int) -> list[float] | None:
    return list(wilson_interval(hit, support)) if support else None


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def _checked(labels, probabilities) -> tuple[np.ndarray, np.ndarray]:
    """Returns labels int64 [n] and probabilities float64 [n, K], or raises."""
    labels, probabilities = np.asarray(labels), np.asarray(probabilities)
    if probabilities.ndim != 2 or probabilities.shape[1] < 2:
        raise ValueError(
            "`probabilities` must have shape [n, K], K >= 2, a column for each "
            f"class. Received shape: {probabilities.shape}."
        )
    if labels.shape != probabilities.shape[:1]:
        raise ValueError(
            f"`labels` must have shape {probabilities.shape[:1]}, one id for "
            f"each row of `probabilities`. Received shape: {labels.shape}."
        )
    if not len(labels):
        raise ValueError("`labels` is empty. Has the split any examples?")
    _check_labels(labels, probabilities.shape[1])
    probabilities = probabilities.astype(np.float64)
    _check_probabilities(probabilities)
    return labels.astype(np.int64), np.clip(probabilities, 0.0, 1.0)


def _check_labels(labels, classes: int) -> None:
    if labels.dtype.kind not in "iu":
        raise ValueError(
            f"`labels` must be integer ids. Received dtype: {labels.dtype}."
        )
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(wrong):
        raise ValueError(
            f"`labels` must lie in [0, {classes}). Received {labels[wrong[0]]} "
            f"at position {wrong[0]}. Do model and data use the same classes?"
        )


def _check_probabilities(probabilities) -> None:
    def refuse(wrong, rule, advice):
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise ValueError(
                f"`probabilities` must {rule}. Received in row {row}: "
                f"{probabilities[row].tolist()}. {advice}"
            )

    finite = np.isfinite(probabilities).all(axis=1)
    refuse(~finite, "be finite", "Did the training diverge?")
    outside = np.abs(probabilities - 0.5) > 0.5 + FLOAT_SUM_SLACK
    refuse(outside.any(axis=1), "lie in [0, 1]", "Are these logits?")
    classes = probabilities.shape[1]
    slack = FLOAT_SUM_SLACK + classes * QUANTISATION_HALF_STEP
    off = np.abs(probabilities.sum(axis=1) - 1) > slack
    refuse(off, "sum to 1 in each row", "Apply a softmax over the classes.")


def _checked_names(class_names, classes: int) -> tuple[str, ...]:
    names = tuple(class_names)
    if len(names) != classes or len(set(names)) != classes:
        raise ValueError(
            f"`class_names` must be {classes} distinct names, one for each "
            f"column of `probabilities`. Received: {names}."
        )
    return names

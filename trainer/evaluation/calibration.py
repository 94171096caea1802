"""Is a confidence of 80% right in 80 of 100 cases, and what makes it so?

Numpy in, plain JSON-able values out. Must not import TensorFlow, draw or read
files. Temperature scaling changes the confidence of a prediction, never which
class it is.
"""

import numpy as np

from trainer.evaluation import metrics
from trainer.evaluation import predictions

# C. Guo et al., On calibration of modern neural networks, ICML 2017.
BINS = 15

# Temperatures that are searched; predictions that are all correct would want
# 0, and ones that are worth nothing infinity.
COLDEST, HOTTEST = 0.05, 20.0
# Halves the logarithm of the interval to less than a float's precision.
_HALVINGS = 60


def calibration_metrics(
    labels: np.ndarray, probabilities: np.ndarray, temperature: float | None
) -> dict[str, float | None]:
    """Computes the calibration of one split, as it is and scaled.

    Args:
      labels: int [n], true class ids in [0, K).
      probabilities: float [n, K] in [0, 1], rows sum to 1.
      temperature: from `fit_temperature`, best on another split; None where
        none is known.

    Returns:
      ece and ece_scaled in [0, 1], temperature, log_loss_scaled (nats); all
      but ece None without a temperature.

    Raises:
      ValueError: as `trainer.evaluation.predictions.checked`.
    """
    labels, probabilities = predictions.checked(labels, probabilities)
    ece = reliability(labels, probabilities)["ece"]
    if temperature is None:
        names = ("temperature", "ece_scaled", "log_loss_scaled")
        return {"ece": ece, **dict.fromkeys(names)}
    scaled = apply_temperature(probabilities, temperature)
    return {
        "ece": ece,
        "temperature": float(temperature),
        "ece_scaled": reliability(labels, scaled)["ece"],
        "log_loss_scaled": float(metrics.log_losses(labels, scaled).mean()),
    }


def fit_temperature(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Returns the temperature that minimises the log loss.

    The log loss is convex in the inverse temperature b, and its derivative is
    the mean of (expected logit - logit of the true class) at b; bisection
    finds where that changes its sign.

    Args:
      labels: int [n], true class ids in [0, K).
      probabilities: float [n, K] in [0, 1], rows sum to 1.

    Returns:
      A temperature in [0.05, 20]; above 1 the predictions were too confident.

    Raises:
      ValueError: as `trainer.evaluation.predictions.checked`.
    """
    labels, probabilities = predictions.checked(labels, probabilities)
    logits = _logits(probabilities)
    true = logits[np.arange(len(labels)), labels]
    cold, hot = np.log(COLDEST), np.log(HOTTEST)
    for _ in range(_HALVINGS):
        middle = (cold + hot) / 2
        softened = _softmax(logits / np.exp(middle))
        expected = (softened * logits).sum(axis=1)
        # Expected below true: more confidence would still lower the loss.
        if (expected - true).mean() < 0:
            hot = middle
        else:
            cold = middle
    return float(np.exp((cold + hot) / 2))


def apply_temperature(
    probabilities: np.ndarray, temperature: float
) -> np.ndarray:
    """Returns softmax(log(probabilities) / temperature).

    Args:
      probabilities: float [n, K] in [0, 1]; below 2^-23 they count as 2^-23.
      temperature: above 0.

    Returns:
      float64 [n, K] in [0, 1], rows sum to 1.

    Raises:
      ValueError: `temperature` is 0 or less, or no number.
    """
    if not temperature > 0:
        raise ValueError(
            f"`temperature` must be above 0. Received: {temperature}."
        )
    return _softmax(_logits(probabilities) / temperature)


def reliability(
    labels: np.ndarray, probabilities: np.ndarray, bins: int = BINS
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
      None in an empty bin, "ece": the expected calibration error, float in
      [0, 1]}.

    Raises:
      ValueError: as `trainer.evaluation.predictions.checked`; `bins` below 1.
    """
    if bins < 1:
        raise ValueError(f"`bins` must be at least 1. Received: {bins}.")
    labels, probabilities = predictions.checked(labels, probabilities)
    confidence = probabilities.max(axis=1)
    is_right = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0.0, 1.0, bins + 1)
    # Side "left" gives the edge at or above the value: bins closed above.
    where = np.clip(np.searchsorted(edges, confidence) - 1, 0, bins - 1)
    rows = [
        _bin(edges[i : i + 2], confidence[where == i], is_right[where == i])
        for i in range(bins)
    ]
    filled = [row for row in rows if row["count"]]
    gaps = [abs(row["confidence"] - row["accuracy"]) for row in filled]
    error = np.average(gaps, weights=[row["count"] for row in filled])
    return {"bins": rows, "ece": float(error)}


def _bin(
    bounds: np.ndarray, confidence: np.ndarray, is_right: np.ndarray
) -> dict:
    low, high = bounds
    count = len(confidence)
    return {
        "low": float(low),
        "high": float(high),
        "count": count,
        "confidence": float(confidence.mean()) if count else None,
        "accuracy": float(is_right.mean()) if count else None,
    }


def _logits(probabilities: np.ndarray) -> np.ndarray:
    """Logits up to a constant in each row, which no softmax sees."""
    smallest = metrics.SMALLEST_PROBABILITY
    return np.log(np.maximum(np.float64(probabilities), smallest))


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)

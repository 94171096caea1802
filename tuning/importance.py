"""How much each hyperparameter decides: numpy in, plain numbers out.

Must not import TensorFlow, read files or draw.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from tuning.space import Parameter

# Groups that the values of a rate are cut into, of equally many trials.
RATE_GROUPS = 4

# Below so many trials a fraction of variance is not worth a number.
FEWEST_TRIALS = 8

SHUFFLES = 2000


def importances(
    parameters: Sequence[Parameter],
    values: Sequence[dict[str, Any]],
    scores: Sequence[float],
) -> list[dict]:
    """Returns how much of the scores' variance each hyperparameter explains.

    The fraction of variance between the groups of trials that have the same
    value, less what groups of that size explain by chance: epsilon squared
    (T. L. Kelley, PNAS 21 (1935) 554-559). Each hyperparameter is looked at
    alone, so what two of them do together is not seen.

    Args:
      parameters: of the search.
      values: of each completed trial.
      scores: the objective of each.

    Returns:
      [{"name", "fraction" in [0, 1] or None where nothing can be said,
      "p_value" of such a fraction by chance (permutation test), "best": the
      value of the group with the best mean}], the most important first. `best`
      is for an objective of which more is better: negate a loss.
    """
    rows = [_importance(each, values, scores) for each in parameters]
    return sorted(rows, key=lambda row: -(row["fraction"] or 0))


def _importance(
    parameter: Parameter,
    values: Sequence[dict[str, Any]],
    scores: Sequence[float],
) -> dict[str, Any]:
    known = [i for i, v in enumerate(values) if parameter.name in v]
    score = np.array([scores[i] for i in known], float)
    given = [values[i][parameter.name] for i in known]
    groups, names = _groups(parameter, given)
    row = {
        "name": parameter.name,
        "fraction": None,
        "p_value": None,
        "best": None,
    }
    counts = np.bincount(groups, minlength=len(names))
    if (
        len(known) < FEWEST_TRIALS
        or (counts > 0).sum() < 2
        or not np.ptp(score)
    ):
        return row
    means = np.bincount(groups, score, len(names)) / np.maximum(counts, 1)
    best = int(np.argmax(np.where(counts > 0, means, -np.inf)))
    observed = _explained(groups, score)
    rng = np.random.default_rng(0)
    chance = [
        _explained(groups, rng.permutation(score)) for _ in range(SHUFFLES)
    ]
    above = np.sum(np.array(chance) >= observed - 1e-12)
    return {
        "name": parameter.name,
        "fraction": float(max(0.0, observed)),
        "p_value": float((above + 1) / (SHUFFLES + 1)),
        "best": names[best],
    }


def _groups(
    parameter: Parameter, given: list[Any]
) -> tuple[np.ndarray, list[str]]:
    """The group of each trial, int [n], and the groups' names."""
    if parameter.values:
        return (
            np.array([parameter.values.index(v) for v in given], int),
            [str(v) for v in parameter.values],
        )
    rates = np.array(given, float)
    if not len(rates):
        return np.zeros(0, int), ["none"]
    cuts = np.quantile(rates, np.linspace(0, 1, RATE_GROUPS + 1))
    groups = np.searchsorted(cuts[1:-1], rates, side="right")
    pairs = itertools.pairwise(cuts)
    return groups, [f"{low:.2g} to {high:.2g}" for low, high in pairs]


def _explained(groups: np.ndarray, score: np.ndarray) -> float:
    """Epsilon squared of a grouping; below 0 where chance explains more."""
    counts = np.bincount(groups)
    sums = np.bincount(groups, score)
    filled = counts > 0
    k, n = int(filled.sum()), len(score)
    if n <= k:
        return 0.0
    total = float(np.square(score - score.mean()).sum())
    between = float((sums[filled] ** 2 / counts[filled]).sum())
    between -= n * float(score.mean()) ** 2
    within = (total - between) / (n - k)
    return (between - (k - 1) * within) / total

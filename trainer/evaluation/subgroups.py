"""Accuracy of each subgroup of people, where the data says who is in which.

Numpy in, plain JSON-able values out. Must not import TensorFlow, and must not
guess a subgroup: it is a feature of the prepared records or it is not known.
"""

import statistics
from collections.abc import Sequence

import numpy as np

from trainer.evaluation import intervals

# More values than this are names or numbers, not subgroups.
MOST_SUBGROUPS = 40

# Fewer examples are off by more than 18 points either way (Wilson, at 50%),
# and the largest gap would be that of the smallest subgroup.
FEWEST_FOR_GAP = 30


def evaluate_subgroups(
    labels: np.ndarray, probabilities: np.ndarray, subgroups: Sequence[str]
) -> dict:
    """Compares subgroups by accuracy.

    The interval of the largest gap allows for having been chosen among all
    pairs of subgroups (Bonferroni), so that it stays clear of 0 by chance in
    one of twenty data sets without any gap, and not in one of twenty pairs.

    Args:
      labels: int [n], true class ids.
      probabilities: float [n, K] in [0, 1].
      subgroups: n names.

    Returns:
      {"groups": [{name, n, accuracy, accuracy_interval (95%, Wilson)}, ...] by
      name, "largest_gap": {best, worst, difference, interval (95% over all
      pairs, Newcombe)} of subgroups with 30 examples or more, else None,
      "groups_reason": why one of the two is missing, else None}.
    """
    names = sorted(set(subgroups))
    if len(names) > MOST_SUBGROUPS:
        reason = f"{len(names):,} values of `group`: too many to be subgroups"
        return {"groups": [], "largest_gap": None, "groups_reason": reason}
    is_right = probabilities.argmax(axis=1) == labels
    members = {name: is_right[np.array(subgroups) == name] for name in names}
    counts = {n: (int(m.sum()), len(m)) for n, m in members.items()}
    gap = _largest_gap(counts)
    reason = None if gap else "fewer than two subgroups of 30 examples"
    rows = [_row(name, *count) for name, count in counts.items()]
    return {"groups": rows, "largest_gap": gap, "groups_reason": reason}


def _row(name: str, hits: int, n: int) -> dict:
    return {
        "name": name,
        "n": n,
        "accuracy": hits / n,
        "accuracy_interval": list(intervals.wilson_interval(hits, n)),
    }


def _largest_gap(counts: dict[str, tuple[int, int]]) -> dict | None:
    large = {k: c for k, c in counts.items() if c[1] >= FEWEST_FOR_GAP}
    if len(large) < 2:
        return None
    ordered = sorted(large, key=lambda name: large[name][0] / large[name][1])
    worst, best = ordered[0], ordered[-1]
    pairs = len(large) * (len(large) - 1) // 2
    z = statistics.NormalDist().inv_cdf(1 - 0.025 / pairs)
    low, high = intervals.difference_interval(large[best], large[worst], z)
    accuracy = {name: hits / n for name, (hits, n) in large.items()}
    return {
        "best": best,
        "worst": worst,
        "difference": accuracy[best] - accuracy[worst],
        "interval": [low, high],
    }

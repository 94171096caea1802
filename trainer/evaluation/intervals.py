"""How sure a metric is: 95% intervals of fractions, differences and means.

Numpy in, plain floats out. Must not import TensorFlow or scikit-learn, read
files, or know what the fractions are of. What is drawn at random is drawn with
a fixed seed: the same counts have the same intervals.
"""

import math
from collections.abc import Callable

import numpy as np

# Standard normal quantile of a two-sided 95% interval.
Z_95 = 1.959963984540054

# Enough for the percentiles to hold still to a tenth of a point on 3,589
# images; tried with 10,000.
RESAMPLES = 2000
_PERCENTILES = (2.5, 97.5)


def wilson_interval(
    successes: int, n: int, z: float = Z_95
) -> tuple[float, float]:
    """Returns the score interval (low, high) of a fraction, in [0, 1].

    Source: E. B. Wilson, JASA 22 (1927) 209-212; no continuity correction.
    Example: `wilson_interval(8, 10)` is (0.490, 0.943).

    Args:
      successes: of `n` trials.
      n: number of trials, at least 1.
      z: standard normal quantile; 95% unless told.

    Raises:
      ValueError: unless 0 <= successes <= n and n >= 1.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(
            "`successes` and `n` must satisfy 0 <= successes <= n and n >= 1. "
            f"Received: successes={successes}, n={n}."
        )
    fraction, z2 = successes / n, z**2
    centre = (fraction + z2 / (2 * n)) / (1 + z2 / n)
    spread = math.sqrt(fraction * (1 - fraction) / n + z2 / (4 * n * n))
    half = z * spread / (1 + z2 / n)
    # Exact at 0 and n, where sums of floats miss the bound by one bit.
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == n else centre + half
    return float(low), float(high)


def difference_interval(
    first: tuple[int, int], second: tuple[int, int], z: float = Z_95
) -> tuple[float, float]:
    """Returns the interval of the first fraction less the second.

    Bounds lie in [-1, 1]. For fractions of different examples. Source: R. G.
    Newcombe, Statistics in Medicine 17 (1998) 873-890, method 10, from the two
    Wilson intervals.

    Args:
      first: (successes, n).
      second: (successes, n).
      z: standard normal quantile; 95% unless told.

    Raises:
      ValueError: as `wilson_interval`.
    """
    bounds = wilson_interval(*first, z), wilson_interval(*second, z)
    (low_1, high_1), (low_2, high_2) = bounds
    rate_1, rate_2 = first[0] / first[1], second[0] / second[1]
    below = math.hypot(rate_1 - low_1, high_2 - rate_2)
    above = math.hypot(high_1 - rate_1, rate_2 - low_2)
    difference = rate_1 - rate_2
    return difference - below, difference + above


def paired_interval(
    only_first: int, only_second: int, n: int
) -> tuple[float, float]:
    """Returns the 95% interval of the difference of two fractions, in [-1, 1].

    For fractions of the same examples: what both got right or both got wrong
    says nothing about the difference. Source: A. Agresti and Y. Min,
    Statistics in Medicine 24 (2005) 729-740: half an example is added to each
    of the four cells, then Wald's interval.

    Args:
      only_first: examples that the first alone got right.
      only_second: examples that the second alone got right.
      n: all examples.

    Raises:
      ValueError: the counts are negative or more than `n`.
    """
    _check_pairs(only_first, only_second, n)
    more, fewer, total = only_first + 0.5, only_second + 0.5, n + 2
    difference = (more - fewer) / total
    variance = (more + fewer - (more - fewer) ** 2 / total) / total**2
    half = Z_95 * math.sqrt(variance)
    return max(-1.0, difference - half), min(1.0, difference + half)


def mcnemar_p(only_first: int, only_second: int) -> float:
    """Returns the exact two-sided p-value that both fractions are the same.

    Source: Q. McNemar, Psychometrika 12 (1947) 153-157, as a sign test: of
    the examples that one alone got right, each falls to either with 1/2.

    Raises:
      ValueError: a count is negative.
    """
    n = only_first + only_second
    _check_pairs(only_first, only_second, n)
    # Logarithms, since 2 to the power of some thousands is no float.
    tail = math.fsum(
        math.exp(_log_choose(n, k) - n * math.log(2))
        for k in range(min(only_first, only_second) + 1)
    )
    return min(1.0, 2 * tail)


def mean_interval(influences: np.ndarray, mean: float) -> list[float]:
    """Returns the 95% normal interval of a mean.

    Args:
      influences: float [n], by how much each example moves the mean, times n;
        for a plain mean these are the values less their mean.
      mean: the metric itself.
    """
    n = len(influences)
    half = Z_95 * math.sqrt(float(np.square(influences).sum())) / n
    return [mean - half, mean + half]


def resampled_intervals(
    matrix: np.ndarray, compute: Callable[[np.ndarray], dict[str, np.ndarray]]
) -> dict[str, list[float]]:
    """Returns percentile bootstrap intervals of a confusion matrix's metrics.

    To draw n examples with replacement is to draw the cells of their matrix;
    source: B. Efron, Annals of Statistics 7 (1979) 1-26.

    Args:
      matrix: int [K, K], counts.
      compute: int [r, K, K] -> name -> float [r].

    Returns:
      name -> [low, high], 95%.
    """
    n, rng = int(matrix.sum()), np.random.default_rng(0)
    draws = rng.multinomial(n, matrix.ravel() / n, size=RESAMPLES)
    return _percentiles(compute(draws.reshape(RESAMPLES, *matrix.shape)))


def grouped_intervals(
    matrices: np.ndarray,
    compute: Callable[[np.ndarray], dict[str, np.ndarray]],
) -> dict[str, list[float]]:
    """As `resampled_intervals`, for examples that belong together.

    Groups are drawn, each with all of its examples: pictures of one person are
    not independent of each other.

    Args:
      matrices: int [G, K, K], the confusion matrix of each group.
      compute: int [r, K, K] -> name -> float [r].

    Returns:
      name -> [low, high], 95%.
    """
    count, shape = len(matrices), matrices.shape[1:]
    rng = np.random.default_rng(0)
    draws = rng.multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
    drawn = draws @ matrices.reshape(count, -1)
    return _percentiles(compute(drawn.reshape(RESAMPLES, *shape)))


def _percentiles(values: dict[str, np.ndarray]) -> dict[str, list[float]]:
    return {
        name: np.percentile(series, _PERCENTILES).tolist()
        for name, series in values.items()
    }


def area_influences(is_class: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Returns how each example moves the area under a ROC curve, times n.

    Source: E. R. DeLong et al., Biometrics 44 (1988) 837-845: the
    fraction of the other kind that an example is on the right side of, ties
    counting half. Summed over classes these keep what the classes have in
    common.

    Args:
      is_class: bool [n], with both kinds in it.
      scores: float [n], the more the likelier.

    Returns:
      float [n] with a mean of 0.
    """
    result = np.empty(len(scores))
    for kind, sign in ((is_class, 1), (~is_class, -1)):
        mine, others = sign * scores[kind], np.sort(sign * scores[~kind])
        won = np.searchsorted(others, mine) + np.searchsorted(
            others, mine, side="right"
        )
        placed = won / (2 * len(others))
        result[kind] = (placed - placed.mean()) * len(scores) / len(mine)
    return result


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _check_pairs(only_first: int, only_second: int, n: int) -> None:
    if min(only_first, only_second) < 0 or only_first + only_second > n:
        raise ValueError(
            "`only_first` and `only_second` must not be negative, nor more "
            f"than `n` together. Received: {only_first}, {only_second}, {n}."
        )

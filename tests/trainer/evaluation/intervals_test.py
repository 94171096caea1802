"""Intervals against published values, and against what they promise."""

import itertools
import math

import numpy as np
import pytest

from trainer.evaluation import intervals


@pytest.mark.parametrize(
    ("successes", "n", "expected"),
    [
        # Rows 1-4: Newcombe, Statistics in Medicine 17 (1998), table I,
        # method 3; the last is the textbook value.
        pytest.param(81, 263, (0.2553, 0.3662), id="newcombe 81/263"),
        pytest.param(15, 148, (0.0624, 0.1605), id="newcombe 15/148"),
        pytest.param(0, 20, (0.0000, 0.1611), id="newcombe 0/20"),
        pytest.param(1, 29, (0.0061, 0.1718), id="newcombe 1/29"),
        pytest.param(8, 10, (0.4902, 0.9433), id="textbook 8/10"),
    ],
)
def test_wilson_interval_matches_published_values(successes, n, expected):
    assert intervals.wilson_interval(successes, n) == pytest.approx(
        expected, abs=5e-5
    )


def test_wilson_interval_is_exact_at_both_ends():
    assert intervals.wilson_interval(0, 7)[0] == 0.0
    assert intervals.wilson_interval(7, 7)[1] == 1.0


@pytest.mark.parametrize("pair", [(1, 0), (-1, 5), (6, 5)], ids=str)
def test_wilson_interval_refuses_impossible_counts(pair):
    with pytest.raises(ValueError, match=r"successes=.*n="):
        intervals.wilson_interval(*pair)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        # Newcombe, Statistics in Medicine 17 (1998), table II, method 10.
        pytest.param((56, 70), (48, 80), (0.0524, 0.3339), id="56/70 48/80"),
        pytest.param((9, 10), (3, 10), (0.1705, 0.8090), id="9/10 3/10"),
        pytest.param((10, 10), (0, 10), (0.6075, 1.0), id="10/10 0/10"),
    ],
)
def test_difference_interval_matches_published_values(first, second, expected):
    result = intervals.difference_interval(first, second)
    assert result == pytest.approx(expected, abs=5e-5)
    low, high = intervals.difference_interval(second, first)
    assert (-high, -low) == pytest.approx(expected, abs=5e-5)


def test_a_stricter_quantile_widens_an_interval():
    low, high = intervals.difference_interval((56, 70), (48, 80))
    wider = intervals.difference_interval((56, 70), (48, 80), z=3)
    assert wider[0] < low < high < wider[1]


def test_paired_interval_matches_hand_computation():
    # 12.5 and 2.5 of 52: difference 10/52, and Wald's variance of it.
    half = 1.959964 * math.sqrt(15 - 100 / 52) / 52
    assert intervals.paired_interval(12, 2, 50) == pytest.approx(
        (10 / 52 - half, 10 / 52 + half), abs=1e-6
    )
    swapped = intervals.paired_interval(2, 12, 50)
    assert swapped == pytest.approx((-10 / 52 - half, -10 / 52 + half))


def test_paired_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    # Cells: first alone, second alone, both or neither.
    draws = rng.multinomial(200, [0.12, 0.07, 0.81], size=2000)
    bounds = [
        intervals.paired_interval(int(a), int(b), 200) for a, b, _ in draws
    ]
    held = np.mean([low <= 0.05 <= high for low, high in bounds])
    assert 0.935 < held < 0.965


def test_the_paired_interval_uses_that_the_examples_are_the_same():
    paired = intervals.paired_interval(20, 5, 1000)
    unpaired = intervals.difference_interval((700, 1000), (685, 1000))
    assert np.diff(paired) < np.diff(unpaired) / 2


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        # Twice the tail of n fair coins: 2 (1 + 10 + 45) / 2^10, and so on.
        ((8, 2), 2 * 56 / 1024),
        ((5, 5), 1.0),
        ((0, 0), 1.0),
        ((0, 6), 2 / 64),
    ],
    ids=str,
)
def test_mcnemar_is_the_exact_sign_test(counts, expected):
    assert intervals.mcnemar_p(*counts) == pytest.approx(expected)
    assert intervals.mcnemar_p(*counts[::-1]) == pytest.approx(expected)


def test_mcnemar_copes_with_large_counts():
    assert 0 <= intervals.mcnemar_p(1000, 3000) < 1e-200
    assert intervals.mcnemar_p(2000, 2000) == 1.0


@pytest.mark.parametrize("counts", [(-1, 2, 9), (5, 5, 9)], ids=str)
def test_paired_interval_refuses_impossible_counts(counts):
    with pytest.raises(ValueError, match="must not be negative"):
        intervals.paired_interval(*counts)


def test_mean_interval_is_the_normal_one():
    values = np.random.default_rng(0).normal(3, 2, 400)
    low, high = intervals.mean_interval(values - values.mean(), 3.0)
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=1e-3)
    assert (low + high) / 2 == pytest.approx(3.0)


def test_resampled_interval_of_a_share_is_close_to_the_score_interval():
    def shares(matrices):
        hits = np.trace(matrices, axis1=1, axis2=2)
        return {"share": hits / matrices.sum(axis=(1, 2))}

    matrix = np.array([[300, 100], [50, 550]])
    drawn = intervals.resampled_intervals(matrix, shares)["share"]
    assert drawn == pytest.approx(
        intervals.wilson_interval(850, 1000), abs=0.004
    )
    assert intervals.resampled_intervals(matrix, shares)["share"] == drawn


def test_area_influences_are_those_of_leaving_an_example_out():
    rng = np.random.default_rng(1)
    is_class = np.arange(40) < 15
    scores = np.round(rng.normal(is_class, 1), 1)  # rounding makes ties

    def area(kept):
        pairs = itertools.product(
            scores[kept & is_class], scores[kept & ~is_class]
        )
        return np.mean([(a > b) + (a == b) / 2 for a, b in pairs])

    found = intervals.area_influences(is_class, scores)
    assert found.mean() == pytest.approx(0, abs=1e-12)
    whole = area(np.ones(40, bool))
    left_out = [whole - area(np.arange(40) != i) for i in range(40)]
    # To first order; the others of its kind gain its weight.
    kind = np.where(is_class, 15, 25)
    np.testing.assert_allclose(
        found, 40 * np.array(left_out) * (kind - 1) / kind, atol=1e-9
    )

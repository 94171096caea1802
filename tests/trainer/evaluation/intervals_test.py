"""Intervals against published values, and against what they promise."""

import math

import numpy as np
import pytest

from trainer.evaluation import intervals


@pytest.mark.parametrize(
    ("successes", "n", "expected"),
    [
        # Rows 1-4: Newcombe, Statistics in Medicine 17 (1998), table I,
        # method 3; the last is the textbook value.
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0000, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
        (8, 10, (0.4902, 0.9433)),
    ],
)
def test_wilson_interval_matches_published_values(successes, n, expected):
    found = intervals.wilson_interval(successes, n)
    assert found == pytest.approx(expected, abs=5e-5)


def test_wilson_interval_is_exact_at_both_ends_and_stays_between_them():
    assert intervals.wilson_interval(0, 7)[0] == 0.0
    assert intervals.wilson_interval(7, 7)[1] == 1.0
    for pair in ((1, 0), (-1, 5), (6, 5)):
        with pytest.raises(ValueError, match=r"successes=.*n="):
            intervals.wilson_interval(*pair)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        # Newcombe, Statistics in Medicine 17 (1998), table II, method 10.
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
    ],
)
def test_difference_interval_matches_published_values(first, second, expected):
    result = intervals.difference_interval(first, second)
    assert result == pytest.approx(expected, abs=5e-5)
    low, high = intervals.difference_interval(second, first)
    assert (-high, -low) == pytest.approx(expected, abs=5e-5)
    stricter = intervals.difference_interval(second, first, z=3)
    assert np.diff(stricter) > high - low


def test_paired_interval_matches_hand_computation():
    # 12.5 and 2.5 of 52: difference 10/52, and Wald's variance of it.
    half = 1.959964 * math.sqrt(15 - 100 / 52) / 52
    found = intervals.paired_interval(12, 2, 50)
    assert found == pytest.approx((10 / 52 - half, 10 / 52 + half), abs=1e-6)
    swapped = intervals.paired_interval(2, 12, 50)
    assert swapped == pytest.approx((-10 / 52 - half, -10 / 52 + half))
    for impossible in ((-1, 2, 9), (5, 5, 9)):
        with pytest.raises(ValueError, match="must not be negative"):
            intervals.paired_interval(*impossible)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        # Twice the tail of n fair coins: 2 (1 + 10 + 45) / 2^10, and so on.
        ((8, 2), 2 * 56 / 1024),
        ((5, 5), 1.0),
        ((0, 0), 1.0),
        ((0, 6), 2 / 64),
        ((2000, 2000), 1.0),
    ],
    ids=str,
)
def test_mcnemar_is_the_exact_sign_test(counts, expected):
    assert intervals.mcnemar_p(*counts) == pytest.approx(expected)
    assert intervals.mcnemar_p(*counts[::-1]) == pytest.approx(expected)
    assert 0 <= intervals.mcnemar_p(1000, 3000) < 1e-200


def test_mean_and_resampled_intervals_are_close_to_known_ones():
    values = np.random.default_rng(0).normal(3, 2, 400)
    low, high = intervals.mean_interval(values - values.mean(), 3.0)
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=1e-3)
    assert (low + high) / 2 == pytest.approx(3.0)

    def shares(matrices):
        hits = np.trace(matrices, axis1=1, axis2=2)
        return {"share": hits / matrices.sum(axis=(1, 2))}

    matrix = np.array([[300, 100], [50, 550]])
    drawn = intervals.resampled_intervals(matrix, shares)["share"]
    score = intervals.wilson_interval(850, 1000)
    assert drawn == pytest.approx(score, abs=0.004)
    assert intervals.resampled_intervals(matrix, shares)["share"] == drawn


def test_groups_are_drawn_with_all_of_their_examples():
    one = np.array([[1, 0], [0, 0]]), np.array([[0, 1], [0, 0]])

    def shares(matrices):
        return {"share": matrices[:, 0, 0] / matrices.sum((1, 2))}

    alone = intervals.grouped_intervals(np.array(one * 50), shares)["share"]
    # Of 100 draws, 95% have 40 to 60 of either kind.
    assert alone == pytest.approx([0.40, 0.60], abs=0.02)
    people = np.array([one[0] * 50, one[1] * 50])
    assert intervals.grouped_intervals(people, shares)["share"] == [0, 1]


def test_area_influences_are_those_of_leaving_an_example_out():
    rng = np.random.default_rng(1)
    is_class = np.arange(40) < 15
    scores = np.round(rng.normal(is_class, 1), 1)  # rounding makes ties

    def area(kept):
        own, others = scores[kept & is_class], scores[kept & ~is_class, None]
        return np.mean((own > others) + (own == others) / 2)

    found = intervals.area_influences(is_class, scores)
    assert found.mean() == pytest.approx(0, abs=1e-12)
    whole = area(np.ones(40, bool))
    left_out = [whole - area(np.arange(40) != i) for i in range(40)]
    # To first order; the others of its kind gain its weight.
    kind = np.where(is_class, 15, 25)
    expected = 40 * np.array(left_out) * (kind - 1) / kind
    np.testing.assert_allclose(found, expected, atol=1e-9)

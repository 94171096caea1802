"""Tests of benchmarks/confidence.py."""

import numpy as np
import pytest

from benchmarks import confidence
from tests.benchmarks.tables import cells


def test_the_least_probability_is_chosen_by_what_is_right():
    values = np.array([0.2, 0.31, 0.5, 0.6, 0.7, 0.8])
    right = np.array([False, False, True, False, True, True])
    # From 0.32 on three of four are right, from 0.62 on both; 0.6 is wrong.
    found = confidence.choose(values, right, 0.75)
    assert found == confidence.Choice(0.32, right=3, answered=4)
    found = confidence.choose(values, right, 0.8)
    assert found == confidence.Choice(0.62, right=2, answered=2)


def test_all_answers_are_taken_where_all_are_good_enough():
    found = confidence.choose(np.array([0.2, 0.9]), np.array([True, True]), 0.8)
    assert found == confidence.Choice(0.0, right=2, answered=2)


def test_nothing_that_is_good_enough_is_said():
    with pytest.raises(ValueError, match="80%"):
        confidence.choose(np.array([0.9]), np.array([False]), 0.8)


def test_both_models_have_a_row(prepared_data, tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("<!-- confidence --><!-- /confidence -->\n")
    confidence.main(
        [
            f"--data_dir={prepared_data}",
            "--least_right=0",
            f"--results={page}",
        ]
    )
    header, _, *rows = cells(capsys.readouterr().out)
    assert [row[0] for row in rows] == ["`edge`", "`pocket`"]
    assert {len(row) for row in [header, *rows]} == {6}
    assert [row[2] for row in rows] == ["0.00", "0.00"]
    assert [row[4] for row in rows] == ["0.0%", "0.0%"]
    assert "`pocket`" in page.read_text()

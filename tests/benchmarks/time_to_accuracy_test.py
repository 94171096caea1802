"""Tests of benchmarks/time_to_accuracy.py, with real trainings."""

import pytest

from benchmarks import time_to_accuracy
from benchmarks.time_to_accuracy import Reached

RECIPE = """--backbone=tiny_cnn
--head_epochs=0
--fine_tune_epochs={epochs}
--fine_tune_learning_rate=0.01
--batch_size=28
"""


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "tiny.flags"
    path.write_text(RECIPE.format(epochs=2))
    return str(path)


def test_a_run_is_stopped_when_it_is_there(recipe, prepared_data):
    extra = [f"--data_dir={prepared_data}", "--fine_tune_epochs=500"]
    found = time_to_accuracy.run_until(recipe, 15.0, extra)
    assert found.is_there
    assert found.best >= 15.0
    assert 1 <= found.epochs < 500
    assert found.seconds > 1


def test_a_run_that_never_gets_there_says_so(recipe, prepared_data):
    extra = [f"--data_dir={prepared_data}"]
    found = time_to_accuracy.run_until(recipe, 101.0, extra)
    assert (found.is_there, found.epochs) == (False, 2)
    assert found.best > 0


def test_a_failed_command_is_told(recipe, tmp_path):
    with pytest.raises(ValueError, match="tfds build"):
        time_to_accuracy.run_until(recipe, 50.0, [f"--data_dir={tmp_path}"])


def test_the_table_compares_with_the_slowest():
    table = time_to_accuracy.as_table(
        {
            "fast.flags": Reached(300.0, 8, 65.2, True),
            "edge.flags": Reached(1200.0, 25, 65.1, True),
            "slow.flags": Reached(2400.0, 9, 61.0, False),
        }
    )
    assert "| `fast.flags` | 5.0 | 8 | 65.2% | 0.250 |" in table
    assert "| `edge.flags` | 20.0 | 25 | 65.1% | 1.00 |" in table
    assert "| `slow.flags` | not in 40.0 | 9 | 61.0% | - |" in table

"""Ranking, pruning, the table and the comparison over seeds."""

import csv
import io
import json
import math

import pytest

from tests.tuning.tuning_fixtures import make_trial
from tuning import importance
from tuning import results
from tuning.space import Parameter

CHOICE = Parameter("choice", ("a", "b"))
RATE = Parameter("rate", low=1e-4, high=1e-1)


SCORES = (0.5, None, 0.7, 0.6, 0.4)
TRIALS = [make_trial(str(i), score) for i, score in enumerate(SCORES)]


@pytest.mark.parametrize("objective", ["accuracy", "loss"])
def test_the_best_come_first_and_failed_ones_not_at_all(objective):
    names = [trial.name for trial in results.ranked(TRIALS, objective)]
    assert names == ["2", "3", "0", "4"]


def test_a_trial_is_kept_and_read_back(tmp_path):
    results.write_trial(tmp_path / "0", TRIALS[0])
    assert results.read_trial(tmp_path / "0") == TRIALS[0]
    assert results.read_trial(tmp_path / "none") is None
    # Searches that are there already have these keys.
    stored = json.loads((tmp_path / "0" / results.RESULT).read_text())
    assert stored["figures"]["accuracy"] == 0.5
    assert "metrics" not in stored


def test_the_table_lists_every_trial_by_rank():
    text = results.trials_csv(TRIALS, ["choice", "rate"], "accuracy")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["trial"] for row in rows] == ["2", "3", "0", "4", "1"]
    assert (rows[0]["rank"], rows[0]["choice"]) == ("1", "a")
    assert rows[-1]["status"] == "failed"
    assert rows[-1]["rank"] == rows[-1]["accuracy"] == ""


def test_only_the_best_keep_weights(tmp_path):
    for trial in TRIALS:
        folder = tmp_path / results.TRIALS / trial.name
        results.write_trial(folder, trial)
        (folder / "checkpoints").mkdir()
        (folder / "best.weights.h5").touch()
        (folder / "history.csv").touch()
    running = tmp_path / results.TRIALS / "5"
    (running / "checkpoints").mkdir(parents=True)
    results.prune(tmp_path, "accuracy")
    kept = {p.parent.name for p in tmp_path.glob("trials/*/best.weights.h5")}
    assert kept == {"0", "2", "3"}
    assert [p.parent for p in tmp_path.glob("*/*/checkpoints")] == [running]
    assert len(list(tmp_path.glob("trials/*/history.csv"))) == len(TRIALS)


CLEAR = results.Spread("0", 0.7, (0.70, 0.71, 0.69))
CLOSE = results.Spread("1", 0.8, (0.69, 0.70, 0.70))
WORSE = results.Spread("recipe", None, (0.50, 0.51, 0.49))


def test_the_winner_is_no_luckiest_one_and_noise_is_called_that():
    assert results.winner([CLOSE, CLEAR], "accuracy") is CLEAR
    assert results.winner([CLOSE, CLEAR], "loss") is CLOSE
    pool = [CLEAR, CLOSE, WORSE]
    close = results.difference(CLEAR, CLOSE, pool)
    clear = results.difference(CLEAR, WORSE, pool)
    assert close["is_noise"] and not clear["is_noise"]
    assert clear["difference"] == pytest.approx(0.2)
    # Variances 1e-4, 1e-4 / 3 and 1e-4, pooled; two means of three.
    pooled = (2e-4 + 2e-4 / 3 + 2e-4) / 6
    assert clear["noise"] == pytest.approx(2 * math.sqrt(pooled * 2 / 3))
    # One seed says nothing of noise.
    one, two = results.Spread("0", 1, (0.9,)), results.Spread("1", 1, (0.1,))
    gap = results.difference(one, two, [one, two])
    assert gap["is_noise"] and math.isnan(gap["noise"])


def test_what_decides_is_told_from_what_does_not():
    values = [
        {"choice": "ab"[i % 2], "rate": 10 ** -(1 + i * 7 % 20 / 10)}
        for i in range(20)
    ]
    scores = [0.5 + 0.2 * (i % 2) + 0.001 * (i % 3) for i in range(20)]
    first, second = importance.importances([RATE, CHOICE], values, scores)
    assert (first["name"], first["best"]) == ("choice", "b")
    assert first["fraction"] > 0.99 and first["p_value"] < 0.01
    assert second["fraction"] < 0.2 and second["p_value"] > 0.05
    # Nothing can be said of few, nor where all come to the same.
    for some in (scores[:4], [0.5] * 20):
        found = importance.importances([CHOICE], values[: len(some)], some)
        assert found[0]["fraction"] is None

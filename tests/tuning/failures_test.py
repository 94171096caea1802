"""Trials that fail, and searches in which all do."""

import dataclasses
import pathlib
import shutil

import pytest

from tests.tuning.tuning_fixtures import make_options
from trainer import loop
from trainer.data import prepared
from tuning import folder
from tuning import results
from tuning import search
from tuning import trials


def broken_training(monkeypatch, errors):
    """Makes trials fail as `errors` say: None trains."""
    make, waiting = trials.make_head_training, iter(errors)

    def make_broken(*arguments):
        real = make(*arguments)

        def train_head(settings, folder):
            error = next(waiting, None)
            if error is not None:
                raise error
            return real(settings, folder)

        return train_head

    monkeypatch.setattr(trials, "make_head_training", make_broken)


def test_trials_that_fail_are_counted_and_skipped(tmp_path, monkeypatch):
    errors = [loop.DivergenceError("inf"), None, RuntimeError("odd")]
    broken_training(monkeypatch, errors)
    options = make_options(tmp_path / "out")
    found = search.run_search(options)
    statuses = [trial.status for trial in found.trials]
    assert statuses == ["diverged", "completed", "failed", "completed"]
    page = (options.out / "report.html").read_text()
    assert "RuntimeError: odd" in page


def test_without_success_the_first_traceback_is_shown(tmp_path, monkeypatch):
    errors = [RuntimeError(f"number {i}") for i in range(9)]
    broken_training(monkeypatch, errors)
    options = make_options(tmp_path / "out", max_trials=9)
    with pytest.raises(folder.SearchError) as caught:
        search.run_search(options)
    # It does not try all nine.
    assert "none of 5 trials succeeded" in str(caught.value)
    assert "Traceback" in str(caught.value)
    assert "RuntimeError: number 0" in str(caught.value)
    assert not (options.out / "best.flags").exists()


def test_a_full_disk_is_no_fault_of_the_trial(tmp_path, monkeypatch):
    broken_training(monkeypatch, [OSError(28, "No space left on device")])
    options = make_options(tmp_path / "out", max_trials=1)
    with pytest.raises(OSError, match="No space"):
        search.run_search(options)
    assert not results.read_trials(options.out / "trials")
    assert len(search.run_search(options).trials) == 1


@pytest.mark.parametrize("text", ['{"cut', "[" * 10**5, "3", '{"a": 3}'])
@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("search.json", "ive another --out"),
        ("features.json", "ive another --out"),
        ("oracle/oracle.json", "give another --out"),
        ("oracle/trial_0/trial.json", "give another --out"),
        ("trials/0/result.json", "out/trials/0; the search goes on without"),
    ],
)
def test_damaged_files_of_a_search_are_told_by_name(
    finished, tmp_path, name, advice, text
):
    options = dataclasses.replace(finished[0], out=tmp_path / "out")
    shutil.copytree(finished[0].out, options.out)
    (options.out / name).write_text(text)
    with pytest.raises(ValueError, match=advice) as caught:
        search.run_search(options)
    # As of another search, whose settings are listed.
    if name != "search.json" or text != '{"a": 3}':
        assert str(options.out / name) in str(caught.value)
        assert len(str(caught.value)) < 500


@pytest.mark.parametrize("scope", ["head", "full"])
def test_damaged_data_is_told_before_the_first_trial(
    prepared_data, tmp_path, scope
):
    """Once, and not as the traceback of every trial."""
    data = shutil.copytree(prepared_data, tmp_path / "data")
    (shard,) = pathlib.Path(data).glob("*/*/*/*train.tfrecord*")
    shard.write_bytes(shard.read_bytes()[:-1])
    options = make_options(
        tmp_path / "out",
        values={"data_dir": str(data)},
        scope=scope,
        tune=("head_learning_rate",),
    )
    with pytest.raises(prepared.DataError, match=rf"{shard.name} is cut"):
        search.run_search(options)
    assert not options.out.exists()

"""A search in this process: trials, algorithms, resumption, results."""

import dataclasses
import json
import re
import shutil

import pytest

from tests.trainer import own_data
from tests.tuning.tuning_fixtures import make_options
from trainer.settings import settings as settings_lib
from tuning import folder
from tuning import options as options_lib
from tuning import results
from tuning import search
from tuning import trials


def test_a_search_leaves_all_its_files(finished):
    options, found = finished
    names = {path.name for path in options.out.iterdir()}
    assert {"search.json", "trials.csv", "best.flags", "report.html"} <= names
    assert len(found.trials) == 4
    assert all(trial.is_completed for trial in found.trials)
    kept = list(options.out.glob("trials/*/best.weights.h5"))
    assert len(kept) == options_lib.KEPT
    assert not list(options.out.glob("*/*/checkpoints"))
    rows = (options.out / "trials.csv").read_text().splitlines()
    assert len(rows) == 5
    for path in options.out.glob("*/*/settings.json"):
        settings = settings_lib.from_json(path.read_text())
        assert settings.data.test_split == "none"


def test_the_best_three_and_the_recipe_are_trained_with_other_seeds(finished):
    options, found = finished
    order = results.ranked(found.trials, "accuracy")
    names = [trial.name for trial in order[:3]]
    assert [s.name for s in found.spreads] == [*names, results.RECIPE]
    assert all(len(spread.scores) == 1 for spread in found.spreads)
    assert found.winner in names
    seeds = {trial.seed for trial in results.read_trials(options.out / "seeds")}
    assert seeds == {1}


def test_best_flags_hold_the_winner_and_nothing_of_the_search(finished):
    options, found = finished
    text = (options.out / "best.flags").read_text()
    flags = dict(re.findall(r"^--(\w+)=(.*)$", text, re.MULTILINE))
    values = next(t.values for t in found.trials if t.name == found.winner)
    assert flags["optimizer"] == values["optimizer"]
    assert flags["workdir"] == "runs/tiny_tuned"
    # Trials trained on images as they are, and so must phase 1.
    assert flags["head_augmentation"] == "False"
    assert not {"test_split", "data_dir", "seed", "head_epochs"} & set(flags)


def test_a_finished_search_is_not_searched_again(finished, monkeypatch):
    options, found = finished
    monkeypatch.setattr(trials.run_lib.TrainingRun, "train", None)
    assert search.run_search(options) == found


def test_your_own_classes_come_from_the_records(tmp_path):
    splits = ("train", "validation")
    folder = own_data.write(tmp_path, ["calm", "tense", "gone"], splits=splits)
    own = {"dataset": "mine", "data_dir": folder}
    options = make_options(tmp_path / "out", values=own, max_trials=1)
    search.run_search(options)
    kept = next((tmp_path / "out").glob("trials/*/settings.json"))
    settings = settings_lib.from_json(kept.read_text())
    assert settings.data.classes == ("calm", "tense", "gone")


def test_an_interrupted_search_goes_on_as_ever(finished, tmp_path, monkeypatch):
    options = make_options(tmp_path / "broken")
    real, begun = trials.kept_epoch, []

    def interrupt(history, metric):
        begun.append(history)
        if len(begun) == 2:
            raise KeyboardInterrupt
        return real(history, metric)

    monkeypatch.setattr(trials, "kept_epoch", interrupt)
    with pytest.raises(KeyboardInterrupt):
        search.run_search(options)
    assert len(results.read_trials(options.out / "trials")) == 1
    found = search.run_search(options)
    for one, other in zip(found.trials, finished[1].trials, strict=True):
        assert (one.values, one.metrics) == (other.values, other.metrics)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"objective": "loss"}, "objective: 'accuracy' there, 'loss' now"),
        ({"values": {"batch_size": 20}}, "batch_size: 28 there, 20 now"),
    ],
    ids=["option", "setting"],
)
def test_another_search_is_refused_and_named(changes, text, finished):
    out = finished[0].out
    with pytest.raises(folder.SearchError, match=text):
        search.run_search(make_options(out, **changes))


def test_a_folder_that_is_no_search_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").touch()
    options = make_options(tmp_path)
    with pytest.raises(folder.SearchError, match="holds no search"):
        search.run_search(options, overwrite=True)
    assert (tmp_path / "thesis.txt").exists()


def test_other_data_than_the_search_began_with_is_refused(finished, tmp_path):
    out = tmp_path / "moved"
    shutil.copytree(finished[0].out, out)
    key = json.loads((out / "features.json").read_text())
    key["data"]["train"] = "0" * 64
    (out / "features.json").write_text(json.dumps(key))
    with pytest.raises(folder.SearchError, match="other data or weights"):
        search.run_search(dataclasses.replace(finished[0], out=out))


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["bayesian", "hyperband", "grid"])
def test_every_algorithm_searches(algorithm, tmp_path):
    # The least that Hyperband halves.
    values = {"algorithm": algorithm, "values": {"head_epochs": 3}}
    tune = ("head_depth", "head_l2")
    options = make_options(tmp_path / "out", tune=tune, **values)
    found = search.run_search(options)
    assert len(found.trials) == 4
    kinds = {json.dumps(trial.values) for trial in found.trials}
    assert len(kinds) >= 2
    epochs = {trial.epochs for trial in found.trials}
    assert epochs == ({1, 3} if algorithm == "hyperband" else {3})
    text = (options.out / "best.flags").read_text()
    assert "head_epochs" not in text


def test_tensorboard_finds_the_hyperparameters(finished):
    folder = finished[0].out / "trials" / "1" / "tensorboard"
    data = b"".join(path.read_bytes() for path in folder.glob("*.v2"))
    for words in (b"_hparams_/session_start_info", b"head_depth"):
        assert words in data
    assert b"val_accuracy" in data

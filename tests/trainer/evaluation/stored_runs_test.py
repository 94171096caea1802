"""A run folder read back, and one clear error for what is none."""

import json

import numpy as np
import pytest

from tests.trainer import finished_runs
from trainer import json_files
from trainer.evaluation import stored_runs


@pytest.fixture(name="finished", scope="module")
def write_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "one"
    return finished_runs.write_run(folder, seed=5)


@pytest.fixture(name="folder")
def copy_small_files(finished, tmp_path):
    for kind in (
        "settings.json",
        "metrics.json",
        "manifest.json",
        "history.csv",
    ):
        (tmp_path / kind).write_bytes((finished[0] / kind).read_bytes())
    return tmp_path


def test_a_run_says_what_it_wrote(finished):
    folder, figures = finished
    run = stored_runs.read_run(folder, "mine")
    assert (run.name, run.path, run.epochs) == ("mine", folder, 3)
    assert run.settings["seed"] == 5
    assert run.hours == pytest.approx(90 / 3600)
    assert (run.data, run.code[:4]) == ("fer2013/original/1.1.0", "0123")
    for split, found in run.metrics.items():
        for name in stored_runs.METRIC_NAMES:
            assert found.values[name] == figures[split][name]
        interval = figures[split]["macro_f1_interval"]
        assert found.bounds["macro_f1"] == interval
        assert found.bounds["ece"] is None
        row = figures[split]["per_class"][3]
        assert found.recalls["happy"]["recall"] == row["recall"]
    np.testing.assert_array_equal(run.history["val_loss"], [1.1] * 3)


def test_a_run_of_an_earlier_version_lacks_some_figures(folder):
    figures = json.loads((folder / "metrics.json").read_text())
    for split in figures.values():
        for name in ("ece", "temperature", "macro_f1_interval"):
            del split[name]
    del figures["test"]
    (folder / "metrics.json").write_text(json.dumps(figures))
    run = stored_runs.read_run(folder, "old")
    assert list(run.metrics) == ["validation"]
    assert run.metrics["validation"].values["ece"] is None
    assert run.metrics["validation"].bounds["macro_f1"] is None


@pytest.mark.parametrize(
    ("absent", "message"),
    [
        ("settings.json", "holds no run: settings.json is missing"),
        ("metrics.json", r"not finished[\s\S]*--flagfile=.*run\.flags"),
        ("manifest.json", "no whole run: .*manifest.json is missing"),
        ("history.csv", "no whole run: .*history.csv is missing"),
    ],
)
def test_what_is_missing_is_named(folder, absent, message):
    (folder / absent).unlink()
    with pytest.raises(stored_runs.StoredRunError, match=message):
        stored_runs.read_run(folder, "x")
    with pytest.raises(stored_runs.StoredRunError, match="holds no run"):
        stored_runs.read_run(folder / "none", "x")


DAMAGED = (
    *("", "[]", "{}", "null", "3", '{"validation": 3}', "[" * 100000),
    '{"validation": {"n": "many", "class_names": [], "per_class": []}}',
    '{"validation": {"n": 1e999, "class_names": [], "per_class": []}}',
    '{"validation": {"n": 1, "class_names": 3, "per_class": [{}]}}',
    '{"data": 3, "commit": 4}',
    "\x00\xff",
    json.dumps({"test": {"n": 1, "class_names": ["x"] * 101, "per_class": []}}),
)


@pytest.mark.parametrize("name", ["settings", "metrics", "manifest"])
@pytest.mark.parametrize("text", DAMAGED, ids=lambda text: repr(text)[:40])
def test_damaged_files_are_refused_in_one_way(folder, name, text):
    (folder / f"{name}.json").write_text(text, "latin-1")
    try:
        run = stored_runs.read_run(folder, "x")
    except stored_runs.StoredRunError as error:
        assert "damaged or of another version" in str(error)
        assert len(str(error)) < 600
    else:
        assert name == "metrics"
        assert run.metrics == {}


@pytest.mark.parametrize("text", ["epoch,loss\n1,2\n", "loss\n", "\x00", "{}"])
def test_another_history_and_large_files_are_refused(folder, text, monkeypatch):
    (folder / "history.csv").write_text(text)
    with pytest.raises(stored_runs.StoredRunError, match="damaged"):
        stored_runs.read_run(folder, "x")
    monkeypatch.setattr(json_files, "MAX_BYTES", 500)
    with pytest.raises(stored_runs.StoredRunError, match="more than 500"):
        stored_runs.read_run(folder, "x")

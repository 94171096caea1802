"""The page that compares runs: paired figures by hand, and its refusals."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from tests.commands import command_line
from tests.trainer import finished_runs
from tests.trainer.evaluation.report_fixtures import Page
from trainer import compare
from trainer import run_folder
from trainer.evaluation import intervals
from trainer.evaluation import predictions
from trainer.evaluation import stored_runs


@pytest.fixture(name="written", scope="module")
def write_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    finished_runs.write_run(folder / "good", skill=0.9, ema=0.5)
    values = {"seed": 1, "data_dir": "elsewhere"}
    finished_runs.write_run(folder / "<poor>", skill=0.3, **values)
    return folder


@pytest.fixture(name="folders")
def copy_runs(written, tmp_path):
    shutil.copytree(written, tmp_path / "runs")
    return [tmp_path / "runs" / name for name in ("good", "<poor>")]


def read(folder):
    return stored_runs.read_run(folder, folder.name)


def write_page(folders):
    path = folders[0].parent.parent / "page.html"
    compare.write_comparison(path, folders)
    return Page(path)


def test_pairs_are_counted_by_name_and_not_by_place(folders):
    first, other = map(read, folders)
    paths = [folder / run_folder.PREDICTIONS for folder in folders]
    one, two = (predictions.read(path, "test") for path in paths)
    order = np.random.default_rng(0).permutation(70)
    shuffled = {"ids": [two.ids[i] for i in order], "labels": two.labels[order]}
    rewrite(folders[1], **shuffled, probabilities=two.probabilities[order])
    found = compare.compare_predictions(first, other, "test")
    right, right_too = (
        each.probabilities.argmax(axis=1) == each.labels for each in (one, two)
    )
    assert found["n"] == 70
    assert found["only_first"] == (right & ~right_too).sum()
    assert found["only_other"] == (right_too & ~right).sum()
    assert found["difference"] == pytest.approx(right_too.mean() - right.mean())
    counts = found["only_other"], found["only_first"]
    assert found["interval"] == intervals.paired_interval(*counts, 70)
    assert found["p_value"] == intervals.mcnemar_p(*counts) < 0.001


def rewrite(folder, **changes):
    """Changes the stored predictions of the test split."""
    path = folder / run_folder.PREDICTIONS
    stored = predictions.read(path, "test")
    fields = {"ids": stored.ids, "labels": stored.labels}
    fields |= {"probabilities": stored.probabilities, **changes}
    predictions.write(path, {"test": predictions.Predictions(**fields)})


def test_only_shared_examples_are_compared(folders):
    ids = [f"test_{i}" if i < 50 else f"other_{i}" for i in range(70)]
    rewrite(folders[1], ids=ids)
    first, other = map(read, folders)
    assert compare.compare_predictions(first, other, "test")["n"] == 50
    missing = compare.compare_predictions(first, other, "validation")
    assert missing == {"reason": "<poor> kept no predictions of this split"}
    (folders[0] / run_folder.PREDICTIONS).unlink()
    text = write_page(folders).text
    assert "not compared: good kept no predictions of this split" in text


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ids": [f"x{i}" for i in range(70)]}, "different examples"),
        ({"labels": (np.arange(70) + 1) % 7}, "70 shared examples have other"),
    ],
    ids=["other images", "other labels"],
)
def test_what_cannot_be_paired_says_why(folders, changes, reason):
    rewrite(folders[1], **changes)
    found = compare.compare_predictions(*map(read, folders), "test")
    assert reason in found["reason"]
    assert reason in write_page(folders).text


def test_classes_are_matched_by_what_they_mean(folders):
    path = folders[1] / "metrics.json"
    figures = json.loads(path.read_text())
    assert figures["test"]["class_names"][0] == "angry"
    figures["test"]["class_names"][0] = "anger"
    path.write_text(json.dumps(figures))
    found = compare.compare_predictions(*map(read, folders), "test")
    assert found["n"] == 70


def test_settings_that_are_not_known_are_called_so(folders):
    runs = [read(folder) for folder in folders]
    unknown = dataclasses.replace(runs[0], settings={})
    found = compare.differing_settings([unknown, *runs])
    assert found["seed"] == ["unknown", 0, 1]
    assert compare.differing_settings([unknown, unknown]) == {}


def test_predictions_of_other_classes_are_refused(folders):
    rewrite(folders[1], probabilities=np.full([70, 8], 1 / 8))
    with pytest.raises(compare.CompareError, match="8 classes and metrics"):
        write_page(folders)


def test_the_page_shows_figures_pairs_and_recalls(folders):
    page = write_page(folders)
    good, poor = map(read, folders)
    settings = compare.differing_settings([good, poor])
    assert settings == {"ema": [0.5, 0.0], "seed": [0, 1]}
    for run in (good, poor):
        metrics = run.metrics["test"]
        low, high = metrics.bounds["accuracy"]
        accuracy = metrics.values["accuracy"]
        text = f"{100 * accuracy:.1f} {100 * low:.1f} to {100 * high:.1f}"
        assert f"{run.name} 70 {text}" in page.text
        recall = metrics.recalls["happy"]
        assert f"{100 * recall['recall']:.1f}" in page.text
    pair = compare.compare_predictions(good, poor, "test")
    assert f"{100 * pair['difference']:+.1f}" in page.text
    assert "< 0.001 worse" in page.text
    assert "ema 0.5 0.0" in page.text
    # A recall chart for each split, and three learning curves.
    assert len(page.pictures()) == 2 + 3
    assert not [tag for tag, _ in page.tags if tag in ("script", "link")]
    assert "<poor>" not in page.source


def test_pages_tell_runs_of_one_name_apart_and_of_other_images(
    folders, tmp_path
):
    other = tmp_path / "again" / "good"
    shutil.copytree(folders[0], other)
    page = write_page([folders[0], other])
    assert str(other) in page.text
    assert "None: the runs differ in code" in page.text
    assert "no difference shown" in page.text
    assert "not scored on the same images" not in write_page(folders).text
    path = folders[1] / "metrics.json"
    figures = json.loads(path.read_text())
    figures["test"]["n"] = 69
    path.write_text(json.dumps(figures))
    assert "not scored on the same images" in write_page(folders).text


def test_impossible_choices_are_refused(folders):
    for take, message in (
        (1, "received 1"),
        (2, "given tw"),
        (9, "received 9"),
    ):
        with pytest.raises(compare.CompareError, match=message):
            write_page(folders[:1] * take)


def test_the_command_says_in_one_line_what_is_wrong(folders, capsys):
    out = folders[0].parent / "page.html"
    arguments = [f"--out={out}", *map(str, folders)]
    assert compare.main(arguments) == 0
    assert out.exists()
    assert compare.main(arguments) == 1
    assert "exists; give --overwrite" in capsys.readouterr().err
    assert compare.main(["--overwrite", *arguments]) == 0
    (folders[1] / "metrics.json").unlink()
    assert compare.main(["--overwrite", *arguments]) == 1
    assert "is not finished" in capsys.readouterr().err


def test_comparing_loads_no_tensorflow():
    found = command_line.loaded_after("import trainer.compare", "tensorflow")
    assert not found

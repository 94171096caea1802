"""`python -m trainer.evaluate`: real small runs, files and released models."""

import json
import re

import numpy as np
import pytest

from edge import model_file
from tests.commands.command_line import python
from tests.export import export_fixtures
from tests.trainer import own_data
from tests.trainer.evaluation.report_fixtures import Page
from trainer import any_model
from trainer import checkpoints
from trainer import compare
from trainer import evaluate
from trainer import run_folder
from trainer import seen_before
from trainer.data import prepared
from trainer.evaluation import matching
from trainer.evaluation import predictions
from trainer.evaluation import stored_runs

# "contempt" has no counterpart in FER-2013, and no face is sad or surprised.
OWN = ("Anger", "contempt", "fearful", "happiness")


def request(out, model="pocket", data_dir=None, **changes):
    values = {"dataset": "fer2013", "model": str(model), "data_dir": data_dir}
    return evaluate.Request(out=out, **{**values, **changes})


@pytest.fixture(name="of_run", scope="module")
def evaluate_run(prepared_data, tmp_path_factory):
    """The finished run on its own test split: folder and figures."""
    folder = tmp_path_factory.mktemp("evaluations") / "again"
    asked = request(folder, export_fixtures.workdir(), prepared_data)
    return folder, evaluate.evaluate_model(asked)


@pytest.fixture(name="own", scope="module")
def evaluate_own_data(tmp_path_factory):
    """`pocket` on data of other classes: folder and figures."""
    folder = tmp_path_factory.mktemp("own")
    data_dir = own_data.write(folder / "data", OWN)
    out = folder / "out"
    asked = request(out, data_dir=data_dir, dataset="mine")
    return out, evaluate.evaluate_model(asked)


def test_a_run_scores_on_its_own_test_split_what_it_scored(of_run):
    folder, figures = of_run
    workdir = export_fixtures.workdir()
    stored = json.loads((workdir / run_folder.METRICS).read_text())["test"]
    assert stored["temperature"] is not None
    assert stored["unseen"]["n"] == 42
    for name in ("n", "class_names", "confusion_matrix", "unseen"):
        assert figures[name] == stored[name]
    for name in ("accuracy", "macro_f1", "log_loss", "ece", "temperature"):
        assert figures[name] == pytest.approx(stored[name], rel=1e-4)
    assert set(stored) < set(figures)
    shared = figures["shared_classes"]
    assert shared["accuracy"] == figures["accuracy"]
    assert (figures["only_in_model"], figures["left_out"]) == ([], {})
    written = json.loads((folder / run_folder.METRICS).read_text())
    assert written == {"test": figures}
    before, now = (
        predictions.read(path / run_folder.PREDICTIONS, "test")
        for path in (workdir, folder)
    )
    assert before.ids == now.ids
    np.testing.assert_allclose(now.probabilities, before.probabilities, 1e-4)


def test_the_folder_is_whole_and_alone(of_run):
    folder, _ = of_run
    names = {path.name for path in folder.iterdir()}
    assert names == set(run_folder.EVALUATED)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    robust = json.loads((folder / run_folder.ROBUSTNESS).read_text())
    assert (robust["images"], robust["split"]) == (42, "test")


def test_the_page_says_on_whom_it_was_measured(of_run):
    folder, figures = of_run
    page = Page(folder / run_folder.REPORT)
    low, high = figures["accuracy_interval"]
    assert f"95%: {100 * low:.1f} to {100 * high:.1f}" in page.text
    assert "data fer2013/original/1.1.0, split test" in page.text
    assert "examples 42, and 0 left out" in page.text
    assert "(train), and on none of these examples; 0 of them" in page.text
    assert "validation split of its training run by log loss" in page.text
    assert "Accuracy on 42 test images" in page.text
    assert "No epoch was trained" not in page.text
    assert "among the shared classes" not in page.text


@pytest.mark.parametrize("recipe", ["float32", "int8"])
def test_an_exported_file_answers_as_its_run(recipe, of_run, tmp_path):
    export_fixtures.write_tflite(tmp_path, recipe)
    file = tmp_path / f"model_{recipe}.tflite"
    data_dir = str(export_fixtures.make_settings().data.data_dir)
    out = tmp_path / "out"
    figures = evaluate.evaluate_model(request(out, file, data_dir))
    of_file, run = (
        predictions.read(folder / run_folder.PREDICTIONS, "test")
        for folder in (out, of_run[0])
    )
    far = np.abs(of_file.probabilities - run.probabilities).mean()
    assert far < {"float32": 1e-5, "int8": 0.02}[recipe]
    assert figures["temperature"] is None
    # What it was trained on is in the file.
    assert figures["unseen"] is not None
    text = Page(out / run_folder.REPORT).text
    assert "No temperature is known for this model" in text
    assert f"({recipe} in LiteRT)" in text


def test_examples_of_unknown_classes_are_left_out_and_counted(own):
    out, figures = own
    assert figures["n"] == 18
    assert figures["left_out"] == {"contempt": 6}
    only = ["disgust", "sad", "surprise", "neutral"]
    assert figures["only_in_model"] == only
    stored = predictions.read(out / run_folder.PREDICTIONS, "test")
    assert stored.probabilities.shape == (18, 7)
    # Of the drawn faces the first, third and fourth class are left.
    split = own_data.read_drawn("test")
    rows = np.flatnonzero(np.isin(split.labels, [0, 2, 3]))
    assert stored.ids == [split.ids[row] for row in rows]
    np.testing.assert_array_equal(stored.labels, split.labels[rows])
    answers = stored.probabilities
    right = np.mean(answers.argmax(axis=1) == stored.labels)
    assert figures["accuracy"] == pytest.approx(right)
    among = np.array([0, 2, 3])[answers[:, [0, 2, 3]].argmax(axis=1)]
    shared = figures["shared_classes"]
    assert shared["names"] == ["angry", "fear", "happy"]
    assert shared["accuracy"] == pytest.approx(np.mean(among == stored.labels))
    assert shared["accuracy"] > figures["accuracy"]


def test_the_page_lists_what_is_in_one_of_the_two_alone(own):
    page = Page(own[0] / run_folder.REPORT)
    assert "among the shared classes" in page.text
    assert "in both angry, fear, happy" in page.text
    assert "in the model alone disgust, sad, surprise, neutral" in page.text
    assert "in the data alone contempt (images left out: 6)" in page.text
    assert "examples 18, and 6 left out" in page.text
    assert "fer2013/original/1.1.0 (train), another data set" in page.text


def test_compare_takes_its_folders_as_runs(of_run, own, tmp_path):
    workdir = export_fixtures.workdir()
    run, again = (
        stored_runs.read_run(path, path.name) for path in (workdir, of_run[0])
    )
    pair = compare.compare_predictions(run, again, "test")
    assert (pair["n"], pair["difference"]) == (42, 0)
    compare.write_comparison(tmp_path / "page.html", [workdir, of_run[0]])
    page = Page(tmp_path / "page.html")
    assert "Learning curves" in page.text
    assert "None: the runs differ in code" in page.text
    compare.write_comparison(tmp_path / "other.html", [of_run[0], own[0]])
    page = Page(tmp_path / "other.html")
    assert "not compared: out was scored on mine/1.0.0" in page.text
    assert "Learning curves" not in page.text
    assert "backbone tiny_cnn plain_cnn" in page.text


def test_a_split_of_any_name_is_compared(prepared_data, tmp_path):
    folders = [tmp_path / name for name in ("edge", "pocket")]
    for out in folders:
        asked = request(out, out.name, prepared_data, split="test[:50%]")
        evaluate.evaluate_model(asked)
    runs = [stored_runs.read_run(path, path.name) for path in folders]
    assert compare.compare_predictions(*runs, "test[:50%]")["n"] == 21
    compare.write_comparison(tmp_path / "page.html", folders)
    assert "Test[:50%]" in Page(tmp_path / "page.html").text


def test_a_model_of_unknown_settings_is_compared(of_run, own, tmp_path):
    path = own[0] / run_folder.EVALUATION
    kept = path.read_text()
    path.write_text(json.dumps({**json.loads(kept), "settings": None}))
    try:
        compare.write_comparison(tmp_path / "a.html", [own[0], of_run[0]])
        path.write_text("[]")
        with pytest.raises(ValueError, match=r"trainer\.evaluate --over"):
            stored_runs.read_run(own[0], "x")
    finally:
        path.write_text(kept)
    text = Page(tmp_path / "a.html").text
    assert re.search(r"out \S mine/1\.0\.0 \S \S ", text)


def test_an_evaluation_is_no_run_to_export(of_run, tmp_path):
    folder = of_run[0].parent
    with pytest.raises(checkpoints.WorkdirError, match="no finished run"):
        checkpoints.last_finished_run(folder)
    with pytest.raises(checkpoints.WorkdirError, match="holds no finished run"):
        any_model.describe(of_run[0])


@pytest.mark.parametrize(
    ("model", "split", "count"),
    [
        ("run", "train", "280 of these 280"),
        ("run", "test+train[:10]", "10 of these 52"),
        ("pocket", "train", "280 of these 280"),
        ("edge", "validation", "45 of these 56"),
    ],
)
def test_what_it_was_trained_on_is_refused(
    model, split, count, prepared_data, tmp_path
):
    name = export_fixtures.workdir() if model == "run" else model
    asked = request(tmp_path / "out", name, prepared_data, split=split)
    with pytest.raises(seen_before.TrainedOnError, match=f"on {count}"):
        evaluate.evaluate_model(asked)
    assert not list(tmp_path.iterdir())


def look(settings, manifest, data, split):
    pocket = any_model.describe("pocket")
    values = {**vars(pocket), "settings": settings, "trained_on": manifest}
    model = any_model.AnyModel(**values)
    return seen_before.look(model, data, prepared.load_split(data, split))


def test_who_chose_the_epoch_is_said(prepared_data):
    settings = export_fixtures.make_settings()
    seen = look(settings, {}, settings.data, "validation")
    assert "; 56 of them chose its best epoch" in seen.text
    assert not seen.images.any()
    nothing = look(None, {}, settings.data, "test")
    assert nothing.text.startswith("unknown")
    assert nothing.images is None


def test_names_of_public_examples_tell_whatever_the_pixels(prepared_data):
    settings = export_fixtures.make_settings()
    train = prepared.load_split(settings.data, "train")
    other = prepared.Split(255 - train.images, train.labels, train.ids)
    model = {**vars(any_model.describe("pocket")), "settings": settings}
    model = any_model.AnyModel(**model)
    with pytest.raises(seen_before.TrainedOnError, match="on 280 of these"):
        seen_before.look(model, settings.data, other)


def test_what_the_weights_began_with_counts_too(prepared_data, tmp_path):
    own = {"dataset": "mine", "classes": OWN, "weights": "edge"}
    settings = export_fixtures.make_settings(**own)
    data = export_fixtures.make_settings().data
    seen = look(settings, {}, data, "test")
    assert "pocket was trained on mine (train), another data set" in seen.text
    assert "edge was trained on fer2013/original/1.1.0" in seen.text
    with pytest.raises(seen_before.TrainedOnError, match=r"^edge was trained"):
        look(settings, {}, data, "validation")
    folder = str(export_fixtures.workdir())
    settings = export_fixtures.make_settings(**{**own, "weights": folder})
    with pytest.raises(seen_before.TrainedOnError, match="runs/tiny was"):
        look(settings, {}, data, "train")


def test_names_of_own_examples_tell_nothing_elsewhere(tmp_path):
    names = OWN[:2]
    parts = {"splits": ("train", "validation", "test")}
    own = {"dataset": "mine", "classes": names, "image_size": 48}
    here = own_data.write(tmp_path / "here", names, **parts)
    settings = export_fixtures.make_settings(**own, data_dir=here)
    train = prepared.load_split(settings.data, "train")
    manifest = {"splits": {"train": {"sha256": train.content_hash()}}}
    with pytest.raises(seen_before.TrainedOnError, match="on 80 of these 80"):
        look(settings, manifest, settings.data, "train")
    # Elsewhere other pictures go by the names of the training split.
    moved = own_data.write(tmp_path / "there", names, **parts)
    there = export_fixtures.make_settings(**own, data_dir=moved).data
    split = prepared.load_split(there, "test")
    split = prepared.Split(split.images, split.labels, train.ids[:12])
    model = {**vars(any_model.describe("pocket")), "settings": settings}
    model = any_model.AnyModel(**{**model, "trained_on": manifest})
    seen = seen_before.look(model, there, split)
    assert "on none of these examples" in seen.text
    assert "chose" not in seen.text
    gone = export_fixtures.make_settings(**own, data_dir=str(tmp_path)).data
    model = any_model.AnyModel(**{**vars(model), "trained_on": {}})
    seen = seen_before.look(model, gone, split)
    assert "not prepared here: not compared" in seen.text


def refuse_expensive(monkeypatch):
    """Lets no image be read, and no model be loaded."""

    def fail(*_, **__):
        raise AssertionError("too early")

    monkeypatch.setattr(prepared, "load_split", fail)
    monkeypatch.setattr(checkpoints, "load_for_inference", fail)
    monkeypatch.setattr("edge.classifier.Classifier.__init__", fail)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "absent"}, "there is no absent; give.*or edge or pocket"),
        ({"model": "README.md"}, "it is not a TFLite file"),
        ({"model": "docs"}, "docs holds no finished run"),
        ({"dataset": "nothing"}, "no prepared `nothing` in"),
        ({"dataset": "affectnet"}, "tfds build fer_tfds/affectnet"),
        ({"split": "public"}, r"no split `public`[\s\S]*--split=test\[:50%"),
        ({"data_dir": "/nowhere"}, "no prepared `fer2013` in /nowhere"),
    ],
)
def test_what_cannot_be_used_is_one_error(
    changes, message, prepared_data, tmp_path, monkeypatch
):
    refuse_expensive(monkeypatch)
    asked = request(tmp_path / "out", **{"data_dir": prepared_data, **changes})
    with pytest.raises(ValueError, match=message):
        evaluate.evaluate_model(asked)
    assert not list(tmp_path.iterdir())


def test_too_few_shared_classes_are_told_at_once(tmp_path, monkeypatch):
    names = ("happiness", "winking")
    data_dir = own_data.write(tmp_path / "data", names)
    refuse_expensive(monkeypatch)
    asked = request(tmp_path / "out", data_dir=data_dir, dataset="mine")
    with pytest.raises(matching.MatchingError, match="they share happy"):
        evaluate.evaluate_model(asked)
    assert not (tmp_path / "out").exists()


def test_a_split_without_a_known_class_is_refused(tmp_path):
    names = ("contempt", "winking", "happy", "sad")
    data_dir = own_data.write(tmp_path / "data", names)
    labels = own_data.read_drawn("test").labels
    first = int(np.flatnonzero(labels[labels < 4] < 2)[0])
    changes = {"dataset": "mine", "split": f"test[{first}:{first + 1}]"}
    asked = request(tmp_path / "out", data_dir=data_dir, **changes)
    with pytest.raises(ValueError, match=r"of contempt, winking\. Give"):
        evaluate.evaluate_model(asked)


def test_a_folder_with_something_else_is_left_alone(prepared_data, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("years")
    for overwrite in (False, True):
        asked = request(out, data_dir=prepared_data, overwrite=overwrite)
        with pytest.raises(evaluate.EvaluateError, match="holds thesis"):
            evaluate.evaluate_model(asked)
    asked = request(out / "thesis.txt", data_dir=prepared_data)
    with pytest.raises(evaluate.EvaluateError, match="is no folder"):
        evaluate.evaluate_model(asked)
    asked = request(out / "thesis.txt" / "below", data_dir=prepared_data)
    with pytest.raises(evaluate.EvaluateError, match=r"thesis.txt \(.*--out"):
        evaluate.evaluate_model(asked)
    assert (out / "thesis.txt").read_text() == "years"


def test_an_evaluation_is_replaced_as_a_whole(
    prepared_data, tmp_path, monkeypatch
):
    out = tmp_path / "out"
    out.mkdir()
    evaluate.evaluate_model(request(out, data_dir=prepared_data))
    again = request(out, "edge", prepared_data)
    with pytest.raises(evaluate.EvaluateError, match="give --overwrite"):
        evaluate.evaluate_model(again)
    replaced = request(out, "edge", prepared_data, overwrite=True)
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("trainer.evaluation.report.write_report", fail)
        with pytest.raises(OSError, match="No space"):
            evaluate.evaluate_model(replaced)
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    evaluate.evaluate_model(replaced)
    stored = json.loads((out / run_folder.EVALUATION).read_text())
    assert stored["model"] == "edge"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_called_as_a_released_model_is_not_taken_for_it(
    tmp_path, monkeypatch
):
    (tmp_path / "edge").mkdir()
    monkeypatch.chdir(tmp_path)
    assert any_model.describe("edge").labels[0] == "angry"
    with pytest.raises(checkpoints.WorkdirError, match="no finished run"):
        any_model.describe("./edge")


def test_a_file_without_settings_is_taken(tmp_path, monkeypatch):
    read = model_file.read_model_file
    file = read(model_file.choose_model("pocket"))
    kept = {"image_size": 48, "channels": 1}
    bare = model_file.ModelFile(file.content, file.labels, kept)
    monkeypatch.setattr(model_file, "read_model_file", lambda _: bare)
    model = any_model.describe("pocket")
    assert (model.settings, model.trained_on) == (None, {})


def test_the_command_ends_in_lines_and_codes(prepared_data, tmp_path):
    arguments = ["-m", "trainer.evaluate", "--dataset=fer2013"]
    arguments += ["--model=pocket", f"--data_dir={prepared_data}"]
    arguments += [f"--out={tmp_path / 'out'}"]
    done = python(*arguments)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].endswith("test: 42 of 42 images")
    assert re.match(r"test: accuracy 0\.\d+ \(95% interval", lines[1])
    assert lines[-1] == f"report:  {tmp_path / 'out' / 'report.html'}"
    assert not done.stderr
    done = python(*arguments)
    assert done.returncode == 1
    assert done.stderr == (
        f"error: {tmp_path / 'out'} holds an evaluation; give --overwrite, or "
        "another --out\n"
    )

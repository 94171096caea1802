"""Tests of export/parity.py: real files, faithful ones and spoilt ones."""

import dataclasses
import json
import pathlib
import shutil

import keras
import numpy as np
import pytest

import edge
from export import artifacts
from export import choices
from export import parity
from export import tflite
from export.bounds import Bounds
from tests.export import export_fixtures
from trainer.models import build_model


def measure(folder, run=None):
    run, split = run or export_fixtures.run(), export_fixtures.validation()
    reference = parity.live_model(run)(split.images)
    return parity.measure(
        run, folder, split, reference=reference, bounds=Bounds()
    )


def verdicts(report):
    return {r["artefact"]: r["passed"] for r in report["artefacts"]}


def test_a_faithful_export_passes_and_is_recorded():
    folder = export_fixtures.export_folder()
    report = json.loads((folder / "parity.json").read_text())
    assert report["passed"]
    assert report["images"] == 56
    assert report["trained_model"]["warning"] is None
    tensorflow = {artifacts.KERAS, artifacts.H5, artifacts.ARCHITECTURE}
    tensorflow |= {"saved_model (pixels)", "saved_model (image bytes)"}
    expected = tensorflow | {
        tflite.file_name(recipe) + way
        for recipe in choices.RECIPES
        for way in ("", parity.BUILT_IN)
    }
    assert verdicts(report) == dict.fromkeys(expected, True)


def other_network():
    """The same shape with weights of its own: someone else's model."""
    keras.utils.set_random_seed(5)
    settings = export_fixtures.make_settings()
    return build_model(settings, len(export_fixtures.CLASSES), keras)


def test_files_of_another_model_are_caught(folder, tmp_path):
    stranger = other_network()
    (tmp_path / "stranger").mkdir()
    export_fixtures.write_tflite(tmp_path / "stranger", "int8", model=stranger)
    shutil.copy(tmp_path / "stranger" / "model_int8.tflite", folder)
    stranger.save(folder / artifacts.KERAS)
    report = measure(folder)
    assert not report["passed"]
    failed = {name for name, passed in verdicts(report).items() if not passed}
    assert failed == {
        "model_int8.tflite",
        "model_int8.tflite (built-in kernels)",
        artifacts.KERAS,
    }
    table = parity.as_table(report)
    assert table.count("FAIL") == 3
    assert "agreement:" in table


def collapse(model):
    """Makes a model answer class 3 whatever it sees."""
    kernel, bias = model.get_layer("logits").get_weights()
    bias = np.zeros_like(bias)
    bias[3] = 9
    model.get_layer("logits").set_weights([kernel * 0, bias])
    return model


def test_a_collapsed_float_file_is_caught(folder):
    model = keras.models.load_model(folder / artifacts.H5, compile=False)
    collapse(model).save(folder / artifacts.H5)
    (result,) = (
        r for r in measure(folder)["artefacts"] if r["artefact"] == "model.h5"
    )
    assert result["classes_predicted"] == 1
    assert result["classes_vanished"] == [0, 1, 2, 4, 5, 6]
    assert result["failures"][0].startswith("collapse")


def test_a_degenerate_trained_model_is_reported(folder):
    collapsed = collapse(other_network())
    run = dataclasses.replace(export_fixtures.run(), model=collapsed)
    report = measure(folder, run)
    warning = report["trained_model"]["warning"]
    assert "learned nothing: it answers `happy` to every image" in warning


def test_labels_in_another_order_are_caught(folder):
    path = folder / tflite.file_name("int8")
    content = path.read_bytes()
    path.write_bytes(content[: edge.Classifier(path).metadata["model_bytes"]])
    swapped = export_fixtures.CLASSES[::-1]
    described = artifacts.describe(export_fixtures.run())
    tflite.append_metadata(path, swapped, {**described, "recipe": "int8"})
    with pytest.raises(ValueError, match="name other labels"):
        measure(folder)


def test_the_delegate_is_off_where_the_report_says_so(monkeypatch):
    """Otherwise the two rows of a file would be one, written twice."""
    asked = []
    make = edge.classifier.Classifier

    def recorded(path, **options):
        asked.append((path.name, options["use_xnnpack"]))
        return make(path, **options)

    monkeypatch.setattr(parity.runtime, "Classifier", recorded)
    folder = export_fixtures.export_folder()
    found = parity.load_artefacts(folder, export_fixtures.run())
    ways = [a.name for a in found if a.name.startswith("model_int8.tflite")]
    assert ways == ["model_int8.tflite", "model_int8.tflite (built-in kernels)"]
    assert ("model_int8.tflite", True) in asked
    assert ("model_int8.tflite", False) in asked


@pytest.mark.parametrize(
    "name", [artifacts.KERAS, artifacts.H5, artifacts.ARCHITECTURE]
)
def test_code_in_a_model_file_is_refused_and_not_run(folder, tmp_path, name):
    mark = str(tmp_path / "executed")
    inputs = keras.Input([48, 48, 1])
    outputs = keras.layers.Lambda(
        # Its own import: the file alone must be able to do the harm.
        lambda x: [x, __import__("pathlib").Path(mark).touch()][0]
    )(inputs)
    model = keras.Model(inputs, outputs)
    pathlib.Path(mark).unlink()
    if name == artifacts.ARCHITECTURE:
        (folder / name).write_text(model.to_json())
    else:
        model.save(folder / name)
    with pytest.raises(ValueError, match="Lambda"):
        measure(folder)
    assert not pathlib.Path(mark).exists()

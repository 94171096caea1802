"""Tests of export/artifacts.py: the files load where users load them."""

import dataclasses
import json

import pytest

from export import artifacts
from export import choices
from tests import prepared
from tests.export import export_fixtures

# Each loads one file in a process of its own and saves its answers.
LOAD_H5 = """
import sys
import numpy
import tensorflow
model = tensorflow.keras.models.load_model(sys.argv[1] + "/model.h5")
pixels = numpy.load(sys.argv[2]).astype("float32")
numpy.save(sys.argv[3], model.predict(pixels, verbose=0))
"""
LOAD_JSON = """
import pathlib
import sys
import keras
import numpy
folder = pathlib.Path(sys.argv[1])
model = keras.models.model_from_json((folder / "model.json").read_text())
model.load_weights(folder / "model.h5")
pixels = numpy.load(sys.argv[2]).astype("float32")
numpy.save(sys.argv[3], model.predict(pixels, verbose=0))
"""


@pytest.mark.parametrize(
    "code",
    [LOAD_H5, LOAD_JSON, export_fixtures.SERVE],
    ids=["h5", "json", "saved_model"],
)
def test_a_fresh_process_gives_the_same_answers(tmp_path, code):
    export_fixtures.check_fresh_process(
        code, export_fixtures.export_folder(), tmp_path
    )


def test_metadata_states_the_input_and_where_the_model_comes_from():
    folder = export_fixtures.export_folder()
    text = (folder / artifacts.METADATA).read_text()
    assert str(prepared.data_dir()) not in text
    stated = json.loads(text)
    assert stated["image_size"] == export_fixtures.SIZE
    assert stated["channels"] == 1
    assert stated["pixel_range"] == [0, 255]
    assert stated["layout"] == "NHWC"
    assert tuple(stated["labels"]) == export_fixtures.CLASSES
    # Labels are one a line, in the order of the output.
    labels = (folder / artifacts.LABELS).read_text()
    assert tuple(labels.splitlines()) == export_fixtures.CLASSES
    assert stated["data"]["name"] == "fer2013/original/1.1.0"
    assert stated["data"]["splits"]["train"]["examples"] == 280
    assert stated["settings"]["model"]["backbone"] == "tiny_cnn"
    assert set(stated["libraries"]) == set(artifacts.LIBRARIES)
    assert stated["calibration"]["count"] == 280
    recipes = tuple(record["recipe"] for record in stated["tflite"].values())
    assert recipes == choices.RECIPES


def test_files_and_runs_given_by_path_keep_only_their_names():
    settings = export_fixtures.make_settings(
        weights="/home/someone/backbone.weights.h5",
        distill_from=("/home/someone/runs/teacher",),
    )
    run = dataclasses.replace(export_fixtures.run(), settings=settings)
    described = artifacts.describe(run)["settings"]
    assert described["model"]["weights"] == "backbone.weights.h5"
    assert described["target"]["distill_from"] == ["teacher"]


def test_the_saved_model_stores_each_variable_once():
    folder = export_fixtures.export_folder() / artifacts.SAVED_MODEL
    stored = folder / "variables" / "variables.data-00000-of-00001"
    weights = sum(w.nbytes for w in export_fixtures.run().model.get_weights())
    assert stored.stat().st_size < 1.2 * weights + 2000

"""Tests of export/tflite.py: what the recipes write, and what they refuse."""

import json
import os
import zipfile

import numpy as np
import pytest
import tensorflow as tf

import edge
from export import artifacts
from export import choices
from export import parity
from export import tflite
from export import tflite_recipes
from tests.export import export_fixtures

# recipe -> what its input and its widest weights are.
TYPES = {
    "float32": (np.float32, {"float32"}),
    "float16": (np.float32, {"float16"}),
    "dynamic": (np.float32, {"int8"}),
    "int8": (np.uint8, {"int8"}),
    "int16x8": (np.int16, {"int8", "int16"}),
}


def exported(recipe):
    return export_fixtures.export_folder() / tflite.file_name(recipe)


@pytest.fixture(scope="module")
def saved_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fixed") / "batch"
    artifacts.write_fixed_batch_model(export_fixtures.run(), folder)
    return str(folder)


@pytest.mark.parametrize("recipe", tflite_recipes.RECIPES)
def test_a_recipe_stores_its_types(recipe):
    assert tuple(tflite_recipes.RECIPES) == choices.RECIPES
    model = edge.Classifier(exported(recipe), use_xnnpack=False)
    input_type, weights = TYPES[recipe]
    assert model.input_dtype == input_type
    assert weights <= {str(kind) for kind in model.tensor_types().values()}
    if recipe == "int8":
        assert model.input_quantization == (1.0, 0)
    assert model.metadata["batch"] == 1


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [
        ("int8", {"uint8", "int8", "int32"}),
        ("int16x8", {"int16", "int8", "int32", "int64"}),
    ],
)
def test_integer_files_are_integer_throughout(recipe, expected):
    model = edge.Classifier(exported(recipe), use_xnnpack=False)
    kinds = {str(dtype) for dtype in model.tensor_types().values()}
    assert kinds == expected


def test_small_recipes_are_smaller():
    sizes = {
        recipe: edge.Classifier(exported(recipe)).metadata["model_bytes"]
        for recipe in choices.RECIPES
    }
    assert sizes["int8"] < 0.6 * sizes["float32"]
    assert sizes["float16"] < 0.8 * sizes["float32"]
    assert sizes["dynamic"] < sizes["float16"]


@pytest.mark.parametrize(
    ("recipe", "io", "quantization"),
    [
        ("int8", "int8", (1.0, -128)),
        pytest.param("int8", "float32", (0.0, 0), marks=pytest.mark.slow),
        pytest.param("int16x8", "float32", (0.0, 0), marks=pytest.mark.slow),
    ],
)
def test_types_of_integer_files_are_chosen(tmp_path, recipe, io, quantization):
    export_fixtures.write_tflite(tmp_path, recipe, io=io)
    model = edge.Classifier(tmp_path / tflite.file_name(recipe))
    assert model.input_dtype == np.dtype(io)
    assert model.input_quantization == quantization
    assert model.metadata["io"] == io
    assert model.metadata["input"].startswith(io)
    images = export_fixtures.validation().images
    live = parity.live_model(export_fixtures.run())(images)
    np.testing.assert_allclose(model.probabilities(images), live, atol=0.1)


@pytest.mark.parametrize("recipe", choices.RECIPES)
def test_files_carry_labels_and_metadata_for_any_zip_tool(recipe):
    with zipfile.ZipFile(exported(recipe)) as archive:
        assert archive.testzip() is None
        labels = archive.read("labels.txt").decode().splitlines()
        metadata = json.loads(archive.read("metadata.json"))
    assert tuple(labels) == export_fixtures.CLASSES
    assert metadata["recipe"] == recipe
    assert metadata["batch"] == 1
    assert metadata["data"]["name"] == "fer2013/original/1.1.0"
    is_calibrated = recipe in ("int8", "int16x8")
    assert ("calibration" in metadata) == is_calibrated


def test_the_same_metadata_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(b"model")
        tflite.append_metadata(tmp_path / name, ("a",), {"recipe": "int8"})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def write_checked(path, content, recipe, io="uint8"):
    metadata = artifacts.describe(export_fixtures.run())
    record = tflite.describe(recipe, io, export_fixtures.calibration())
    tflite.write_checked(
        path, content, export_fixtures.CLASSES, metadata={**metadata, **record}
    )


@pytest.mark.parametrize(
    ("recipe", "io", "message"),
    [
        ("int8", "uint8", "not full integer"),
        ("int8", "float32", "not full integer"),
        ("int16x8", "uint8", "not full integer"),
        ("float16", "uint8", "no float16 tensor"),
        ("dynamic", "uint8", "no int8 tensor"),
    ],
)
def test_a_float_file_of_another_name_is_refused(tmp_path, recipe, io, message):
    content = exported("float32").read_bytes()
    size = edge.Classifier(exported("float32")).metadata["model_bytes"]
    with pytest.raises(tflite.ConversionError, match=message):
        write_checked(tmp_path / "m.tflite", content[:size], recipe, io)


def test_a_partial_fallback_to_float_is_refused(tmp_path, saved_model):
    """Integer inside, float input and output: what `DEFAULT` alone gives."""
    converter = tf.lite.TFLiteConverter.from_saved_model(saved_model)
    images = export_fixtures.calibration().images
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [image[np.newaxis].astype(np.float32)] for image in images
    )
    with pytest.raises(tflite.ConversionError, match="2 tensors fell back"):
        write_checked(tmp_path / "m.tflite", converter.convert(), "int8")


def test_an_input_scale_other_than_1_is_refused(tmp_path, saved_model):
    dim = export_fixtures.validation().images // 4
    content = tflite_recipes.int8(saved_model, dim, "uint8")
    with pytest.raises(tflite.ConversionError, match="raw pixels"):
        write_checked(tmp_path / "m.tflite", content, "int8")


def test_conversion_says_nothing(tmp_path, capfd):
    export_fixtures.calibration()
    capfd.readouterr()
    export_fixtures.write_tflite(tmp_path, "float32", "int8")
    assert capfd.readouterr() == ("", "")
    expected = {"model_float32.tflite", "model_int8.tflite"}
    assert export_fixtures.names(tmp_path) == expected


def test_a_failed_conversion_shows_the_end_of_the_log(tmp_path, monkeypatch):
    def broken(saved_model, images, io):
        os.write(1, b"the converter's own words\n")
        raise RuntimeError("no kernel")

    monkeypatch.setitem(tflite_recipes.RECIPES, "float32", broken)
    words = r"float32 conversion failed: no kernel[\s\S]*converter's own words"
    with pytest.raises(tflite.ConversionError, match=words):
        export_fixtures.write_tflite(tmp_path, "float32")
    assert not list(tmp_path.iterdir())

"""Tests of export/tflite.py: what the recipes write, and what they refuse."""

import json
import shutil
import zipfile

import numpy as np
import pytest
import tensorflow as tf

import edge
from export import artifacts
from export import tflite
from tests import export_fixtures


def exported(recipe):
    return export_fixtures.export_folder() / tflite.file_name(recipe)


@pytest.fixture(scope="module")
def saved_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fixed") / "batch"
    artifacts.write_fixed_batch_model(export_fixtures.run(), folder)
    return str(folder)


def test_int8_takes_raw_pixels_and_is_integer_throughout():
    model = edge.Classifier(exported("int8"), use_xnnpack=False)
    assert model.input_dtype == np.uint8
    assert model.input_quantization == (1.0, 0)
    kinds = {str(dtype) for dtype in model.tensor_types().values()}
    assert kinds == {"uint8", "int8", "int32"}


def test_int8_is_much_smaller():
    sizes = {
        recipe: edge.Classifier(exported(recipe)).metadata["model_bytes"]
        for recipe in tflite.RECIPES
    }
    assert sizes["int8"] < 0.6 * sizes["float32"]


@pytest.mark.parametrize("recipe", tflite.RECIPES)
def test_files_carry_labels_and_metadata_for_any_zip_tool(recipe):
    with zipfile.ZipFile(exported(recipe)) as archive:
        assert archive.testzip() is None
        labels = archive.read("labels.txt").decode().splitlines()
        metadata = json.loads(archive.read("metadata.json"))
    assert tuple(labels) == export_fixtures.CLASSES
    assert metadata["recipe"] == recipe
    assert metadata["batch"] == 1
    assert metadata["data"]["name"] == "fer2013/original/1.1.0"
    assert ("calibration" in metadata) == (recipe == "int8")


@pytest.mark.parametrize("recipe", tflite.RECIPES)
def test_the_same_metadata_gives_the_same_bytes(recipe, tmp_path):
    contents = []
    for name in ("one", "two"):
        path = tmp_path / name
        path.write_bytes(b"model")
        tflite.append_metadata(path, ("a",), {"recipe": recipe})
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]


def write_checked(path, content, recipe):
    path.write_bytes(content)
    metadata = artifacts.describe(export_fixtures.run())
    tflite.append_metadata(path, export_fixtures.CLASSES, metadata)
    tflite.check(path, recipe)


def test_float_tensors_in_an_int8_file_are_refused(tmp_path):
    path = tmp_path / "model_int8.tflite"
    shutil.copy(exported("float32"), path)
    with pytest.raises(tflite.ConversionError, match="not full integer"):
        tflite.check(path, "int8")


def test_a_partial_fallback_to_float_is_refused(tmp_path, saved_model):
    """Integer inside, float at both ends: what `DEFAULT` alone gives."""
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
    with pytest.raises(tflite.ConversionError, match="raw pixels"):
        write_checked(
            tmp_path / "m.tflite", tflite.int8(saved_model, dim), "int8"
        )


def test_conversion_says_nothing(tmp_path, capfd):
    chosen = export_fixtures.calibration()
    metadata = artifacts.describe(export_fixtures.run())
    capfd.readouterr()
    tflite.write_tflite_files(export_fixtures.run(), tmp_path, chosen, metadata)
    assert capfd.readouterr() == ("", "")
    assert {path.name for path in tmp_path.iterdir()} == {
        "model_float32.tflite",
        "model_int8.tflite",
    }


def test_a_failed_conversion_shows_the_end_of_the_log(tmp_path, monkeypatch):
    def broken(saved_model, images):
        print("the converter's own words")
        raise RuntimeError("no kernel")

    monkeypatch.setitem(tflite.RECIPES, "float32", broken)
    with pytest.raises(tflite.ConversionError) as caught:
        tflite.write_tflite_files(
            export_fixtures.run(),
            tmp_path,
            export_fixtures.calibration(),
            {},
        )
    assert "broken conversion failed: no kernel" in str(caught.value)

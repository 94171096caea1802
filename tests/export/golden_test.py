"""Tests of export/golden.py, and of the check that docs/devices.md shows."""

import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

import edge
from export import choices
from export import golden
from export import tflite
from tests.commands.command_line import ROOT
from tests.commands.command_line import python
from tests.export import export_fixtures


def folder():
    return export_fixtures.export_folder() / golden.GOLDEN


def expected():
    return json.loads((folder() / golden.EXPECTED).read_text())


def test_every_file_has_its_answers_and_pictures_are_stored_twice():
    assert set(expected()["files"]) == {
        tflite.file_name(recipe) for recipe in choices.RECIPES
    }
    for stated in expected()["files"].values():
        assert tuple(stated["labels"]) == export_fixtures.CLASSES
        assert np.shape(stated["probabilities"]) == (10, 7)
    arrays = np.load(folder() / golden.INPUTS)
    assert arrays.shape == (10, 48, 48, 1)
    assert (arrays.min(), arrays.max()) == (0, 255)
    assert len(expected()["inputs"]) == 10
    in_colour = golden.draw_images(24, 3)
    assert in_colour.shape == (10, 24, 24, 3)
    assert (in_colour[1, 0, 0] == [255, 178, 102]).all()
    for array, name in zip(arrays, expected()["inputs"], strict=True):
        stored = np.asarray(Image.open(folder() / name))
        np.testing.assert_array_equal(stored, array[..., 0])


@pytest.mark.parametrize("recipe", choices.RECIPES)
def test_the_delegate_stays_within_the_tolerance(recipe):
    name = tflite.file_name(recipe)
    stated = expected()["files"][name]
    images = np.load(folder() / golden.INPUTS)
    model = edge.Classifier(export_fixtures.export_folder() / name)
    difference = np.abs(model.probabilities(images) - stated["probabilities"])
    assert difference.max() <= stated["tolerance"]


@pytest.mark.parametrize(
    "mistake",
    [
        lambda images: images.transpose(0, 2, 1, 3),
        lambda images: (images / 255).astype(np.uint8),
        lambda images: images // 2 + 64,
        lambda images: 255 - images,
    ],
    ids=["transposed", "normalised", "another range", "inverted"],
)
def test_a_client_that_prepares_wrongly_is_caught(mistake):
    stated = expected()["files"]["model_int8.tflite"]
    images = mistake(np.load(folder() / golden.INPUTS))
    path = export_fixtures.export_folder() / "model_int8.tflite"
    answers = edge.Classifier(path).probabilities(images)
    difference = np.abs(answers - stated["probabilities"]).max()
    assert difference > stated["tolerance"]


def test_the_check_of_the_documents_passes_without_our_code(tmp_path):
    """And fails on answers that are not the file's."""
    text = (ROOT / "docs" / "devices.md").read_text()
    (code,) = re.findall(r"```python\n(# golden.*?)```", text, re.DOTALL)
    target = tmp_path / "export"
    shutil.copytree(export_fixtures.export_folder(), target)

    def run():
        return python("-c", code, target, folder=tmp_path)

    assert "tensorflow" not in code
    assert "import edge" not in code
    good = run()
    assert good.returncode == 0, good.stderr
    assert good.stdout.count("ok") == len(choices.RECIPES)
    wrong = expected()
    wrong["files"]["model_int8.tflite"]["probabilities"][3][0] += 0.2
    path = target / golden.GOLDEN / golden.EXPECTED
    path.write_text(json.dumps(wrong))
    assert run().returncode != 0

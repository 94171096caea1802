"""The model files that the repository carries, as a device meets them."""

import json
import pathlib
import re

import numpy as np
import pytest

from benchmarks import drawn_data
from edge.classifier import Classifier
from edge.model_file import SHIPPED
from export import artifacts
from export.measure import flatbuffer
from fer_tfds import labels
from tests.edge import edge_fixtures
from trainer.settings import cli_flags
from trainer.settings import settings

ROOT = pathlib.Path(__file__).parents[2]
BOUNDS = {"edge": 1_000_000, "pocket": 93_000}
RECIPES = {"edge": "released_edge", "pocket": "pocket"}


def test_nothing_else_is_shipped():
    names = {f"{name}{end}" for name in BOUNDS for end in (".tflite", ".md")}
    assert {path.name for path in SHIPPED.iterdir()} == names


@pytest.mark.parametrize("name", BOUNDS)
def test_each_is_small_and_int8_throughout(name):
    content = (SHIPPED / f"{name}.tflite").read_bytes()
    assert len(content) <= BOUNDS[name]
    for operator in flatbuffer.read_operators(content):
        kinds = {tensor.type for tensor in operator.outputs}
        assert kinds <= {"INT8", "UINT8"}, operator.name


@pytest.mark.parametrize("name", BOUNDS)
def test_each_is_what_its_recipe_trains(name):
    recipe = ROOT / "recipes" / f"{RECIPES[name]}.flags"
    wanted = artifacts.portable(cli_flags.read_flagfile(recipe))
    found = Classifier(name).metadata["settings"]
    # Settings that are younger than the model had their defaults.
    whole = artifacts.portable(settings.from_json(json.dumps(found)))
    assert whole == wanted


@pytest.mark.parametrize("name", BOUNDS)
def test_each_takes_native_faces_and_answers_by_the_datas_labels(name):
    classifier = Classifier(name)
    assert (classifier.image_size, classifier.channels) == (48, 1)
    assert classifier.labels == tuple(labels.class_names("fer2013"))
    answers = classifier.probabilities(drawn_data.faces(20)[..., np.newaxis])
    assert len(set(answers.argmax(axis=1))) > 1


@pytest.mark.parametrize("name", BOUNDS)
def test_each_card_tells_what_was_tested_and_what_it_is_not_for(name):
    card = (SHIPPED / f"{name}.md").read_text()
    assert re.search(r"On test \(3,589 pictures, scored once\)", card)
    for heading in ("Licence limits", "Who is not represented", "Excluded"):
        assert heading in card


def test_the_command_needs_no_other_model(tmp_path):
    edge_fixtures.save_picture(tmp_path / "face.png", 90, (48, 48))
    for choice in ([], *([f"--model={name}"] for name in BOUNDS)):
        done = edge_fixtures.edge(tmp_path, *choice, "face.png", model=False)
        assert done.returncode == 0, done.stderr
        assert any(
            label in done.stdout for label in labels.class_names("fer2013")
        )

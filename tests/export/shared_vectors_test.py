"""Tests of export/shared_vectors.py: fewer bytes, the same model."""

import numpy as np
import pytest
from tensorflow.lite.python import schema_py_generated as schema

from edge.classifier import Classifier
from export import artifacts
from export import shared_vectors
from export import tflite
from export import tflite_recipes
from tests.export import export_fixtures

RECIPES = ("float32", "int8", "int16x8")


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    """Recipe -> (as the converter wrote it, with shared vectors)."""
    folder = str(tmp_path_factory.mktemp("fixed_batch"))
    artifacts.write_fixed_batch_model(export_fixtures.run(), folder)
    images = export_fixtures.calibration().images
    pairs = {}
    for recipe in RECIPES:
        content = tflite_recipes.RECIPES[recipe](folder, images, "uint8")
        pairs[recipe] = content, shared_vectors.share_vectors(content)
    return pairs


def tables(content):
    """All that a model holds, as nested dicts, lists and bytes."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    return _plain(model)


def _plain(value):
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.tobytes()
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if hasattr(value, "__dict__"):
        return {key: _plain(each) for key, each in vars(value).items()}
    return value


@pytest.mark.parametrize("recipe", RECIPES)
def test_all_in_the_file_is_kept_and_weights_stay_aligned(converted, recipe):
    before, after = converted[recipe]
    assert tables(after) == tables(before)
    _, after = converted[recipe]
    model = schema.Model.GetRootAs(after)
    whole = np.frombuffer(after, np.uint8)
    for index in range(model.BuffersLength()):
        buffer = model.Buffers(index)
        if buffer.DataLength():
            place = buffer.DataAsNumpy().ctypes.data - whole.ctypes.data
            assert place % 16 == 0


def test_zero_points_of_a_kernel_serve_its_bias_too_and_once(converted):
    """Eight bytes each; layers of equal width share even more."""
    before, after = converted["int8"]
    channels = sum(
        layer.get_weights()[0].shape[-1]
        for layer in export_fixtures.run().model.layers
        if layer.get_weights() and layer.get_weights()[0].ndim > 1
    )
    assert len(before) - len(after) >= 8 * channels
    _, after = converted["int8"]
    assert shared_vectors.share_vectors(after) == after


@pytest.mark.parametrize("recipe", RECIPES)
def test_answers_stay_the_same_to_the_last_bit(converted, recipe, tmp_path):
    metadata = {"image_size": 48, "channels": 1, "recipe": recipe}
    pictures = export_fixtures.validation().images[:20]
    answers = []
    for number, content in enumerate(converted[recipe]):
        path = tmp_path / f"{number}.tflite"
        path.write_bytes(content)
        tflite.append_metadata(path, export_fixtures.CLASSES, metadata)
        answers.append(Classifier(path).probabilities(pictures))
    np.testing.assert_array_equal(*answers)

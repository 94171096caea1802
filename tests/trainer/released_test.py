import keras
import numpy as np
import pytest

from edge.classifier import Classifier
from tests import prepared as drawn
from trainer import released
from trainer import weights
from trainer.data import prepared
from trainer.models import build_model
from trainer.settings.settings import from_flat

OURS = ("surprise", "winking", "happy")


def settings_of(name, **values):
    network = weights_network(name)
    return from_flat({"weights": name, "dataset": "mine", **network, **values})


def weights_network(name):
    """What the message that refuses another network says to give."""
    settings = from_flat({"weights": name, "widths": (8,), "stage_depth": (1,)})
    model = build_model(settings, 7, keras)
    with pytest.raises(weights.WeightsError) as caught:
        weights.load_backbone_weights(model, settings, keras)
    pairs = [f.split("=") for f in str(caught.value).split() if "=" in f]
    values = {flag[2:]: value for flag, value in pairs if flag != "--weights"}
    for name_ in ("widths", "stage_depth"):
        values[name_] = tuple(map(int, values[name_].split(",")))
    for name_ in ("stem_stride", "image_size", "channels"):
        values[name_] = int(values[name_])
    return {**values, "head_units": ()}


@pytest.fixture(scope="module")
def faces():
    data = from_flat({"data_dir": str(drawn.data_dir())}).data
    return prepared.load_split(data, "test").images


@pytest.mark.parametrize("name", released.NAMES)
def test_the_network_says_what_the_released_file_says(name, faces):
    file = Classifier(name, views=1)
    settings = settings_of(name, classes=tuple(file.labels))
    model = build_model(settings, 7, keras)
    weights.load_backbone_weights(model, settings, keras)
    ours = model.predict(faces, verbose=0)
    theirs = file.probabilities(faces)
    # int8 between the layers, float32 here.
    assert np.abs(ours - theirs).max() < 0.15
    assert np.abs(ours - theirs).mean() < 0.01


def test_the_head_begins_with_the_rows_of_the_same_names(faces):
    file = Classifier("edge", views=1)
    settings = settings_of("edge", classes=OURS)
    model = build_model(settings, 3, keras)
    logits = model.get_layer("logits")
    before = logits.get_weights()[0]
    weights.load_backbone_weights(model, settings, keras)
    after = logits.get_weights()[0]
    np.testing.assert_array_equal(before[:, 1], after[:, 1])
    assert not np.array_equal(before[:, 0], after[:, 0])
    ours = model.predict(faces, verbose=0)
    theirs = file.probabilities(faces)
    columns = [file.labels.index(n) for n in ("surprise", "happy")]
    there = theirs[:, columns].argmax(1) == ours[:, [0, 2]].argmax(1)
    assert there.mean() > 0.9


def test_released_weights_are_refused_for_the_data_they_were_trained_on():
    settings = from_flat({"weights": "edge"})
    with pytest.raises(ValueError, match="was trained on fer2013"):
        weights.check_source(settings, {})

import keras
import numpy as np
import pytest

from trainer.models import BACKBONE_LAYER
from trainer.models import build_model
from trainer.models import head_layers
from trainer.models import normalisation
from trainer.setting_groups import BACKBONES
from trainer.settings import from_flat

PREPROCESS = {
    "densenet121": keras.applications.densenet.preprocess_input,
    "densenet169": keras.applications.densenet.preprocess_input,
    "mobilenetv2": keras.applications.mobilenet_v2.preprocess_input,
}
SLOW = [
    pytest.param(name, marks=pytest.mark.slow)
    if name in ("densenet121", "densenet169")
    else name
    for name in BACKBONES
]


def build(**values):
    return build_model(from_flat(values), 7, keras)


@pytest.mark.parametrize("backbone", SLOW)
def test_models_are_flat_and_give_probabilities(backbone):
    model = build(backbone=backbone, head_units=(8,), head_dropout=(0.1,))
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)
    assert model.input_shape == (None, 48, 48, 1)
    pixels = np.random.default_rng(0).uniform(0, 255, (3, 48, 48, 1))
    probabilities = np.asarray(model(pixels.astype(np.float32)))
    assert probabilities.shape == (3, 7)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", list(PREPROCESS))
def test_the_graph_normalises_as_the_backbone_was_trained(name, channels):
    from trainer.models.applications import NETWORKS

    pixels = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, channels))
    inputs = keras.Input([8, 8, channels])
    affine = NETWORKS[name][1](channels)
    outputs = normalisation.apply(inputs, affine, keras)
    ours = np.asarray(keras.Model(inputs, outputs)(pixels.astype(np.float32)))
    colour = np.repeat(pixels, 3 // channels, axis=-1)
    theirs = PREPROCESS[name](colour.astype(np.float32).copy())
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_plain_cnn_sees_minus_one_to_one():
    inputs = keras.Input([1, 1, 1])
    outputs = normalisation.apply(inputs, normalisation.signed(1), keras)
    model = keras.Model(inputs, outputs)
    pixels = np.array([0, 127.5, 255], np.float32).reshape(3, 1, 1, 1)
    got = np.asarray(model(pixels)).ravel()
    np.testing.assert_allclose(got, [-1, 0, 1], atol=1e-6)


def test_plain_cnn_has_the_shape_of_its_settings():
    model = build(widths=(8, 16), stage_depth=3, stem_stride=2)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("Conv2D") == 1 + 6
    assert kinds.count("MaxPooling2D") == 1
    assert model.get_layer(BACKBONE_LAYER).input.shape == (None, 12, 12, 16)
    assert model.get_layer("stage1_1_conv").strides == (2, 2)


def test_the_head_has_the_shape_of_its_settings():
    model = build(
        backbone="tiny_cnn",
        pooling_dropout=0.3,
        head_units=(16, 8),
        head_dropout=(0.4, 0.5),
    )
    names = [layer.name for layer in head_layers(model)]
    assert names == [
        "pooling",
        "pooling_dropout",
        "head1",
        "head1_dropout",
        "head2",
        "head2_dropout",
        "logits",
        "probabilities",
    ]
    assert model.get_layer("head1").units == 16
    assert model.get_layer("head2_dropout").rate == 0.5
    assert model.get_layer("pooling_dropout").rate == 0.3

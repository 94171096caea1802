import keras
import numpy as np
import pytest

from trainer.models import BACKBONE_LAYER
from trainer.models import build_model
from trainer.models import head_layers
from trainer.models import normalisation
from trainer.settings.model_and_data import BACKBONES
from trainer.settings.model_and_data import CNNS
from trainer.settings.settings import from_flat

PREPROCESS = {
    "densenet121": keras.applications.densenet.preprocess_input,
    "densenet169": keras.applications.densenet.preprocess_input,
    "resnet50": keras.applications.resnet.preprocess_input,
    "resnet50v2": keras.applications.resnet_v2.preprocess_input,
    "vgg16": keras.applications.vgg16.preprocess_input,
    "mobilenetv2": keras.applications.mobilenet_v2.preprocess_input,
}
QUICK = (*CNNS, "vgg16", "mobilenetv2")
SLOW = [
    name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
    for name in BACKBONES
]


def build(**values):
    if values.get("backbone") == "layer_list":
        values = {"layers": ("c8", "bn", "mp", "d0.5", "c8l0.1v"), **values}
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
    # Batch norm forgets its first statistics within an epoch.
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            # 224 steps of 128 are an epoch of FER-2013.
            assert layer.momentum**224 < 0.15


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


@pytest.mark.parametrize(
    ("affine", "expected"),
    [
        (normalisation.signed, [-1, 0, 1]),
        (normalisation.unit, [0, 0.5, 1]),
        (normalisation.centred_rgb, [-127 / 128, 0.5 / 128, 1]),
    ],
    ids=["signed", "unit", "centred"],
)
def test_ranges_of_our_own_networks(affine, expected):
    inputs = keras.Input([1, 1, 1])
    outputs = normalisation.apply(inputs, affine(1), keras)
    model = keras.Model(inputs, outputs)
    pixels = np.array([0, 127.5, 255], np.float32).reshape(3, 1, 1, 1)
    got = np.asarray(model(pixels))[:, 0, 0]
    np.testing.assert_allclose(got.min(axis=1), expected, atol=1e-6)
    np.testing.assert_allclose(got.max(axis=1), expected, atol=1e-6)


def test_plain_cnn_has_the_shape_of_its_settings():
    model = build(widths=(8, 16), stage_depth=3, stem_stride=2)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("Conv2D") == 1 + 6
    assert kinds.count("MaxPooling2D") == 1
    assert model.get_layer(BACKBONE_LAYER).input.shape == (None, 12, 12, 16)
    assert model.get_layer("stage1_1_conv").strides == (2, 2)
    model = build(widths=(8, 16), stage_depth=(1, 3))
    names = [layer.name for layer in model.layers if "_conv" in layer.name]
    assert names == [f"stage{s}_conv" for s in ("1_1", "2_1", "2_2", "2_3")]


def head_names(model):
    return " ".join(layer.name for layer in head_layers(model))


def test_the_head_has_the_shape_of_its_settings():
    layers = {"head_units": (16, 8), "head_dropout": (0.4, 0.5)}
    model = build(backbone="tiny_cnn", pooling_dropout=0.3, **layers)
    assert head_names(model) == (
        "pooling pooling_dropout head1 head1_dropout head2 head2_dropout "
        "logits probabilities"
    )
    assert model.get_layer("head1").units == 16
    assert model.get_layer("head2_dropout").rate == 0.5
    assert model.get_layer("pooling_dropout").rate == 0.3


def test_a_head_with_everything():
    model = build(
        **{"backbone": "tiny_cnn", "pooling": "flatten", "head_units": (8,)},
        **{"head_dropout": (0.5,), "head_batch_norm": True, "head_l2": 0.1},
        head_activation="tanh",
    )
    assert head_names(model) == (
        "pooling pooling_bn head1 head1_bn head1_act head1_dropout "
        "logits probabilities"
    )
    assert type(model.get_layer("pooling")).__name__ == "Flatten"
    kernel = model.get_layer("head1").kernel
    penalty = 0.1 * np.sum(np.square(np.asarray(kernel)))
    assert float(sum(model.losses)) == pytest.approx(penalty, rel=1e-5)


def test_a_layer_list_becomes_those_layers():
    model = build(backbone="layer_list")
    layers = [layer for layer in model.layers if "layer" in layer.name]
    assert " ".join(layer.name for layer in layers) == (
        "layer1_conv layer2_bn layer3_pool layer4_dropout layer5_conv"
    )
    assert layers[3].rate == 0.5
    assert (layers[0].padding, layers[4].padding) == ("same", "valid")
    assert layers[0].kernel_regularizer is None
    assert layers[4].kernel_regularizer.l2 == pytest.approx(0.1)
    assert layers[4].output.shape == (None, 22, 22, 8)


def test_efficientnet_lite0_is_that_of_the_paper():
    model = build(backbone="efficientnet_lite0")
    ours = [*head_layers(model), model.get_layer("normalisation")]
    features = sum(x.count_params() for x in model.layers if x not in ours)
    # The ImageNet arrays hold 4,694,024 numbers, 1,281,000 of them in the
    # 1000-way answer that we leave out.
    assert features == 4_694_024 - 1_281_000
    assert model.get_layer(BACKBONE_LAYER).input.shape == (None, 2, 2, 1280)

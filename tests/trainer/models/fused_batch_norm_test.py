"""One operation gives what Keras' own BatchNormalization gives."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.models import build_model
from trainer.models import fused_batch_norm
from trainer.settings.settings import from_flat

SHAPE = (5, 6, 3)
CASES = [
    *((SHAPE, {}), (SHAPE, {"scale": False}), (SHAPE, {"center": False})),
    *((SHAPE, {"renorm": True}), (SHAPE, {"synchronized": True})),
    # Features without places are left to Keras.
    *((SHAPE, {"axis": 1}), ((3,), {})),
]


def make_pair(shape, **options):
    """The same layer twice in a model each: as Keras has it, and fused."""
    models = []
    for _ in range(2):
        keras.utils.set_random_seed(0)
        inputs = keras.Input(shape)
        layer = keras.layers.BatchNormalization(momentum=0.8, **options)
        models.append(keras.Model(inputs, layer(inputs)))
        weights = layer.get_weights()
        noise = np.random.default_rng(1)
        layer.set_weights([w + noise.uniform(0, 1, w.shape) for w in weights])
    fused_batch_norm.fuse(models[1])
    return models


def outcome(model, inputs, training):
    """Outputs, gradients and weights after one call."""
    inputs = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = model(inputs, training=training)
        loss = tf.reduce_sum(outputs * tf.sin(outputs))
    variables = [v.value for v in model.trainable_variables]
    gradients = tape.gradient(loss, [inputs, *variables])
    return [outputs, *gradients, *model.get_weights()]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("trainable", [True, False])
@pytest.mark.parametrize(("shape", "options"), CASES, ids=str)
def test_it_gives_all_that_keras_gives(shape, options, trainable, training):
    inputs = np.random.default_rng(2).normal(3, 2, (4, *shape))
    models = make_pair(shape, **options)
    for model in models:
        model.layers[1].trainable = trainable
    plain, fused = (
        outcome(model, inputs.astype(np.float32), training) for model in models
    )
    for expected, got in zip(plain, fused, strict=True):
        np.testing.assert_allclose(got, expected, rtol=2e-4, atol=2e-4)


def test_it_is_one_operation():
    _, fused = make_pair((5, 6, 3))
    call = tf.function(lambda x: fused(x, training=True))
    graph = call.get_concrete_function(tf.TensorSpec([4, 5, 6, 3])).graph
    kinds = [operation.type for operation in graph.get_operations()]
    assert kinds.count("FusedBatchNormV3") == 1
    assert "Rsqrt" not in kinds


def test_bfloat16_feature_maps_stay_so():
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    try:
        _, fused = make_pair((5, 6, 3))
        inputs = tf.ones([4, 5, 6, 3], tf.bfloat16)
        outputs = fused(inputs, training=True)
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    assert outputs.dtype == tf.bfloat16
    assert fused.layers[1].moving_mean.dtype == "float32"


def test_weight_files_are_read_by_the_plain_network(tmp_path):
    settings = from_flat({"backbone": "tiny_cnn"})
    plain, fused = (build_model(settings, 7, keras) for _ in range(2))
    fused_batch_norm.fuse(fused)
    fused.save_weights(tmp_path / "fused.weights.h5")
    plain.load_weights(tmp_path / "fused.weights.h5")
    pixels = np.random.default_rng(0).uniform(0, 255, (3, 48, 48, 1))
    np.testing.assert_allclose(
        plain.predict(pixels, verbose=0),
        fused.predict(pixels, verbose=0),
        atol=1e-6,
    )

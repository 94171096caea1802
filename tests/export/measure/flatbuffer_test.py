"""Tests of export/measure/flatbuffer.py: what is read is what was built."""

import numpy as np
import pytest

from export import tflite
from export.measure import flatbuffer
from tests.export import export_fixtures


def operators(recipe):
    path = export_fixtures.export_folder() / tflite.file_name(recipe)
    return flatbuffer.read_operators(path.read_bytes())


@pytest.mark.parametrize("recipe", ["float32", "dynamic", "int8", "int16x8"])
def test_multiply_accumulates_follow_from_the_network(recipe):
    model = export_fixtures.run().model
    expected = 0
    for layer in model.layers:
        if not layer.get_weights() or len(layer.get_weights()[0].shape) < 2:
            continue
        kernel = layer.get_weights()[0]
        positions = np.prod(layer.output.shape[1:-1], dtype=int)
        expected += int(positions) * kernel.size
    found = [op.multiply_accumulates for op in operators(recipe)]
    assert sum(found) == expected
    assert found.count(0) < len(found)


def test_kernels_are_the_weights_of_the_model_and_most_of_the_file():
    kernel, _ = export_fixtures.run().model.get_layer("logits").get_weights()
    path = export_fixtures.export_folder() / "model_float32.tflite"
    found = list(flatbuffer.kernels(path.read_bytes()).values())[-1]
    np.testing.assert_allclose(found, kernel.T, rtol=1e-6)
    total = sum(op.weight_bytes for op in operators("float32"))
    assert 0.9 * path.stat().st_size < total < path.stat().st_size
    # Operators come in the order in which they are computed.
    names = [op.name for op in operators("int8")]
    assert names[:2] == ["QUANTIZE", "CONV_2D"]
    assert names[-3:] == ["FULLY_CONNECTED", "SOFTMAX", "QUANTIZE"]


def test_a_depthwise_kernel_meets_each_output_once():
    kernel = flatbuffer.Tensor("k", (1, 3, 3, 8), "INT8", np.zeros(72, np.int8))
    output = flatbuffer.Tensor("o", (1, 10, 10, 8), "INT8", None)
    operator = flatbuffer.Operator(
        "DEPTHWISE_CONV_2D", (output, kernel), (output,)
    )
    assert operator.multiply_accumulates == 10 * 10 * 8 * 9
    assert operator.weight_bytes == 72

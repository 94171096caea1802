"""A model that tells dark, grey and light pictures apart, in every type.

Files are made once per test process and must not be changed.
"""

import functools

import numpy as np
import tensorflow as tf

from export import tflite
from tests import prepared

SIZE = 8
LABELS = ("dark", "grey", "light")
METADATA = {"image_size": SIZE, "channels": 1}
# The columns favour a dark, a middling and a bright picture.
SLOPES = np.array([-6.0, 0.0, 6.0], np.float32)
OFFSETS = np.array([3.0, 1.0, -3.0], np.float32)


class Brightness(tf.Module):
    """Softmax of three straight lines over the mean pixel."""

    def __init__(self):
        super().__init__()
        self.slopes = tf.Variable(SLOPES[np.newaxis])
        self.offsets = tf.Variable(OFFSETS)

    def answer(self, pixels):
        mean = tf.reduce_mean(pixels / 255.0, axis=[1, 2])
        return tf.nn.softmax(mean @ self.slopes + self.offsets)


def expected(images):
    mean = images.reshape(len(images), -1).mean(axis=1, keepdims=True) / 255
    powers = np.exp(mean * SLOPES + OFFSETS)
    return powers / powers.sum(axis=1, keepdims=True)


def pictures(count):
    """Evenly from black to white, with a little texture."""
    levels = np.linspace(0, 255, count)[:, None, None, None]
    ripple = np.arange(SIZE * SIZE).reshape(1, SIZE, SIZE, 1) % 7
    return np.clip(levels + ripple, 0, 255).astype(np.uint8)


def convert(kind):
    module = Brightness()
    batch = None if kind == "dynamic_batch" else 1
    signature = [tf.TensorSpec([batch, SIZE, SIZE, 1], name="pixels")]
    function = tf.function(module.answer, input_signature=signature)
    folder = prepared.scratch() / f"brightness_{kind}"
    tf.saved_model.save(module, str(folder), signatures=function)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    if kind not in ("float32", "dynamic_batch"):
        types = (kind.split("_to_") * 2)[:2]
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: (
            [image[np.newaxis].astype(np.float32)] for image in pictures(50)
        )
        converter.inference_input_type = tf.as_dtype(types[0])
        converter.inference_output_type = tf.as_dtype(types[1])
    return converter.convert()


@functools.cache
def model_path(kind):
    path = prepared.scratch() / f"{kind}.tflite"
    path.write_bytes(convert(kind))
    tflite.append_metadata(path, LABELS, METADATA)
    return path

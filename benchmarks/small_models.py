"""The baselines of the device benchmark, converted to int8 with random weights.

Time, memory and size do not depend on the weights' values, so nothing here is
trained. The Xceptions are built as published: Arriaga et al., Real-time
Convolutional Neural Networks for Emotion and Gender Classification (arXiv
1710.07557), and the code that its authors released for FER-2013.
"""

import os
import pathlib
import tempfile
from typing import Any

import keras
import tensorflow as tf

from benchmarks import drawn_data
from export import tflite
from export import tflite_recipes
from fer_tfds import labels
from trainer import console

NAMES = labels.class_names("fer2013")
CALIBRATION_IMAGES = 100

# The input of the published mini-Xception is 64 px; for the big one both 48
# and 64 are in use, and the smaller is the quicker.
MINI_PX, BIG_PX = 64, 48
_MINI_WIDTHS, _BIG_WIDTHS = (16, 32, 64, 128), (128, 256)


def mini_xception() -> keras.Model:
    """Builds mini-Xception: float32 [n, 64, 64, 1] -> float32 [n, 7]."""
    inputs = keras.Input((MINI_PX, MINI_PX, 1))
    x = _convolve(inputs, 8)
    x = _convolve(x, 8)
    for width in _MINI_WIDTHS:
        x = _module(x, width, starts_with_relu=False)
    return _end(inputs, x)


def big_xception() -> keras.Model:
    """Builds big-Xception: float32 [n, 48, 48, 1] -> float32 [n, 7]."""
    inputs = keras.Input((BIG_PX, BIG_PX, 1))
    x = _convolve(inputs, 32, strides=2)
    x = _convolve(x, 64)
    for index, width in enumerate(_BIG_WIDTHS):
        x = _module(x, width, starts_with_relu=index > 0)
    return _end(inputs, x)


def write_int8(model: keras.Model, path: pathlib.Path) -> None:
    """Writes a model as full-integer TFLite that the device runtime takes."""
    _, size, _, channels = model.input_shape
    images = drawn_data.pictures(CALIBRATION_IMAGES, size, channels)
    with (
        tempfile.TemporaryDirectory() as folder,
        console.output_to(os.devnull, 1, 2),
    ):
        _save(model, folder)
        content = tflite_recipes.int8(folder, images, "uint8")
    metadata = _metadata(size, channels) | {"recipe": "int8", "io": "uint8"}
    tflite.write_checked(path, content, NAMES, metadata=metadata)


def adopt(source: pathlib.Path, path: pathlib.Path) -> None:
    """Writes a copy of another project's `.tflite` that our runtime takes.

    Only labels and metadata are added, so that the same code measures it.

    Raises:
      ValueError: it does not take one square picture.
    """
    interpreter = tf.lite.Interpreter(model_content=source.read_bytes())
    shape = [int(side) for side in interpreter.get_input_details()[0]["shape"]]
    if len(shape) != 4 or shape[1] != shape[2]:
        raise ValueError(f"{source} takes {shape}, and not a square picture")
    path.write_bytes(source.read_bytes())
    tflite.append_metadata(path, NAMES, _metadata(shape[1], shape[3]))


def _metadata(size: int, channels: int) -> dict[str, Any]:
    return {"image_size": size, "channels": channels}


def _save(model: keras.Model, folder: pathlib.Path) -> None:
    """A SavedModel of one picture, as `export.artifacts` makes it."""
    server = tf.Module()
    server.variables_of_model = [v.value for v in model.variables]
    pixels = tf.TensorSpec([1, *model.input_shape[1:]], tf.float32)
    answer = tf.function(
        lambda images: model(images, training=False), input_signature=[pixels]
    )
    tf.saved_model.save(server, folder, signatures=answer)


def _convolve(
    x: keras.KerasTensor, width: int, strides: int = 1
) -> keras.KerasTensor:
    x = keras.layers.Conv2D(width, 3, strides=strides, use_bias=False)(x)
    x = keras.layers.BatchNormalization()(x)
    return keras.layers.Activation("relu")(x)


def _module(
    x: keras.KerasTensor, width: int, *, starts_with_relu: bool
) -> keras.KerasTensor:
    options = {"padding": "same", "use_bias": False}
    side = keras.layers.Conv2D(width, 1, strides=2, **options)(x)
    side = keras.layers.BatchNormalization()(side)
    if starts_with_relu:
        x = keras.layers.Activation("relu")(x)
    x = keras.layers.SeparableConv2D(width, 3, **options)(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Activation("relu")(x)
    x = keras.layers.SeparableConv2D(width, 3, **options)(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.MaxPooling2D(3, strides=2, padding="same")(x)
    return keras.layers.Add()([x, side])


def _end(inputs: keras.KerasTensor, x: keras.KerasTensor) -> keras.Model:
    x = keras.layers.Conv2D(len(NAMES), 3, padding="same")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Softmax()(x))

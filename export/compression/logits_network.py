"""A network that ends in logits -> predictions, and a quantised file.

For the compression process: plain TensorFlow on a callable network, of
whichever generation of Keras. Imports no Keras and trains nothing.
"""

import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from export import tflite_recipes
from trainer.batches import PREDICT_BATCH_SIZE as BATCH


def with_softmax(network: Any) -> Callable[..., tf.Tensor]:
    """Returns pixels float32 [n, S, S, C] -> probabilities float32 [n, K]."""
    return lambda pixels, training: tf.nn.softmax(
        network(pixels, training=training)
    )


def predict(network: Any, images: np.ndarray) -> np.ndarray:
    """Predictions for uint8 [n, S, S, C], a batch at a time: float32 [n, K]."""
    call = tf.function(
        lambda pixels: network(pixels, training=False), reduce_retracing=True
    )
    starts = range(0, len(images), BATCH)
    return np.concatenate(
        [
            call(tf.cast(images[i : i + BATCH], tf.float32)).numpy()
            for i in starts
        ]
    )


def convert_int8(
    network: Any, images: np.ndarray, io: str, *, scratch: pathlib.Path
) -> bytes:
    """Converts a network that was trained for int8; adds the softmax.

    Args:
      network: float32 [n, S, S, C] in [0, 255] -> logits float32 [n, K].
      images: uint8 [n, S, S, C], the calibration images, for what the
        training did not quantise.
      io: input and output dtype of the file, of `choices.IO_TYPES`.
      scratch: a folder that a SavedModel may be written into.

    Returns:
      A `.tflite` as `tflite_recipes.int8` makes it.
    """
    module, predict_one = tf.Module(), with_softmax(network)
    module.variables_kept = list(network.variables)
    pixels = tf.TensorSpec([1, *images.shape[1:]], tf.float32, name="pixels")
    module.predict_one = tf.function(
        lambda pixels: {"probabilities": predict_one(pixels, False)},
        input_signature=[pixels],
    )
    path = str(scratch / "fixed_batch")
    signatures = {tflite_recipes.PIXELS_SIGNATURE: module.predict_one}
    tf.saved_model.save(module, path, signatures=signatures)
    return tflite_recipes.int8(path, images, io)

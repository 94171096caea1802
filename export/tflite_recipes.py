"""The ways from a SavedModel to a `.tflite`, as named functions.

  float32   as trained; the largest, for checking and for phones
  float16   weights in half precision: half the size, the same output to
            three digits; runs on GPUs and, converted back, on any CPU
  dynamic   weights in 8 bits, activations in float: a quarter of the size and
            no calibration; for phones' CPUs, not for microcontrollers
  int8      integer throughout: a quarter of the size, the only one that
            microcontrollers and integer accelerators run; accuracy may
            suffer, which the parity gate measures
  int16x8   weights in 8 bits, activations in 16: a quarter of the size and
            closer to float than int8, for networks that int8 hurts; several
            times slower on CPUs, since it is not delegated to XNNPACK

All take a batch of exactly 1. The only module that knows the converter. It
never runs a model, and knows neither runs nor folders of an export.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

PIXELS_SIGNATURE = "serving_default"


def float32(saved_model: str, images: np.ndarray, io: str) -> bytes:
    """Converts without quantisation.

    Args:
      saved_model: folder of a SavedModel of fixed batch 1, whose
        `serving_default` is float32 [1, S, S, C] -> float32 [1, K].
      images: uint8 [n, S, S, C], the calibration images; not needed here.
      io: of `choices.IO_TYPES`; not needed here.

    Returns:
      A model of float32 [1, S, S, C] in [0, 255] -> float32 [1, K].
    """
    del images, io
    return _converter(saved_model).convert()


def float16(saved_model: str, images: np.ndarray, io: str) -> bytes:
    """Converts the weights to half precision; arguments as `float32`.

    Returns:
      A model of float32 [1, S, S, C] in [0, 255] -> float32 [1, K].
    """
    del images, io
    converter = _converter(saved_model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return converter.convert()


def dynamic(saved_model: str, images: np.ndarray, io: str) -> bytes:
    """Converts the weights to 8 bits; arguments as `float32`.

    Tensors of fewer than 1,024 weights stay in float: TFLite's own rule.

    Returns:
      A model of float32 [1, S, S, C] in [0, 255] -> float32 [1, K].
    """
    del images, io
    converter = _converter(saved_model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return converter.convert()


def int8(saved_model: str, images: np.ndarray, io: str) -> bytes:
    """Converts to integers throughout; arguments as `float32`.

    Returns:
      A model of [1, S, S, C] raw pixels (uint8; int8, the pixels less 128;
      or float32) -> [1, K] of the same type, a probability in steps of 1/256.
    """
    return int8_converter(saved_model, images, io).convert()


def int16x8(saved_model: str, images: np.ndarray, io: str) -> bytes:
    """Converts weights to 8 bits and activations to 16.

    Arguments as `float32`. TFLite has no 8-bit input and output for it.

    Returns:
      A model of int16 [1, S, S, C], pixels in steps of 255/32767 -> int16
      [1, K], a probability in steps of 1/32768; with `io` float32 both are
      float32.
    """
    return int16x8_converter(saved_model, images, io).convert()


RECIPES: dict[str, Callable[[str, np.ndarray, str], bytes]] = {
    "float32": float32,
    "float16": float16,
    "dynamic": dynamic,
    "int8": int8,
    "int16x8": int16x8,
}
# Recipes that measure ranges on calibration images.
CALIBRATED = ("int8", "int16x8")


def int8_converter(saved_model: str, images: np.ndarray, io: str) -> Any:
    """Returns the converter of `int8`, for those who also look inside it."""
    converter = _converter(saved_model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [image[np.newaxis].astype(np.float32)] for image in images
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.dtypes.as_dtype(io)
    converter.inference_output_type = tf.dtypes.as_dtype(io)
    return converter


def int16x8_converter(saved_model: str, images: np.ndarray, io: str) -> Any:
    """Returns the converter of `int16x8`, as `int8_converter`."""
    converter = int8_converter(saved_model, images, io)
    converter.target_spec.supported_ops = [
        tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    ]
    dtype = tf.float32 if io == "float32" else tf.int16
    converter.inference_input_type = converter.inference_output_type = dtype
    return converter


def describe_input_and_output(recipe: str, io: str) -> dict[str, str]:
    """Returns what a recipe's file takes and gives, for its metadata."""
    if recipe not in CALIBRATED or io == "float32":
        return {"input": "float32 0..255", "output": "float32 0..1"}
    if recipe == "int16x8":
        return {
            "input": "int16, 0..255 in steps of 255/32767",
            "output": "int16 in steps of 1/32768",
        }
    low = {"uint8": "0..255", "int8": "-128..127, a pixel less 128"}[io]
    return {"input": f"{io} {low}", "output": f"{io} in steps of 1/256"}


def _converter(saved_model: str) -> Any:
    return tf.lite.TFLiteConverter.from_saved_model(
        saved_model, signature_keys=[PIXELS_SIGNATURE]
    )

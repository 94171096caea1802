"""Real values <-> the integers of a quantised tensor.

The one place of the project that quantises and dequantises by hand. Numpy
alone; knows no model.
"""

import math

import numpy as np
from numpy.typing import DTypeLike


def quantise(
    values: np.ndarray, scale: float, zero_point: int, *, dtype: DTypeLike
) -> np.ndarray:
    """Real values -> the numbers of a tensor.

    Args:
      values: real numbers of any shape.
      scale: the tensor's step; 0 means it is not quantised.
      zero_point: the number that stands for 0.
      dtype: the tensor's type; an integer type clips to its range.

    Returns:
      `dtype` of the same shape, rounded to nearest (halves to even).
    """
    values = np.asarray(values)
    if scale == 0:
        return values.astype(dtype)
    if (scale, zero_point, dtype) == (1, 0, values.dtype):
        return values  # pixels, as models of ours take them
    limits = np.iinfo(dtype)
    steps = np.rint(values.astype(np.float64) / scale) + zero_point
    return np.clip(steps, limits.min, limits.max).astype(dtype)


def dequantise(values: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    """The numbers of a tensor -> float32 real values of the same shape.

    A scale of 0 means the tensor is not quantised.
    """
    if scale == 0:
        return np.asarray(values).astype(np.float32)
    steps = np.asarray(values, np.float64) - zero_point
    return (steps * scale).astype(np.float32)


def fault_of_quantisation(
    scale: float, zero_point: int, *, dtype: DTypeLike
) -> str:
    """Says what is wrong with the quantisation of a tensor.

    Args:
      scale: the tensor's step; 0 means it is not quantised.
      zero_point: the number that stands for 0.
      dtype: the tensor's type; integers must be quantised.

    Returns:
      Words that follow the tensor's name; empty when nothing is wrong.
    """
    if not np.issubdtype(dtype, np.integer):
        return f"is {dtype} and quantised" if scale != 0 else ""
    limits = np.iinfo(dtype)
    if not (math.isfinite(scale) and scale > 0):
        return f"is {dtype} with a scale of {scale:g}"
    if not limits.min <= zero_point <= limits.max:
        return f"is {dtype} with a zero point of {zero_point}"
    return ""

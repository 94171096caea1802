"""Where decoded images are kept in memory, so that TensorFlow copies none.

One array that starts on a memory page, which TensorFlow reads where it is.
"""

import math
import mmap
from collections.abc import Sequence

import numpy as np
import tensorflow as tf


def allocate(shape: Sequence[int]) -> np.ndarray:
    """Makes room for decoded images.

    Args:
      shape: of the array; no side is 0.

    Returns:
      uint8 array of that shape, all 0.
    """
    kind = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    pages = mmap.mmap(-1, math.prod(shape), flags=kind)
    return np.frombuffer(pages, np.uint8).reshape(shape)


def as_tensor(array: np.ndarray | tf.Tensor) -> tf.Tensor:
    """The array as a tensor in main memory, where tf.data works.

    Shares the memory of an array from `allocate`, which must not change from
    then on; copies any other array.
    """
    is_array = isinstance(array, np.ndarray) and array.flags.c_contiguous
    # TensorFlow's kernels end the process over an address that is no multiple
    # of 64; one that is of a page is no accident, but `allocate`.
    if is_array and array.size and array.ctypes.data % mmap.PAGESIZE == 0:
        return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
    # Left to itself TensorFlow would put it on a GPU, and copy it back for
    # every batch.
    with tf.device("CPU"):
        return tf.constant(array)

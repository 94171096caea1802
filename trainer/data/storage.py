"""Where decoded images are kept in memory, so that TensorFlow copies none.

One array that starts on a memory page, which TensorFlow reads where it is, and
which datasets hold without a copy in their graphs.
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


def beside(
    dataset: tf.data.Dataset, *arrays: np.ndarray | tf.Tensor
) -> tf.data.Dataset:
    """Elements (element, arrays), for a mapped function to gather from.

    What such a function finds in its surroundings TensorFlow copies into the
    graph whenever it rewrites the graph, and for a tensor that a dataset holds
    it makes another of that shape. Into a list it does not look.
    """
    with tf.device("CPU"):
        held = tuple(_hold(as_tensor(array)) for array in arrays)
    return tf.data.Dataset.zip(
        dataset, tf.data.Dataset.from_tensors(held).repeat()
    )


def _hold(tensor: tf.Tensor) -> tf.Tensor:
    empty = tf.raw_ops.EmptyTensorList(
        element_dtype=tensor.dtype, element_shape=-1, max_num_elements=1
    )
    return tf.raw_ops.TensorListPushBack(input_handle=empty, tensor=tensor)


def gather(
    held: tf.Tensor, array: np.ndarray | tf.Tensor, rows: tf.Tensor
) -> tf.Tensor:
    """Rows of an array that `beside` holds."""
    tensor = tf.raw_ops.TensorListGetItem(
        input_handle=held,
        index=0,
        element_shape=array.shape,
        element_dtype=array.dtype,
    )
    return tf.gather(tensor, rows)

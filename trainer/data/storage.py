"""Where decoded images are kept: in memory, or in a file if they are too many.

Either way it is one array that starts on a memory page, which TensorFlow reads
where it is: batches are the same, and nothing is copied. The file has no name
and goes with the process, so that it is never stale and never left behind.
"""

import math
import mmap
import os
import pathlib
import tempfile
from collections.abc import Sequence

import numpy as np
import psutil
import tensorflow as tf

from trainer import files

# Of the memory that is free now: the rest is for the network, and for the
# other splits.
MEMORY_FRACTION = 0.5


def allocate(
    shape: Sequence[int], *, most_bytes: int, folder: str | os.PathLike
) -> np.ndarray:
    """Makes room for decoded images, and chooses where.

    In memory, if that takes at most `most_bytes` and MEMORY_FRACTION of what is
    free; otherwise in a file, of which the system keeps in memory what fits.

    Args:
      shape: of the array; no side is 0.
      most_bytes: the most to keep in memory.
      folder: for the file; where nobody may write, it is the system's folder
        for temporary files.

    Returns:
      uint8 array of that shape, all 0.

    Raises:
      trainer.files.NoSpaceError: the disk has no room for the file.
    """
    size = math.prod(shape)
    if size <= min(
        most_bytes, MEMORY_FRACTION * psutil.virtual_memory().available
    ):
        kind = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        pages = mmap.mmap(-1, size, flags=kind)
    else:
        pages = _map_file(size, pathlib.Path(folder))
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


def _map_file(size: int, folder: pathlib.Path) -> mmap.mmap:
    if not os.access(folder, os.W_OK):
        folder = pathlib.Path(tempfile.gettempdir())
    files.check_space(folder, size)
    print(
        f"{size / 2**30:.1f} GiB of decoded images go to disk, into {folder}, "
        "while this runs",
        flush=True,
    )
    with tempfile.TemporaryFile(dir=folder) as file:
        # The room is taken now: a disk that fills up later would end the
        # process without a word.
        os.posix_fallocate(file.fileno(), 0, size)
        return mmap.mmap(file.fileno(), size)

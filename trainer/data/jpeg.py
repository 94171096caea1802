"""JPEG's loss without its file: blocks of cosines, rounded, for training.

A few matrix products over whole batches, so that XLA fuses it.
"""

import numpy as np
import tensorflow as tf

# Table K.1 of ITU-T T.81 (09/92), Annex K: quantisation of luminance.
LUMINANCE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.float32,
)
BLOCK = 8


def compress(planes: tf.Tensor, quality: tf.Tensor) -> tf.Tensor:
    """Rounds the cosine transform of blocks as JPEG does.

    Each channel is treated as luminance; a real file of a colour image keeps
    less of its colours.

    Args:
      planes: float32 [B, C, S, S] in [0, 255].
      quality: float32 [B], whole numbers from 1 to 100.

    Returns:
      float32 [B, C, S, S] in [0, 255].
    """
    side = planes.shape[-1]
    # What is missing of blocks repeats the edge, on either side, so that mirror
    # images of an even side lose the same.
    missing = -side % BLOCK
    first = missing // 2
    place = np.clip(np.arange(side + missing) - first, 0, side - 1)
    padded = planes
    if missing:
        padded = tf.gather(tf.gather(planes, place, axis=2), place, axis=3)
    blocks, transform = _split(padded - 128.0), tf.constant(_cosines())
    steps = quantisation(quality)
    coefficients = tf.round((blocks @ transform) / steps) * steps
    decoded = _join(coefficients @ tf.transpose(transform), padded.shape)
    decoded = tf.clip_by_value(decoded + 128.0, 0.0, 255.0)
    inside = slice(first, first + side)
    return decoded[:, :, inside, inside]


def quantisation(quality: tf.Tensor) -> tf.Tensor:
    """Steps [B, 1, 64] of qualities [B] in whole numbers from 1 to 100.

    As jpeg_quality_scaling of the IJG's libjpeg (jcparam.c) scales the table.
    """
    percent = tf.where(
        quality < 50.0, tf.floor(5000.0 / quality), 200.0 - 2.0 * quality
    )
    table = tf.constant(LUMINANCE.ravel())
    steps = tf.floor((table * percent[:, None] + 50.0) / 100.0)
    return tf.clip_by_value(steps, 1.0, 255.0)[:, None]


def _cosines() -> np.ndarray:
    """Transform float32 [64, 64]: a block, in a row, times it is its DCT.

    That of ITU-T T.81, A.3.3, which is orthonormal.
    """
    frequency, place = np.mgrid[:BLOCK, :BLOCK]
    cosines = np.cos((2 * place + 1) * frequency * np.pi / (2 * BLOCK)) / 2
    cosines[0] /= np.sqrt(2)
    return np.kron(cosines, cosines).T.astype(np.float32)


def _split(planes: tf.Tensor) -> tf.Tensor:
    """[B, C, S, S] -> [B, blocks, 64]."""
    batch, channels, side, _ = planes.shape
    across = side // BLOCK
    parts = [batch, channels * across, BLOCK, across, BLOCK]
    rows = tf.transpose(tf.reshape(planes, parts), [0, 1, 3, 2, 4])
    return tf.reshape(rows, [batch, -1, BLOCK**2])


def _join(blocks: tf.Tensor, shape: tf.TensorShape) -> tf.Tensor:
    """The opposite of `_split`; `shape` is that of the result."""
    batch, channels, side, _ = shape
    across = side // BLOCK
    parts = [batch, channels * across, across, BLOCK, BLOCK]
    rows = tf.transpose(tf.reshape(blocks, parts), [0, 1, 3, 2, 4])
    return tf.reshape(rows, shape)

"""The one deterministic way from an encoded image to a model's pixels.

Training, evaluation, calibration and the exported bytes signature all call
`prepare_image`; the device runtime does the same in numpy and a test compares
the two. Nothing random belongs here, and there is no training switch.
"""

import tensorflow as tf


def decode_image(encoded: tf.Tensor) -> tf.Tensor:
    """Decodes one JPEG, PNG, GIF (first frame) or BMP image.

    Args:
      encoded: string scalar, the bytes of the file.

    Returns:
      uint8 [H, W, C] in [0, 255], C as stored in the file.
    """
    image = tf.io.decode_image(encoded, expand_animations=False)
    image.set_shape([None, None, None])
    return image


def prepare_image(image: tf.Tensor, *, size: int, channels: int) -> tf.Tensor:
    """Turns one decoded image into the pixels that a model takes.

    Channels first, then an antialiased bilinear resize to a square (the
    aspect ratio is not kept; skipped when the size already fits), then
    rounding, so that training sees the very values a device sends.

    Args:
      image: uint8 [H, W, C], C of 1 (grey), 2 (grey, alpha), 3 (RGB) or 4
        (RGB, alpha); alpha is dropped.
      size: height and width of the result, in pixels.
      channels: 1 for grey (0.2989 R + 0.587 G + 0.114 B), 3 for RGB.

    Returns:
      uint8 [size, size, channels] in [0, 255].
    """
    # The shape is known only when the graph runs, and what fits already is the
    # common case: a resize to the same size took half the time of reading
    # FER-2013, and the way through floats as long as decoding at 224 pixels.
    prepared = tf.cond(
        tf.reduce_all(tf.shape(image) == [size, size, channels]),
        lambda: image,
        lambda: _change(image, size, channels),
    )
    return tf.ensure_shape(prepared, [size, size, channels])


def _change(image: tf.Tensor, size: int, channels: int) -> tf.Tensor:
    pixels = _convert_channels(tf.cast(image, tf.float32), channels)
    resized = tf.cond(
        tf.reduce_all(tf.shape(pixels)[:2] == size),
        lambda: pixels,
        lambda: tf.image.resize(
            pixels, [size, size], method="bilinear", antialias=True
        ),
    )
    rounded = tf.clip_by_value(tf.round(resized), 0.0, 255.0)
    return tf.cast(rounded, tf.uint8)


def _convert_channels(pixels: tf.Tensor, channels: int) -> tf.Tensor:
    # The number of channels may be known only when the graph runs, because
    # the bytes signature decodes whatever file a client sends.
    is_colour = tf.shape(pixels)[-1] >= 3
    if channels == 1:
        return tf.cond(
            is_colour,
            lambda: tf.image.rgb_to_grayscale(pixels[..., :3]),
            lambda: pixels[..., :1],
        )
    return tf.cond(
        is_colour,
        lambda: pixels[..., :3],
        lambda: tf.repeat(pixels[..., :1], 3, axis=-1),
    )

"""What cameras and face detectors do to images, at random, for training only.

Light, a blurred and coarse image, noise and compression, in the order in which
a camera brings them about, and the loose crops of a detector. Every random
number comes from the row of uniforms of an image, as in
`trainer.data.augmentation`; noise is a hash of such numbers and of the place of
a pixel. All of it is arithmetic on whole batches, so that XLA fuses it.
"""

import math
from collections.abc import Sequence

import tensorflow as tf

from trainer.data import jpeg
from trainer.settings.augmentation import AugmentationSettings

# Uniforms that one image uses.
CROP = slice(0, 5)  # Whether, zoom, tilt, shift x and y.
LIGHT = slice(5, 13)  # Whether, gamma, dimming, gradient x and y, 3 channels.
OPTICS = slice(13, 17)  # Whether blurred, by how much, whether coarse, how.
NOISE = slice(17, 21)  # Whether, standard deviation, two for the hash.
JPEG = slice(21, 23)  # Whether, quality.
UNIFORMS = 23
# Those that a mirror turns round; for the others, see `spoil`.
LEFT_TO_RIGHT = (2, 3)


def is_on(settings: AugmentationSettings) -> bool:
    """Whether `spoil` changes anything."""
    return bool(
        _changes_light(settings)
        or settings.blur
        or settings.low_resolution
        or settings.noise
        or settings.jpeg
    )


def loosens(settings: AugmentationSettings) -> bool:
    """Whether `loosen` changes anything."""
    return bool(settings.crop_zoom or settings.crop_shift or settings.crop_tilt)


def loosen(
    u: Sequence[tf.Tensor], settings: AugmentationSettings
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Draws how a detector's crop differs from one that fits.

    Args:
      u: UNIFORMS tensors float32 [B] in [0, 1).
      settings: which differences, and how large.

    Returns:
      Angle in radians, factor of the zoom, shift x and y as fractions of the
      side, float32 [B] each: (0, 1, 0, 0) where nothing differs.
    """
    whether, zoom, tilt, shift_x, shift_y = u[CROP]
    chosen = whether < settings.crop_probability
    return (
        _some(chosen, tilt, math.radians(settings.crop_tilt)),
        tf.exp(_some(chosen, zoom, math.log1p(settings.crop_zoom))),
        _some(chosen, shift_x, settings.crop_shift),
        _some(chosen, shift_y, settings.crop_shift),
    )


def spoil(
    pixels: tf.Tensor,
    u: Sequence[tf.Tensor],
    settings: AugmentationSettings,
    *,
    is_mirrored: tf.Tensor,
) -> tf.Tensor:
    """Takes each image anew with a camera that is none too good.

    Args:
      pixels: float32 [B, S, S, C] in [0, 255].
      u: UNIFORMS tensors float32 [B] in [0, 1).
      settings: what befalls images, how much of it and how often.
      is_mirrored: bool [B]; a mirrored image is spoilt as its twin is, in
        mirror writing.

    Returns:
      float32 [B, S, S, C] in [0, 255].
    """
    planes = tf.transpose(pixels, [0, 3, 1, 2])
    if _changes_light(settings):
        planes = _light(planes, u[LIGHT], settings, is_mirrored=is_mirrored)
    if settings.blur or settings.low_resolution:
        planes = _soften(planes, u[OPTICS], settings)
    if settings.noise:
        planes = _add_noise(planes, u[NOISE], settings, is_mirrored=is_mirrored)
    if settings.jpeg:
        planes = _compress(planes, u[JPEG], settings)
    # Sums and quotients may be an ulp too large.
    planes = tf.clip_by_value(planes, 0.0, 255.0)
    return tf.transpose(planes, [0, 2, 3, 1])


def _changes_light(settings: AugmentationSettings) -> bool:
    return bool(
        settings.gamma
        or settings.dimming
        or settings.gradient
        or settings.colour_cast
    )


def _some(chosen: tf.Tensor, uniform: tf.Tensor, largest: float) -> tf.Tensor:
    """Up to `largest` either way in the chosen images, else 0."""
    return tf.where(chosen, (2.0 * uniform - 1.0) * largest, 0.0)


def _wide(values: tf.Tensor) -> tf.Tensor:
    """[B] -> [B, 1, 1, 1]."""
    return values[:, None, None, None]


def _light(
    planes: tf.Tensor,
    u: Sequence[tf.Tensor],
    settings: AugmentationSettings,
    *,
    is_mirrored: tf.Tensor,
) -> tf.Tensor:
    """Scales the light of each place and channel, then bends the tones."""
    whether, gamma, dimming, slope_x, slope_y, *colours = u
    chosen = whether < settings.light_probability
    place = tf.linspace(-1.0, 1.0, planes.shape[-1])
    slope_x = tf.where(is_mirrored, 1.0 - slope_x, slope_x)
    slope_x = _wide(_some(chosen, slope_x, settings.gradient))
    slope_y = _wide(_some(chosen, slope_y, settings.gradient))
    gain = 1.0 + slope_x * place + slope_y * place[:, None]
    gain *= 1.0 - _wide(tf.where(chosen, dimming * settings.dimming, 0.0))
    if planes.shape[1] == 3:
        cast = [_some(chosen, c, settings.colour_cast) for c in colours]
        gain *= 1.0 + tf.stack(cast, axis=1)[:, :, None, None]
    lit = tf.clip_by_value(planes * gain, 0.0, 255.0)
    exponent = tf.exp(_some(chosen, gamma, math.log1p(settings.gamma)))
    return _bend(lit, tf.where(chosen, exponent, 1.0))


def _bend(planes: tf.Tensor, exponent: tf.Tensor) -> tf.Tensor:
    """Moves black, mid grey and white where a power would send them.

    Schlick's bias (Fast Alternatives to Perlin's Bias and Gain Functions,
    Graphics Gems IV, 1994): one division, where a power takes two
    transcendental functions.
    """
    bend = tf.exp(exponent * math.log(2.0)) - 2.0
    bend = _wide(tf.where(exponent == 1.0, 0.0, bend))
    return planes / (bend * (1.0 - planes / 255.0) + 1.0)


def _soften(
    planes: tf.Tensor, u: Sequence[tf.Tensor], settings: AugmentationSettings
) -> tf.Tensor:
    """Blurs, then reads on a coarse grid and between its places.

    Both are one matrix for rows and columns alike, [B, S, S].
    """
    size = planes.shape[-1]
    is_blurred, blur, is_coarse, coarse = u
    blur = tf.where(
        is_blurred < settings.blur_probability, blur * settings.blur, 0.0
    )
    coarse = tf.where(
        is_coarse < settings.low_resolution_probability,
        coarse * settings.low_resolution,
        0.0,
    )
    variance = tf.square(blur * size)
    if settings.low_resolution:
        cells = tf.maximum(tf.round(size * (1.0 - coarse)), 2.0)
        matrix = _read_coarsely(size, cells[:, None], variance)
    else:
        place = tf.range(size, dtype=tf.float32)[None]
        matrix = _average_around(place, size, variance)
    matrix = matrix[:, None]
    return tf.matmul(matrix @ planes, matrix, transpose_b=True)


def _read_coarsely(
    size: int, cells: tf.Tensor, variance: tf.Tensor
) -> tf.Tensor:
    """Makes the matrix [B, size, size] of a smaller image, made larger again.

    Each of `cells` [B, 1] is an average with Gaussian weights, whose variance
    is that of the triangle with which Pillow's BILINEAR makes images smaller;
    between their centres it is linear, and as many cells as pixels are the
    pixels themselves.
    """
    scale = size / cells
    place = (tf.range(size, dtype=tf.float32) + 0.5) / scale - 0.5
    place = tf.clip_by_value(place, 0.0, cells - 1.0)
    first = tf.floor(place)
    weight = (place - first)[:, :, None]
    is_smaller = cells[:, 0] < size
    variance += tf.where(is_smaller, tf.square(scale[:, 0]) / 6.0, 0.0)
    one, other = (
        _average_around((cell + 0.5) * scale - 0.5, size, variance)
        for cell in (first, tf.minimum(first + 1.0, cells - 1.0))
    )
    return one + (other - one) * weight


def _average_around(
    centre: tf.Tensor, size: int, variance: tf.Tensor
) -> tf.Tensor:
    """Gaussian weights [B, S, size] around centres [B or 1, S]; sum 1."""
    distance = tf.range(size, dtype=tf.float32) - centre[:, :, None]
    sharpness = 0.5 / tf.maximum(variance, 1e-3)
    weights = tf.exp(-tf.square(distance) * sharpness[:, None, None])
    return weights / tf.reduce_sum(weights, axis=-1, keepdims=True)


def _add_noise(
    planes: tf.Tensor,
    u: Sequence[tf.Tensor],
    settings: AugmentationSettings,
    *,
    is_mirrored: tf.Tensor,
) -> tf.Tensor:
    """Adds Gaussian noise, of its own in each pixel and channel."""
    whether, deviation, *key = u
    deviation = tf.where(
        whether < settings.noise_probability, deviation * settings.noise, 0.0
    )
    size = planes.shape[-1]
    column = tf.range(size)
    column = tf.where(is_mirrored[:, None], size - 1 - column, column)
    row = tf.range(planes.shape[1] * size) * size
    place = row[:, None] + column[:, None]
    noise = tf.reshape(_hash_to_normal(key, place), planes.shape)
    return tf.clip_by_value(planes + noise * _wide(deviation), 0.0, 255.0)


def _hash_to_normal(key: Sequence[tf.Tensor], place: tf.Tensor) -> tf.Tensor:
    """Standard normal numbers at int32 places [B, ., .], by pairs of uniforms.

    Of 32 random bits, 24 are counted (a binomial number) and 8 fill the steps
    between such counts: its moments are those of a normal number up to the
    fourth, which is 2.92 instead of 3.
    """
    whole = [tf.cast(part * 2.0**24, tf.uint32) for part in key]
    seed = _scramble(whole[0] + _scramble(whole[1]))[:, None, None]
    # Steps of the golden ratio: neighbours differ in many bits.
    step = tf.constant(0x9E3779B9, tf.uint32)
    bits = _scramble(tf.bitcast(place, tf.uint32) * step + seed)
    bits = tf.bitcast(bits, tf.int32)
    low = tf.bitwise.bitwise_and(bits, 255)
    ones = tf.raw_ops.PopulationCount(x=tf.bitwise.bitwise_xor(bits, low))
    spread = (tf.cast(low, tf.float32) + 0.5) / 256.0 - 0.5
    return (tf.cast(ones, tf.float32) - 12.0 + spread) / math.sqrt(6 + 1 / 12)


def _scramble(bits: tf.Tensor) -> tf.Tensor:
    """The finalizer of MurmurHash3 (Appleby, 2011, fmix32), on uint32."""
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        shifted = tf.bitwise.right_shift(bits, tf.constant(shift, tf.uint32))
        bits = tf.bitwise.bitwise_xor(bits, shifted)
        bits *= tf.constant(factor, tf.uint32)
    return bits


def _compress(
    planes: tf.Tensor, u: Sequence[tf.Tensor], settings: AugmentationSettings
) -> tf.Tensor:
    """Compresses each image with a quality of its own."""
    whether, quality = u
    quality = settings.jpeg + quality * (100.0 - settings.jpeg)
    compressed = jpeg.compress(planes, tf.round(quality))
    chosen = _wide(whether < settings.jpeg_probability)
    return tf.where(chosen, compressed, planes)

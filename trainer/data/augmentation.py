"""The random image path: whole batches, stateless, for training only.

Every random number of an image is drawn up front as one row of uniforms, so
an image's augmentation depends on the seed, the step and its place in the
global batch, and not on how many devices share that batch. Evaluation,
calibration and serving must never import this module.
"""

import functools
import math
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from trainer.data import cameras
from trainer.settings.augmentation import AugmentationSettings

# Uniforms that one image uses: flip, rotation, zoom, shift x and y,
# brightness, contrast, then erasing: whether, area, aspect, x, y, grey.
_OWN = 13
# Those of cameras follow.
UNIFORMS = _OWN + cameras.UNIFORMS
# Those that a mirror turns round: flip, rotation, shift x, x of what is erased.
_LEFT_TO_RIGHT = (0, 1, 3, 11, *(_OWN + i for i in cameras.LEFT_TO_RIGHT))

# Area and aspect ratio of an erased rectangle: Zhong et al., Random Erasing
# Data Augmentation (arXiv 1708.04896), section 3.2; the upper area is half of
# theirs, because on a 48-pixel face 0.4 hides the mouth and the eyes at once.
ERASED_AREA = (0.02, 0.2)
ERASED_ASPECT = (0.3, 1 / 0.3)


def draw_uniforms(
    batch_size: int, *, seed: tf.Tensor, epoch: tf.Tensor, step: tf.Tensor
) -> tf.Tensor:
    """Draws the random numbers of one global batch.

    Args:
      batch_size: images in the global batch.
      seed: integer scalar, the seed of the run.
      epoch: integer scalar, which epoch of the run it is.
      step: integer scalar, which step of the epoch it is.

    Returns:
      float32 [batch_size, UNIFORMS] in [0, 1).
    """
    own = _seed_of(seed, epoch, step)
    # A seed of their own, so that those from before there were cameras stay.
    others = tf.random.fold_in(own, cameras.UNIFORMS)
    seeds = {_OWN: own, cameras.UNIFORMS: others}
    draw = tf.random.stateless_uniform
    return tf.concat([draw([batch_size, n], s) for n, s in seeds.items()], 1)


def draw_view(count: int, view: tf.Tensor) -> tf.Tensor:
    """Draws the random numbers of a view of all training images.

    Like the images themselves, a view is the same whatever the seed of a run.

    Args:
      count: how many images there are.
      view: integer scalar from 0 on.

    Returns:
      float32 [count, UNIFORMS] in [0, 1).
    """
    # Epochs count from 0, so that none shows the same.
    return draw_uniforms(count, seed=0, epoch=-1 - view, step=0)


def spoil_anew(view: tf.Tensor, fresh: tf.Tensor) -> tf.Tensor:
    """Returns a view's random numbers, [B, UNIFORMS], with fresh cameras."""
    kept = _OWN + cameras.CROP.stop
    return tf.concat([view[:, :kept], fresh[:, kept:]], axis=1)


def mirror(uniforms: tf.Tensor) -> tf.Tensor:
    """Returns the random numbers with which `augment` gives mirror images.

    Args:
      uniforms: float32 [B, UNIFORMS] in [0, 1), from `draw_uniforms`.
    """
    is_turned = np.isin(np.arange(UNIFORMS), _LEFT_TO_RIGHT)
    return tf.where(is_turned, 1.0 - uniforms, uniforms)


def draw_fractions(
    batch_size: int,
    alpha: float,
    *,
    seed: tf.Tensor,
    epoch: tf.Tensor,
    step: tf.Tensor,
) -> tf.Tensor:
    """Draws each example's fraction of a mixture of two.

    Args:
      alpha: both parameters of the Beta distribution, above 0.

    The other arguments are those of `draw_uniforms`.

    Returns:
      float32 [batch_size] in [0.5, 1]: an example outweighs its partner, so
      that mixing in pairs never yields the same mixture twice.
    """
    # The quotient of two such Gamma variables is Beta distributed.
    gammas = tf.random.stateless_gamma(
        [2, batch_size], _seed_of(seed, epoch, step) + 1, alpha
    )
    fraction = gammas[0] / tf.maximum(gammas[0] + gammas[1], 1e-20)
    return tf.maximum(fraction, 1.0 - fraction)


def mix(
    batch: tuple[tf.Tensor, tf.Tensor],
    partner: tuple[tf.Tensor, tf.Tensor],
    fraction: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Mixes examples with their partners.

    Args:
      batch: images float32 [B, S, S, C] and targets float32 [B, K].
      partner: the same of the partners.
      fraction: float32 [B], how much of each example is kept.

    Returns:
      Images and targets, as in `batch`.
    """
    wide = fraction[:, None, None, None]
    return (
        batch[0] * wide + partner[0] * (1.0 - wide),
        batch[1] * fraction[:, None] + partner[1] * (1.0 - fraction[:, None]),
    )


def augment(
    images: tf.Tensor, uniforms: tf.Tensor, settings: AugmentationSettings
) -> tf.Tensor:
    """Changes each image of a batch at random.

    Args:
      images: uint8 [B, S, S, C] in [0, 255].
      uniforms: float32 [B, UNIFORMS] in [0, 1), from `draw_uniforms`.
      settings: which changes, and how large.

    Returns:
      float32 [B, S, S, C] in [0, 255].
    """
    if settings.is_off:
        return tf.cast(images, tf.float32)
    return _compile(settings)(images, uniforms)


@functools.cache
def _compile(
    settings: AugmentationSettings,
) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Fused by XLA it takes a third of the time of TensorFlow's own ops.

    Cameras are a program of their own: in one, XLA reads each pixel between
    others once for every use that they make of it.
    """
    jit = functools.partial(tf.function, jit_compile=True)
    own = jit(lambda images, u: _augment(images, u, settings))
    if not cameras.is_on(settings):
        return own
    spoil = jit(lambda pixels, u: _spoil(pixels, u, settings))
    return lambda images, u: spoil(own(images, u), u)


def _augment(
    images: tf.Tensor, uniforms: tf.Tensor, settings: AugmentationSettings
) -> tf.Tensor:
    pixels = tf.cast(images, tf.float32)
    u = tf.unstack(uniforms, num=UNIFORMS, axis=1)
    if _moves(settings):
        pixels = _move(pixels, u, settings)
    if settings.brightness or settings.contrast:
        pixels = _relight(pixels, u[5:7], settings)
    if settings.erasing:
        pixels = _erase(pixels, u[7:_OWN], settings.erasing)
    return pixels


def _spoil(
    pixels: tf.Tensor, uniforms: tf.Tensor, settings: AugmentationSettings
) -> tf.Tensor:
    u = tf.unstack(uniforms, num=UNIFORMS, axis=1)
    is_mirrored = u[0] < (0.5 if settings.flip else 0.0)
    return cameras.spoil(pixels, u[_OWN:], settings, is_mirrored=is_mirrored)


def _seed_of(seed: tf.Tensor, epoch: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
    pair = tf.stack([tf.cast(seed, tf.int64), tf.cast(epoch, tf.int64)])
    return tf.random.fold_in(pair, tf.cast(step, tf.int64))


def _moves(settings: AugmentationSettings) -> bool:
    return bool(
        settings.flip
        or settings.rotation
        or settings.zoom
        or settings.shift
        or cameras.loosens(settings)
    )


def _symmetric(uniform: tf.Tensor, largest: float) -> tf.Tensor:
    return (2.0 * uniform - 1.0) * largest


def _move(
    pixels: tf.Tensor, u: Sequence[tf.Tensor], settings: AugmentationSettings
) -> tf.Tensor:
    """Flips, rotates, zooms and shifts in a single resampling.

    `u` are all the uniforms of the images.
    """
    size = pixels.shape[1]
    mirror = tf.where(u[0] < 0.5, -1.0, 1.0) if settings.flip else 1.0
    angle = _symmetric(u[1], math.radians(settings.rotation))
    zoom = 1.0 + _symmetric(u[2], settings.zoom)
    shift_x = _symmetric(u[3], settings.shift * size)
    shift_y = _symmetric(u[4], settings.shift * size)
    if cameras.loosens(settings):
        turn, scale, right, down = cameras.loosen(u[_OWN:], settings)
        angle, zoom = angle + turn, zoom * scale
        shift_x, shift_y = shift_x + right * size, shift_y + down * size
    # An output pixel is mapped to the place it is read from, so zooming in
    # divides. It turns about the centre of the image.
    cos, sin = tf.cos(angle) / zoom, tf.sin(angle) / zoom
    centre = (size - 1) / 2
    place = tf.range(size, dtype=tf.float32) - centre
    x = place[None, None, :] - shift_x[:, None, None]
    y = place[None, :, None] - shift_y[:, None, None]
    cos, sin = cos[:, None, None], sin[:, None, None]
    return _read_between(
        pixels,
        centre + tf.reshape(mirror, [-1, 1, 1]) * (cos * x - sin * y),
        centre + sin * x + cos * y,
    )


def _read_between(pixels: tf.Tensor, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Bilinear values at places [B, S, S]; beyond the edge is the edge."""
    batch, size, _, channels = pixels.shape
    x = tf.clip_by_value(x, 0.0, size - 1.0)
    y = tf.clip_by_value(y, 0.0, size - 1.0)
    # One below the last, so that each place has a neighbour on either side.
    left = tf.minimum(tf.floor(x), size - 2.0)
    top = tf.minimum(tf.floor(y), size - 2.0)
    weight_x, weight_y = (x - left)[..., None], (y - top)[..., None]
    first = tf.range(batch)[:, None, None] * size**2
    index = first + tf.cast(top, tf.int32) * size + tf.cast(left, tf.int32)
    flat = tf.reshape(pixels, [-1, channels])
    rows = []
    for row in (index, index + size):
        one, other = tf.gather(flat, row), tf.gather(flat, row + 1)
        rows.append(one + (other - one) * weight_x)
    return rows[0] + (rows[1] - rows[0]) * weight_y


def _relight(
    pixels: tf.Tensor, u: Sequence[tf.Tensor], settings: AugmentationSettings
) -> tf.Tensor:
    """Scales the distance from mid grey, then shifts all levels."""
    offset = _symmetric(u[0], settings.brightness * 255.0)
    factor = 1.0 + _symmetric(u[1], settings.contrast)
    offset, factor = offset[:, None, None, None], factor[:, None, None, None]
    lit = (pixels - 127.5) * factor + 127.5 + offset
    return tf.clip_by_value(lit, 0.0, 255.0)


def _erase(
    pixels: tf.Tensor, u: Sequence[tf.Tensor], probability: float
) -> tf.Tensor:
    """Covers a rectangle with one grey level in some of the images."""
    size = pixels.shape[1]
    area = (ERASED_AREA[0] + u[1] * (ERASED_AREA[1] - ERASED_AREA[0])) * size**2
    low, high = (math.log(ratio) for ratio in ERASED_ASPECT)
    aspect = tf.exp(low + u[2] * (high - low))
    height = tf.minimum(tf.sqrt(area * aspect), float(size))
    width = tf.minimum(tf.sqrt(area / aspect), float(size))
    rows = _covers(u[3], height, size)[:, :, None]
    columns = _covers(u[4], width, size)[:, None, :]
    chosen = (u[0] < probability)[:, None, None]
    mask = (rows & columns & chosen)[..., None]
    return tf.where(mask, (u[5] * 255.0)[:, None, None, None], pixels)


def _covers(uniform: tf.Tensor, length: tf.Tensor, size: int) -> tf.Tensor:
    """bool [B, size]: which rows (or columns) an interval covers."""
    start = (uniform * (size - length))[:, None]
    position = tf.range(size, dtype=tf.float32)[None] + 0.5
    return (position >= start) & (position < start + length[:, None])

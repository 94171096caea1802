"""The loss of JPEG, against the files of Pillow."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from trainer.data import jpeg

QUALITIES = (1, 5, 10, 25, 49, 50, 75, 90, 100)


def pictures(count=8, size=48):
    rng = np.random.default_rng(1)
    coarse = rng.uniform(40, 215, (count, 9, 9, 1))
    smooth = tf.image.resize(coarse, [size, size]).numpy()[..., 0]
    noisy = smooth + rng.normal(0, 6, smooth.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def compress(images, quality):
    planes = tf.constant(images[:, None], tf.float32)
    qualities = tf.fill([len(images)], float(quality))
    return np.asarray(jpeg.compress(planes, qualities))[:, 0]


def stored(image, quality):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, format="jpeg", quality=quality)
    return Image.open(stream)


@pytest.mark.parametrize("quality", QUALITIES)
def test_steps_are_those_of_a_file(quality):
    steps = np.asarray(jpeg.quantisation(tf.constant([float(quality)])))
    # Pillow says them row by row.
    table = stored(pictures(1)[0], quality).quantization[0]
    np.testing.assert_array_equal(steps.ravel(), table)


@pytest.mark.parametrize("quality", QUALITIES)
def test_images_are_those_of_a_file(quality):
    images = pictures()
    ours = compress(images, quality)
    files = np.stack([stored(image, quality) for image in images])
    difference = np.abs(ours - files)
    # An encoder rounds a few coefficients the other way, as its DCT has whole
    # numbers, and shifts a block with them. All else is whole grey levels.
    assert np.mean(difference > 1.5) < 0.08
    assert difference.mean() < 0.5
    if quality <= 50:
        assert difference.mean() < np.abs(ours - images).mean() / 5


def test_images_of_a_batch_have_their_own_qualities():
    images = pictures(2)
    planes = tf.constant(images[:, None], tf.float32)
    both = jpeg.compress(planes, tf.constant([5.0, 90.0]))
    for row, quality in enumerate((5, 90)):
        alone = compress(images[row : row + 1], quality)
        np.testing.assert_allclose(both[row], alone, atol=0.01)


@pytest.mark.parametrize("size", [8, 44, 45, 47])
def test_any_side_and_flat_images_are_kept(size):
    flat = np.full([1, size, size], 128, np.uint8)
    np.testing.assert_allclose(compress(flat, 10), flat, atol=1e-3)
    images = pictures(2, size)
    assert compress(images, 10).shape == images.shape
    assert np.abs(compress(images, 98) - images).mean() < 1

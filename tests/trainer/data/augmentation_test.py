import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from trainer.data import augmentation
from trainer.settings.model_and_data import AugmentationSettings

EVERYTHING = AugmentationSettings(
    flip=True,
    rotation=10,
    shift=0.1,
    zoom=0.1,
    brightness=0.1,
    contrast=0.2,
    erasing=0.5,
)
EACH = [
    AugmentationSettings(**{field.name: getattr(EVERYTHING, field.name)})
    for field in dataclasses.fields(AugmentationSettings)
]


def name_of(settings):
    changed = dataclasses.asdict(settings).items()
    return "-".join(name for name, value in changed if value)


def faces(count=8, size=48):
    """Smooth pictures, so that a small move is a small change."""
    rng = np.random.default_rng(1)
    coarse = rng.uniform(40, 215, (count, 6, 6, 1))
    return tf.cast(tf.image.resize(coarse, [size, size]), tf.uint8)


def draw(count=8, epoch=0, step=0, seed=0):
    return augmentation.draw_uniforms(count, seed=seed, epoch=epoch, step=step)


def test_nothing_on_changes_nothing():
    images = faces()
    result = augmentation.augment(images, draw(), AugmentationSettings())
    np.testing.assert_array_equal(result, tf.cast(images, tf.float32))


@pytest.mark.parametrize("settings", EACH, ids=name_of)
def test_each_setting_changes_pictures_within_the_range(settings):
    images = faces()
    result = augmentation.augment(images, draw(), settings)
    assert result.dtype == tf.float32
    assert result.shape == images.shape
    assert float(tf.reduce_min(result)) >= 0
    assert float(tf.reduce_max(result)) <= 255
    assert np.abs(result - tf.cast(images, tf.float32)).max() > 5


@pytest.mark.parametrize("name", ["brightness", "contrast"])
def test_light_stays_within_the_range(name):
    images = np.zeros((64, 8, 8, 1), np.uint8)
    images[:, 4:] = 255
    result = augmentation.augment(
        images, draw(64), AugmentationSettings(**{name: 0.5})
    )
    assert float(tf.reduce_min(result)) == 0
    assert float(tf.reduce_max(result)) == 255


@pytest.mark.parametrize("settings", [EVERYTHING, *EACH], ids=name_of)
def test_eager_and_mapped_agree(settings):
    images, uniforms = faces(), draw()
    dataset = tf.data.Dataset.from_tensors((images, uniforms)).map(
        lambda x, u: augmentation.augment(x, u, settings)
    )
    mapped = next(iter(dataset))
    eager = augmentation.augment(images, uniforms, settings)
    np.testing.assert_allclose(eager, mapped, atol=0.01)


def test_flip_is_an_exact_mirror_of_about_half():
    images = tf.cast(faces(200), tf.float32)
    flipped = augmentation.augment(
        tf.cast(images, tf.uint8), draw(200), AugmentationSettings(flip=True)
    )
    same = np.all(np.isclose(flipped, images, atol=0.01), axis=(1, 2, 3))
    mirrored = np.all(
        np.isclose(flipped, images[:, :, ::-1], atol=0.01), axis=(1, 2, 3)
    )
    assert np.all(same ^ mirrored)
    assert 70 <= mirrored.sum() <= 130


def test_rotation_turns_about_the_centre():
    images = faces(1)
    uniforms = np.full((1, augmentation.UNIFORMS), 0.5, np.float32)
    uniforms[0, 1] = 1.0
    turned = augmentation.augment(
        images, tf.constant(uniforms), AugmentationSettings(rotation=90)
    )
    # A quarter turn is exact: no pixel falls between others.
    expected = np.rot90(np.asarray(images)[0])
    np.testing.assert_allclose(turned[0], expected, atol=0.1)


def test_shift_and_zoom_go_as_far_as_they_say():
    images = np.zeros((2, 48, 48, 1), np.uint8)
    images[:, 20:28, 20:28] = 255
    uniforms = np.full((2, augmentation.UNIFORMS), 0.5, np.float32)
    uniforms[0, 3] = 1.0
    shifted = augmentation.augment(
        images[:1], tf.constant(uniforms[:1]), AugmentationSettings(shift=0.25)
    ).numpy()[0, :, :, 0]
    assert np.argwhere(shifted > 127).min(axis=0).tolist() == [20, 32]
    uniforms[1, 2] = 1.0
    zoomed = augmentation.augment(
        images[1:], tf.constant(uniforms[1:]), AugmentationSettings(zoom=0.5)
    ).numpy()[0, :, :, 0]
    assert np.argwhere(zoomed > 127).min(axis=0).tolist() == [18, 18]
    assert np.argwhere(zoomed > 127).max(axis=0).tolist() == [29, 29]


def test_erasing_covers_at_most_a_fifth_of_some():
    images = tf.fill([400, 48, 48, 1], tf.constant(10, tf.uint8))
    result = augmentation.augment(
        images, draw(400), AugmentationSettings(erasing=0.5)
    )
    covered = np.mean(np.asarray(result) != 10, axis=(1, 2, 3))
    assert 140 < np.count_nonzero(covered) < 260
    assert covered.max() < 0.25


@pytest.mark.parametrize(
    "other", [{"epoch": 1}, {"step": 1}, {"seed": 1}], ids=str
)
def test_draws_repeat_and_differ(other):
    np.testing.assert_array_equal(draw(), draw())
    assert not np.any(draw() == draw(**other))

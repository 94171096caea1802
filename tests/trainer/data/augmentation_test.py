import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from trainer.data import augmentation
from trainer.settings.augmentation import AugmentationSettings

EVERYTHING = AugmentationSettings(
    **{"flip": True, "rotation": 10, "shift": 0.1, "zoom": 0.1},
    **{"brightness": 0.1, "contrast": 0.2, "erasing": 0.5},
    **{"noise": 30, "blur": 0.05, "low_resolution": 0.7, "jpeg": 5},
    **{"gamma": 1, "dimming": 0.6, "gradient": 0.5},
    **{"crop_zoom": 0.5, "crop_shift": 0.2, "crop_tilt": 30},
)
PLACES = {"rotation": 1, "zoom": 2, "shift": 3}
EACH = [
    AugmentationSettings(**{field.name: getattr(EVERYTHING, field.name)})
    for field in dataclasses.fields(AugmentationSettings)
    if getattr(EVERYTHING, field.name) != field.default
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


def augment(images, uniforms=None, **settings):
    """Changes pictures by these settings; uniforms are drawn or given."""
    uniforms = draw(len(images)) if uniforms is None else uniforms
    settings = AugmentationSettings(**settings)
    return augmentation.augment(images, tf.constant(uniforms), settings).numpy()


def middle(**others):
    """Uniforms of one picture that change nothing but for these places."""
    uniforms = np.full((1, augmentation.UNIFORMS), 0.5, np.float32)
    for place, value in others.items():
        uniforms[0, PLACES[place]] = value
    return uniforms


def test_nothing_on_changes_nothing():
    np.testing.assert_array_equal(augment(faces()), faces())


@pytest.mark.parametrize("settings", EACH, ids=name_of)
def test_each_setting_changes_pictures_within_the_range(settings):
    images = faces()
    result = augmentation.augment(images, draw(), settings)
    assert result.dtype == tf.float32
    assert result.shape == images.shape
    assert 0 <= np.min(result) <= np.max(result) <= 255
    assert np.abs(result - tf.cast(images, tf.float32)).max() > 5


@pytest.mark.parametrize("name", ["brightness", "contrast"])
def test_light_stays_within_the_range(name):
    images = np.zeros((64, 8, 8, 1), np.uint8)
    images[:, 4:] = 255
    result = augment(images, **{name: 0.5})
    assert (result.min(), result.max()) == (0, 255)


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
    images = np.asarray(faces(200))
    flipped = augment(images, flip=True)
    same, mirrored = (
        np.isclose(flipped, other, atol=0.01).all(axis=(1, 2, 3))
        for other in (images, images[:, :, ::-1])
    )
    assert np.all(same ^ mirrored)
    assert 70 <= mirrored.sum() <= 130


def test_rotation_turns_about_the_centre():
    images = np.asarray(faces(1))
    turned = augment(images, middle(rotation=1), rotation=90)
    # A quarter turn is exact: no pixel falls between others.
    np.testing.assert_allclose(turned[0], np.rot90(images[0]), atol=0.1)


@pytest.mark.parametrize(
    ("name", "value", "first", "last"),
    [("shift", 0.25, [20, 32], [27, 39]), ("zoom", 0.5, [18, 18], [29, 29])],
)
def test_shift_and_zoom_go_as_far_as_they_say(name, value, first, last):
    images = np.zeros((1, 48, 48, 1), np.uint8)
    images[:, 20:28, 20:28] = 255
    result = augment(images, middle(**{name: 1.0}), **{name: value})
    lit = np.argwhere(result[0, :, :, 0] > 127)
    assert [*lit.min(axis=0)] == first
    assert [*lit.max(axis=0)] == last


def test_erasing_covers_at_most_a_fifth_of_some():
    result = augment(np.full([400, 48, 48, 1], 10, np.uint8), erasing=0.5)
    covered = np.mean(result != 10, axis=(1, 2, 3))
    assert 140 < np.count_nonzero(covered) < 260
    assert covered.max() < 0.25


@pytest.mark.parametrize(
    "other", [{"epoch": 1}, {"step": 1}, {"seed": 1}], ids=str
)
def test_draws_repeat_and_differ(other):
    np.testing.assert_array_equal(draw(), draw())
    assert not np.any(draw() == draw(**other))

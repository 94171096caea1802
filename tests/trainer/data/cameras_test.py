"""What cameras do to images, each as strong and as often as it says."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from trainer.data import augmentation
from trainer.data import cameras
from trainer.settings.augmentation import AugmentationSettings

OFFSET = augmentation.UNIFORMS - cameras.UNIFORMS
HALF, HIGHEST = 0.5, 1.0 - 2.0**-24
# name -> settings under which every image is changed, if it is chosen.
EACH = {
    "noise": {"noise": 30},
    "blur": {"blur": 0.08},
    "low_resolution": {"low_resolution": 0.8},
    "jpeg": {"jpeg": 5},
    "light": {"gamma": 1.0, "dimming": 0.6, "gradient": 0.5},
    "crop": {"crop_zoom": 0.5, "crop_shift": 0.2, "crop_tilt": 30},
}
STRENGTHS = {
    name: value for values in EACH.values() for name, value in values.items()
}
EVERYTHING = AugmentationSettings(
    **STRENGTHS, flip=True, rotation=10, erasing=0.3, colour_cast=0.4
)


def faces(count=8, size=48, channels=1):
    rng = np.random.default_rng(1)
    coarse = rng.uniform(40, 215, (count, 6, 6, channels))
    smooth = tf.image.resize(coarse, [size, size]).numpy()
    grain = rng.normal(0, 8, smooth.shape)
    return np.clip(smooth + grain, 0, 255).astype(np.uint8)


def grey(count=8, level=128, size=48, channels=1):
    return np.full([count, size, size, channels], level, np.uint8)


def augment(images, uniforms=None, **settings):
    """Augments with all chosen, unless the settings say otherwise."""
    always = {f"{name}_probability": 1.0 for name in EACH}
    if uniforms is None:
        uniforms = augmentation.draw_uniforms(
            len(images), seed=0, epoch=0, step=0
        )
    return np.asarray(
        augmentation.augment(
            images, uniforms, AugmentationSettings(**{**always, **settings})
        )
    )


def uniforms_with(count, values):
    """All in the middle but some of the cameras', by their places."""
    uniforms = np.full([count, augmentation.UNIFORMS], HALF, np.float32)
    for place, value in values.items():
        uniforms[:, OFFSET + place] = value
    return tf.constant(uniforms)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [48, 44])
@pytest.mark.parametrize("name", EACH)
def test_each_changes_the_chosen_within_the_range(name, size, channels):
    images = faces(size=size, channels=channels)
    result = augment(images, **EACH[name])
    assert result.dtype == np.float32
    assert result.shape == images.shape
    assert result.min() >= 0
    assert result.max() <= 255
    changed = np.abs(result - images).max(axis=(1, 2, 3)) > 2
    assert changed.sum() >= 6


@pytest.mark.parametrize("probability", [0.2, 0.7])
@pytest.mark.parametrize("name", EACH)
def test_as_many_are_changed_as_the_probability_says(name, probability):
    images = faces(400)
    result = augment(
        images, **EACH[name], **{f"{name}_probability": probability}
    )
    changed = np.any(result != images, axis=(1, 2, 3))
    assert abs(changed.mean() - probability) < 0.1


def test_what_is_not_chosen_keeps_every_bit():
    images = faces(64)
    spoilt = augment(images, **STRENGTHS, **dict.fromkeys(
        [f"{name}_probability" for name in EACH], 0.001
    ))  # fmt: skip
    same = np.all(spoilt == images, axis=(1, 2, 3))
    assert same.sum() >= 60


@pytest.mark.parametrize("sigma", [5, 20, 60])
def test_noise_is_normal_and_as_strong_as_it_says(sigma):
    uniforms = np.array(
        augmentation.draw_uniforms(200, seed=1, epoch=0, step=0)
    )
    uniforms[:, OFFSET + cameras.NOISE.start + 1] = HIGHEST
    noise = augment(grey(200), tf.constant(uniforms), noise=sigma) - 128
    inside = np.abs(noise) < 127
    z = noise[inside] / sigma
    if sigma <= 20:
        assert inside.all()
        assert z.std() == pytest.approx(1, abs=0.01)
        assert (z**4).mean() == pytest.approx(2.92, abs=0.06)
        within = [np.mean(np.abs(z) < limit) for limit in (0.5, 1, 2)]
        assert within == pytest.approx([0.383, 0.683, 0.954], abs=0.01)
    assert z.mean() == pytest.approx(0, abs=0.01)


def test_noise_of_neighbours_rows_and_images_is_unrelated():
    uniforms = np.array(augmentation.draw_uniforms(64, seed=1, epoch=0, step=0))
    uniforms[:, OFFSET + cameras.NOISE.start + 1] = HIGHEST
    images = grey(64, channels=3)
    noise = augment(images, tf.constant(uniforms), noise=20) / 20 - 6.4
    pairs = {
        "columns": (noise[:, :, 1:], noise[:, :, :-1]),
        "rows": (noise[:, 1:], noise[:, :-1]),
        "channels": (noise[..., 1:], noise[..., :-1]),
        "images": (noise[1:], noise[:-1]),
    }
    for name, (one, other) in pairs.items():
        assert abs(np.mean(one * other)) < 0.01, name


@pytest.mark.parametrize(("share", "size"), [(0.02, 48), (0.04, 96)])
def test_blur_is_gaussian_and_as_wide_as_it_says(share, size):
    dot = grey(1, level=0, size=size)
    dot[0, size // 2, size // 2] = 255
    blur = {cameras.OPTICS.start + 1: HIGHEST}
    spread = augment(dot, uniforms_with(1, blur), blur=share)[0, :, :, 0]
    sigma, place = share * size, np.arange(size) - size // 2
    wave = np.exp(-(place**2) / (2 * sigma**2))
    wave /= wave.sum()
    np.testing.assert_allclose(spread, 255 * np.outer(wave, wave), atol=0.02)


def test_blur_keeps_flat_images_and_lowers_high_frequencies():
    blur = {cameras.OPTICS.start + 1: HIGHEST}
    flat = augment(grey(1, 200), uniforms_with(1, blur), blur=0.05)
    np.testing.assert_allclose(flat, 200, atol=1e-3)
    board = 255 * (np.indices([48, 48]).sum(axis=0) % 2)
    board = board[None, :, :, None].astype(np.uint8)
    result = augment(board, uniforms_with(1, blur), blur=0.05)
    assert result[0, 8:-8, 8:-8].std() < 0.01 * board.std()


@pytest.mark.parametrize("loss", [0.25, 0.5, 0.75])
def test_low_resolution_leaves_what_a_smaller_image_holds(loss):
    images, cells = faces(4), round(48 * (1 - loss))
    coarse = {cameras.OPTICS.start + 3: HIGHEST}
    result = augment(images, uniforms_with(4, coarse), low_resolution=loss)
    for image, got in zip(images[..., 0], result[..., 0], strict=True):
        assert np.linalg.matrix_rank(got, tol=0.05) <= cells
        small = Image.fromarray(image).resize(
            [cells, cells], Image.Resampling.BILINEAR
        )
        again = small.resize([48, 48], Image.Resampling.BILINEAR)
        again = np.asarray(again, np.float32)
        difference = np.abs(got - again).mean()
        assert difference < 1.6
        assert difference < np.abs(got - image).mean() / 2


def test_low_resolution_ranges_from_nothing_to_what_it_says():
    images = faces(400)
    result = augment(images, low_resolution=0.75)
    ranks = [np.linalg.matrix_rank(r[..., 0], tol=0.05) for r in result]
    assert min(ranks) in (12, 13)
    assert 45 <= max(ranks) <= 48


@pytest.mark.parametrize(
    ("part", "settings"),
    [
        (cameras.NOISE, EACH["noise"]),
        (cameras.OPTICS, EACH["blur"]),
        (cameras.OPTICS, EACH["low_resolution"]),
        (cameras.JPEG, EACH["jpeg"]),
        (cameras.LIGHT, EACH["light"]),
        (cameras.CROP, EACH["crop"]),
    ],
    ids=list(EACH),
)
def test_each_draws_from_its_own_numbers(part, settings):
    """Other numbers change nothing, and each of its own but a spare does."""
    images = faces(1)
    plain = augment(images, uniforms_with(1, {}), **settings)
    moved = {
        place
        for place in range(cameras.UNIFORMS)
        if np.any(
            augment(images, uniforms_with(1, {place: 0.3}), **settings) != plain
        )
    }
    assert moved
    assert moved <= set(range(part.start, part.stop))


@pytest.mark.parametrize(
    ("settings", "uniform", "expected"),
    [
        ({"gamma": 1.0}, 1, (128 / 255) ** 2 * 255),
        ({"gamma": 3.0}, 1, (128 / 255) ** 4 * 255),
        ({"dimming": 0.75}, 2, 32),
    ],
    ids=str,
)
def test_light_of_mid_grey_is_as_low_as_it_says(settings, uniform, expected):
    light = {cameras.LIGHT.start + uniform: HIGHEST}
    result = augment(grey(1), uniforms_with(1, light), **settings)
    np.testing.assert_allclose(result, expected, atol=0.5)


@pytest.mark.parametrize("uniform", [0.0, 0.2, 0.8, HIGHEST])
def test_gamma_is_near_a_power_and_keeps_black_and_white(uniform):
    ramp = np.tile(np.linspace(0, 255, 48).astype(np.uint8), [1, 48, 1])
    light = {cameras.LIGHT.start + 1: uniform}
    result = augment(ramp[..., None], uniforms_with(1, light), gamma=0.5)
    exponent = 1.5 ** (2 * uniform - 1)
    expected = 255 * (ramp[..., None] / 255.0) ** exponent
    np.testing.assert_allclose(result, expected, atol=16)
    assert result[0, 0, 0, 0] == 0
    np.testing.assert_allclose(result[0, 0, -1, 0], 255, atol=1e-3)


@pytest.mark.parametrize(("place", "axis"), [(3, 1), (4, 0)])
def test_a_gradient_is_linear_over_the_image(place, axis):
    light = {cameras.LIGHT.start + place: HIGHEST}
    result = augment(grey(1, 100), uniforms_with(1, light), gradient=0.5)
    line = np.linspace(50, 150, 48)
    expected = np.expand_dims(line, 1 - axis) + np.zeros([48, 48])
    np.testing.assert_allclose(result[0, :, :, 0], expected, atol=0.01)


def test_a_cast_colours_channels_and_leaves_grey_images():
    first = cameras.LIGHT.start + 5
    light = {first: HIGHEST, first + 1: HALF, first + 2: 0.0}
    coloured = augment(
        grey(1, 100, channels=3), uniforms_with(1, light), colour_cast=0.4
    )
    np.testing.assert_allclose(coloured[0, 9, 9], [140, 100, 60], atol=0.01)
    plain = augment(grey(1, 100), uniforms_with(1, light), colour_cast=0.4)
    np.testing.assert_array_equal(plain, grey(1, 100))


@pytest.mark.parametrize(
    ("place", "settings", "low", "high"),
    [
        (1, {"crop_zoom": 0.5}, (18, 18), (29, 29)),
        (3, {"crop_shift": 0.25}, (20, 32), (27, 39)),
        (4, {"crop_shift": 0.25}, (32, 20), (39, 27)),
        (4, {"crop_shift": 0.1, "shift": 0.15}, (25, 20), (32, 27)),
    ],
    ids=str,
)
def test_crops_go_as_far_as_they_say(place, settings, low, high):
    square = grey(1, 0)
    square[:, 20:28, 20:28] = 255
    crop = {cameras.CROP.start + place: HIGHEST}
    result = augment(square, uniforms_with(1, crop), **settings)[0, :, :, 0]
    seen = np.argwhere(result > 127)
    assert tuple(seen.min(axis=0)) == low
    assert tuple(seen.max(axis=0)) == high


def test_a_tilt_of_a_crop_adds_to_the_rotation():
    images = faces(1)
    tilt = {cameras.CROP.start + 2: HIGHEST}
    uniforms = np.array(uniforms_with(1, tilt))
    uniforms[0, 1] = HIGHEST
    turned = augment(images, tf.constant(uniforms), rotation=60, crop_tilt=30)
    np.testing.assert_allclose(turned[0], np.rot90(images[0]), atol=0.2)


@pytest.mark.parametrize("size", [48, 44])
@pytest.mark.parametrize("name", [*EACH, "everything"])
def test_mirrored_numbers_give_mirror_images(name, size):
    settings = EVERYTHING
    if name != "everything":
        settings = AugmentationSettings(flip=True, **EACH[name])
    images = faces(64, size)
    uniforms = augmentation.draw_uniforms(64, seed=0, epoch=0, step=0)
    one = augmentation.augment(images, uniforms, settings)
    other = augmentation.augment(
        images, augmentation.mirror(uniforms), settings
    )
    # A coefficient of JPEG that lies between two steps may go either way.
    difference = np.abs(one - other[:, :, ::-1]).max(axis=(1, 2, 3))
    assert np.mean(difference > 0.05) <= (0.05 if settings.jpeg else 0)


def test_an_image_is_spoilt_alike_in_any_batch():
    images = faces(12)
    uniforms = augmentation.draw_uniforms(12, seed=0, epoch=0, step=0)
    settings = dataclasses.replace(EVERYTHING, jpeg=0)
    whole = augmentation.augment(images, uniforms, settings)
    parts = [
        augmentation.augment(images[rows], uniforms[rows], settings)
        for rows in (slice(0, 3), slice(3, 12))
    ]
    np.testing.assert_allclose(whole, np.concatenate(parts), atol=1e-3)


def test_numbers_from_before_there_were_cameras_stay():
    drawn = augmentation.draw_uniforms(8, seed=7, epoch=3, step=2)
    step = tf.constant(2, tf.int64)
    seed = tf.random.fold_in(tf.constant([7, 3], tf.int64), step)
    before = tf.random.stateless_uniform([8, OFFSET], seed)
    assert OFFSET == 13
    np.testing.assert_array_equal(drawn[:, :OFFSET], before)
    others = np.asarray(drawn[:, OFFSET:])
    assert len(np.unique(np.concatenate([before, others], axis=1))) == 8 * 36


@pytest.mark.parametrize("name", EACH)
def test_a_probability_alone_changes_nothing(name):
    settings = AugmentationSettings(**{f"{name}_probability": 0.9})
    assert settings.is_off
    assert not AugmentationSettings(**EACH[name]).is_off
    images = faces()
    np.testing.assert_array_equal(
        augment(images, **dataclasses.asdict(settings)), images
    )

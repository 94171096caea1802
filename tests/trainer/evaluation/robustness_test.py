"""What each change does to the pixels, and that the scores are of them."""

import json

import numpy as np
import pytest

from trainer.evaluation import intervals
from trainer.evaluation import robustness

BY_NAME = {change.name: change for change in robustness.CHANGES}
CASES = [(c.name, s) for c in robustness.CHANGES for s in c.strengths if s]


def faces(n=12, side=48, channels=1):
    """Smooth pictures with an edge: a ramp, and a bright box in it."""
    ramp = np.linspace(60, 180, side)
    pictures = np.tile(ramp[None, :, None, None], (n, 1, side, channels))
    pictures[:, side // 3 : side // 2, side // 3 : side // 2] = 230
    return pictures.astype(np.uint8)


def changed(name, strength, images):
    generator = np.random.default_rng(robustness.SEED)
    return BY_NAME[name].apply(images, strength, generator)


def distance(one, other):
    return np.abs(one.astype(int) - other.astype(int)).mean()


@pytest.mark.parametrize("channels", [1, 3], ids=["grey", "rgb"])
@pytest.mark.parametrize(("name", "strength"), CASES)
def test_a_change_keeps_shape_and_input_and_repeats(name, strength, channels):
    images = faces(channels=channels)
    kept = images.copy()
    result = changed(name, strength, images)
    assert (result.shape, result.dtype) == (images.shape, np.uint8)
    np.testing.assert_array_equal(images, kept)
    np.testing.assert_array_equal(result, changed(name, strength, images))
    assert distance(result, images) > 0


@pytest.mark.parametrize("name", BY_NAME)
def test_stronger_changes_change_more(name):
    images = faces()
    strengths = [s for s in BY_NAME[name].strengths if s is not None]
    if name == "Brightness":
        strengths = [s for s in strengths if s > 0]
    distances = [distance(changed(name, s, images), images) for s in strengths]
    assert distances == sorted(distances)
    assert len(set(distances)) == len(distances)


def test_blur_and_noise_have_the_sigma_they_say():
    images = np.zeros((1, 201, 201, 1), np.uint8)
    images[0, :, 100] = 255
    row = changed("Gaussian blur", 2, images)[0, 100, :, 0].astype(float)
    places = np.arange(201) - 100
    variance = (row * places**2).sum() / row.sum()
    assert np.sqrt(variance) == pytest.approx(0.02 * 201, rel=0.1)
    images = np.full((4, 48, 48, 1), 128, np.uint8)
    result = changed("Gaussian noise", 20, images)
    assert result.astype(float).std() == pytest.approx(20, rel=0.03)
    assert distance(result[0], result[1]) > 5


def test_brightness_adds_levels_and_saturates():
    images = np.array([0, 100, 230], np.uint8).reshape(1, 1, 3, 1)
    assert changed("Brightness", 40, images).ravel().tolist() == [40, 140, 255]
    assert changed("Brightness", -80, images).ravel().tolist() == [0, 20, 150]


def test_the_square_is_grey_whole_inside_and_elsewhere_each_time():
    images = np.zeros((30, 48, 48, 1), np.uint8)
    result = changed("Grey square", 50, images)
    corners = set()
    for image in result[..., 0]:
        rows, columns = np.nonzero(image)
        assert set(image[rows, columns]) == {robustness.GREY}
        assert len(rows) == 24 * 24
        assert np.ptp(rows) == np.ptp(columns) == 23
        corners.add((rows.min(), columns.min()))
    assert len(corners) > 20


def test_rotation_goes_both_ways_and_leaves_no_black_corner():
    images = np.full((20, 48, 48, 1), 100, np.uint8)
    np.testing.assert_array_equal(changed("Rotation", 30, images), images)
    images[:, :24] = 200  # bright above: a turn shows on the left edge
    left = changed("Rotation", 30, images)[:, :, 0, 0].astype(int).sum(axis=1)
    assert len(set(left)) == 2


def by_mean(images):
    """A model that tells pictures apart by their mean brightness."""
    bright = images.reshape(len(images), -1).mean(axis=1) > 100
    return np.eye(2)[bright.astype(int)]


def test_scores_are_those_of_the_changed_pictures():
    images = np.full((40, 24, 24, 1), 80, np.uint8)
    images[:20] = 120
    labels = np.array([1] * 20 + [0] * 20)
    found = robustness.measure(by_mean, images, labels)
    assert found == robustness.measure(by_mean, images, labels)
    assert (found["images"], found["seed"]) == (40, 0)
    curves = {curve["name"]: curve["points"] for curve in found["curves"]}
    assert list(curves) == list(BY_NAME)
    rows = {p["strength"]: p for p in curves["Brightness"]}
    assert list(rows) == [-80, -40, None, 40, 80]
    accuracies = [point["accuracy"] for point in rows.values()]
    # 40 more makes the dark ones bright, 40 less the bright ones dark.
    assert accuracies == [0.5, 0.5, 1.0, 0.5, 0.5]
    assert rows[40]["interval"] == list(intervals.wilson_interval(20, 40))
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_no_more_images_than_needed_the_same_ones_each_time():
    for count, side, expected in (
        (30, 8, 30),
        (2000, 8, robustness.IMAGES),
        (400, 224, robustness.IMAGES_IF_LARGE),
    ):
        rows = robustness._choose(count, side)
        assert len(rows) == expected
        assert (np.diff(rows) > 0).all()
        np.testing.assert_array_equal(rows, robustness._choose(count, side))

"""Tests of edge/boxes.py, and of crops against the training pipeline."""

import numpy as np
import pytest
import tensorflow as tf

import edge
from edge import boxes
from edge.boxes import Box
from edge.boxes import CropRule
from trainer.data import preprocessing

TIGHT = CropRule(0.0)


def noise(height, width, channels=3):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, [height, width, channels], np.uint8)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (Box(0, 0, 4, 4), Box(0, 0, 4, 4), 1.0),
        (Box(0, 0, 4, 4), Box(2, 0, 4, 4), 8 / 24),
        (Box(0, 0, 4, 4), Box(1, 1, 2, 2), 4 / 16),
        (Box(0, 0, 4, 4), Box(4, 0, 4, 4), 0.0),
        (Box(0, 0, 4, 4), Box(9, 9, 4, 4), 0.0),
        (Box(0, 0, 0, 0), Box(0, 0, 0, 0), 0.0),
    ],
    ids=["same", "half", "inside", "touching", "apart", "empty"],
)
def test_overlap(one, other, expected):
    assert boxes.overlap(one, other) == pytest.approx(expected)
    assert boxes.overlap(other, one) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("box", "margin", "expected"),
    [
        (Box(30, 40, 20, 20), 0.0, Box(30, 40, 20, 20)),
        (Box(30, 40, 20, 20), 0.25, Box(25, 35, 30, 30)),
        (Box(30, 40, 10, 20), 0.0, Box(25, 40, 20, 20)),
        (Box(-5, 40, 20, 20), 0.0, Box(0, 40, 20, 20)),
        (Box(90, 70, 20, 20), 0.0, Box(80, 60, 20, 20)),
        (Box(30, 10, 20, 60), 0.5, Box(0, 0, 100, 80)),
        (Box(-900, -900, 5, 5), 0.0, Box(0, 0, 5, 5)),
        (Box(40, 40, 0, 0), 0.0, Box(40, 40, 1, 1)),
    ],
    ids=[
        *("inside", "margin", "squared", "left", "corner", "larger"),
        *("outside", "empty"),
    ],
)
def test_square_lies_inside_a_picture_of_80_by_100(box, margin, expected):
    rule = CropRule(margin)
    assert boxes.square(box, rule, 80, width=100) == expected
    shape = boxes.crop(noise(80, 100), box, rule).shape
    assert shape == (expected.height, expected.width, 3)


def test_a_square_is_moved_up_by_a_fraction_of_the_box():
    box = Box(30, 40, 20, 20)
    moved = boxes.square(box, CropRule(0.0, 0.1), 80, width=100)
    assert moved == Box(30, 38, 20, 20)


@pytest.mark.parametrize(
    ("other", "apart"),
    [
        (Box(4, 0, 4, 4), True),
        (Box(3, 3, 4, 4), False),
        (Box(0, 4, 4, 4), True),
        (Box(1, 1, 1, 1), False),
    ],
    ids=["beside", "corner", "below", "inside"],
)
def test_boxes_are_apart_or_not(other, apart):
    one = Box(0, 0, 4, 4)
    assert boxes.is_apart(one, other) is apart
    assert boxes.is_apart(other, one) is apart


def test_a_crop_holds_the_pixels_of_its_place():
    picture = noise(80, 100)
    cut = boxes.crop(picture, Box(30, 40, 20, 20), TIGHT)
    np.testing.assert_array_equal(cut, picture[40:60, 30:50])


def test_any_crop_is_inside_and_never_empty():
    rng = np.random.default_rng(1)
    for _ in range(300):
        height, width = rng.integers(1, 60, 2).tolist()
        left, top = rng.integers(-80, 80, 2).tolist()
        box = Box(left, top, *rng.integers(0, 90, 2).tolist())
        inside = boxes.square(
            box, CropRule(*rng.uniform(0, 2, 2)), height, width=width
        )
        assert 0 <= inside.left <= inside.left + inside.width <= width
        assert 0 <= inside.top <= inside.top + inside.height <= height
        assert min(inside[2:]) >= 1


@pytest.mark.parametrize("margin", [0.0, 0.3], ids=["tight", "margin"])
@pytest.mark.parametrize("channels", [1, 3], ids=["grey", "rgb"])
def test_crops_are_prepared_as_training_prepares_them(channels, margin):
    """The same region through TensorFlow's own cropping and the trainer."""
    picture, box = noise(120, 160), Box(-7, 31, 70, 84)
    rule = CropRule(margin)
    inside = boxes.square(box, rule, 120, width=160)
    trained = preprocessing.prepare_image(
        tf.image.crop_to_bounding_box(
            picture, inside.top, inside.left, inside.height, inside.width
        ),
        size=48,
        channels=channels,
    ).numpy()
    cut = boxes.crop(picture, box, rule)
    ours = edge.prepare_picture(cut, 48, channels)
    assert np.abs(ours.astype(int) - trained.astype(int)).max() <= 1
    assert np.mean(ours != trained) < 0.02

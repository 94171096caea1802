"""Tests of evaluation/train_overlap.py: what was trained on, and the rest."""

import numpy as np
import pytest

from trainer.evaluation import intervals
from trainer.evaluation import train_overlap

IMAGES = np.arange(5 * 8, dtype=np.uint8).reshape(5, 2, 4, 1)


def test_equal_pixels_are_found_wherever_they_stand():
    train = np.concatenate([IMAGES[3:4], IMAGES[1:2], 255 - IMAGES])
    seen = train_overlap.seen_in_training(IMAGES, train_overlap.digests(train))
    assert seen.tolist() == [False, True, False, True, False]


def test_one_pixel_makes_another_image():
    changed = IMAGES.copy()
    changed[:, 0, 0] += 1
    assert not train_overlap.seen_in_training(
        changed, train_overlap.digests(IMAGES)
    ).any()


def test_rows_that_lie_apart_in_memory_count_by_their_pixels():
    spread = np.repeat(IMAGES, 2, axis=2)[:, :, ::2]
    assert train_overlap.seen_in_training(
        spread, train_overlap.digests(IMAGES)
    ).all()


def test_only_unseen_images_are_counted():
    labels = np.array([0, 1, 1, 0, 1])
    answers = np.eye(2)[[0, 1, 0, 1, 1]]
    seen = np.array([False, True, False, True, False])
    found = train_overlap.evaluate_unseen(labels, answers, seen)
    assert found == {
        "seen_in_training": 2,
        "unseen": {
            "n": 3,
            "accuracy": pytest.approx(2 / 3),
            "accuracy_interval": list(intervals.wilson_interval(2, 3)),
        },
    }


def test_nothing_is_said_where_nothing_is_left():
    found = train_overlap.evaluate_unseen(
        np.array([0]), np.eye(2)[[0]], np.array([True])
    )
    assert found == {"seen_in_training": 1, "unseen": None}

"""Tests of evaluation/train_overlap.py: what was trained on, and the rest."""

import numpy as np
import pytest

from trainer.evaluation import intervals
from trainer.evaluation import train_overlap

IMAGES = np.arange(5 * 8, dtype=np.uint8).reshape(5, 2, 4, 1)


@pytest.mark.parametrize(
    ("train", "found"),
    [
        (np.concatenate([IMAGES[3:4], IMAGES[1:2], 255 - IMAGES]), [1, 3]),
        (IMAGES + np.eye(8, dtype=np.uint8)[0].reshape(2, 4, 1), []),
        (np.repeat(IMAGES, 2, axis=2)[:, :, ::2], [0, 1, 2, 3, 4]),
    ],
    ids=["wherever they stand", "one pixel differs", "apart in memory"],
)
def test_equal_pixels_are_found(train, found):
    seen = train_overlap.seen_in_training(IMAGES, train_overlap.digests(train))
    assert np.flatnonzero(seen).tolist() == found


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
    nothing = train_overlap.evaluate_unseen(labels[:1], answers[:1], ~seen[:1])
    assert nothing == {"seen_in_training": 1, "unseen": None}

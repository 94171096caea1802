"""Tests of edge/tracks.py: numbers that stay, answers that stay calm."""

import numpy as np
import pytest

from benchmarks import edge_flicker
from edge.boxes import Box
from edge.classifier import Classifier
from edge.faces import load_detector
from edge.tracks import Tracker
from tests.edge import edge_fixtures

EVEN = np.full([1, 2], 0.5, np.float32)


def numbers(tracker, seconds, *faces):
    rows = np.tile(EVEN, [len(faces), 1])
    answers = tracker.update(seconds, list(faces), rows)
    return [number for number, _ in answers]


def face(left, top=0, size=20):
    return Box(left, top, size, size)


def test_faces_that_cross_over_in_the_list_keep_their_numbers():
    tracker = Tracker(0)
    assert numbers(tracker, 0.0, face(0), face(100)) == [1, 2]
    assert numbers(tracker, 0.1, face(97), face(3)) == [2, 1]


def test_a_face_that_moves_fast_keeps_its_number():
    tracker = Tracker(0)
    for step in range(10):
        assert numbers(tracker, step * 0.2, face(16 * step)) == [1]
    assert numbers(tracker, 2.0, face(16 * 9 + 40)) == [2]


def test_a_face_that_is_missed_for_a_moment_keeps_its_number():
    tracker = Tracker(0)
    numbers(tracker, 0.0, face(0))
    assert numbers(tracker, 0.5) == []
    assert numbers(tracker, 1.0, face(2)) == [1]
    assert numbers(tracker, 2.1, face(2)) == [2]


def test_a_new_face_beside_a_missed_one_gets_a_new_number():
    tracker = Tracker(0)
    numbers(tracker, 0.0, face(0), face(60))
    assert numbers(tracker, 0.1, face(62), face(140)) == [2, 3]


def test_two_faces_never_share_a_number():
    tracker = Tracker(0)
    numbers(tracker, 0.0, face(0))
    assert sorted(numbers(tracker, 0.1, face(0), face(4))) == [1, 2]


@pytest.mark.parametrize(
    ("smoothing_s", "kept"), [(0.5, np.exp(-1)), (0.0, 0.0)], ids=str
)
def test_one_time_constant_leaves_1_over_e_of_what_was(smoothing_s, kept):
    tracker = Tracker(smoothing_s)
    row = np.array([[1.0, 0.0]], np.float32)
    ((_, first),) = tracker.update(0.0, [face(0)], row)
    np.testing.assert_array_equal(first, row[0])
    ((_, later),) = tracker.update(0.5, [face(0)], 1 - row)
    np.testing.assert_allclose(later, [kept, 1 - kept], 1e-6)


def test_smoothing_does_not_depend_on_the_frame_rate():
    ends = []
    for fps in (10, 40):
        tracker = Tracker(0.5)
        row = np.array([[1.0, 0.0]], np.float32)
        tracker.update(0.0, [face(0)], row)
        for index in range(1, fps + 1):
            answer = tracker.update(index / fps, [face(0)], 1 - row)
        ends.append(answer[0][1])
    np.testing.assert_allclose(*ends, rtol=1e-4)


@pytest.mark.parametrize("wrong", [-0.1, float("nan"), float("inf")])
def test_wrong_smoothing_is_refused(wrong):
    with pytest.raises(ValueError, match=r"`smoothing_s` must be 0 or more"):
        Tracker(wrong)


def test_smoothed_rows_stay_probabilities():
    tracker, rng = Tracker(0.3), np.random.default_rng(0)
    for index in range(50):
        rows = rng.dirichlet([1.0] * 7, 2).astype(np.float32)
        seen = tracker.update(index / 25, [face(0), face(90)], rows)
        for _, row in seen:
            assert row.sum() == pytest.approx(1, abs=1e-5)
            assert row.min() >= 0


def test_smoothing_takes_the_flicker_away():
    """Noise as large as the lead of the true answer, 25 frames a second."""
    rng, sequence = np.random.default_rng(0), []
    for index in range(200):
        scores = np.array([0.6, 0.4, 0.0]) + rng.normal(0, 0.2, 3)
        row = (np.exp(scores) / np.exp(scores).sum()).astype(np.float32)
        sequence.append((index / 25, [face(index % 3)], row[np.newaxis]))
    before, after = (edge_flicker.flicker([sequence], s) for s in (0.0, 0.5))
    assert before > 20
    assert after <= 2


def test_flicker_of_a_video_is_counted_for_each_face():
    classifier = Classifier(edge_fixtures.model_path())
    seen = list(
        edge_flicker.look(classifier, load_detector(), edge_fixtures.VIDEO)
    )
    _, chances = edge_flicker.count_changes(seen, 0.0)
    faces = sum(len(found) for _, found, _ in seen)
    assert chances == faces - 3

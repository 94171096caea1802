"""Tests of edge/analyser.py: a detector that knows, a model of brightness."""

import pathlib

import numpy as np
import pytest

import edge
from edge.analyser import Analyser
from edge.analyser import shows_something
from edge.boxes import Box
from edge.tracks import SEARCH_EVERY
from edge.tracks import Tracker
from tests.edge import brightness
from tests.edge import detector_fixture

GROUP = (
    pathlib.Path(__file__).parents[3] / "shared/cases/group_photo/group12.jpg"
)


class Known:
    """A detector that finds what it was told, and remembers its calls."""

    name = "blazeface"

    def __init__(self, *found):
        self.found, self.calls = list(found), []

    def find(self, picture, least_px=None, **options):
        self.calls.append((least_px, options))
        return self.found


@pytest.fixture
def classifier():
    return edge.Classifier(brightness.model_path("uint8"))


def picture(height, width, level=128):
    pixels = np.full([height, width, 3], level, np.uint8)
    pixels[::2] += 20
    return pixels


@pytest.mark.parametrize(
    ("size", "is_taken"),
    [((256, 256), True), ((40, 256), True), ((40, 257), False)],
    ids=str,
)
def test_a_small_picture_without_a_face_is_taken_whole(
    classifier, size, is_taken
):
    found = Analyser(classifier, Known()).analyse(picture(*size))
    assert len(found) == is_taken
    for face in found:
        assert (face.box, face.is_found) == (Box(0, 0, *size[::-1]), False)


def test_a_frame_without_a_face_is_never_taken_whole(classifier):
    found = Analyser(classifier, Known()).analyse(picture(64, 64), Tracker(0))
    assert found == []


@pytest.mark.parametrize(
    ("level", "noise", "is_shown"),
    [(0, 0, False), (255, 0, False), (90, 3, False), (90, 4, True)],
)
def test_one_grey_level_is_no_face_to_judge(classifier, level, noise, is_shown):
    pixels = np.full([80, 80, 3], level, np.uint8)
    pixels[0, 0] += noise
    assert shows_something(pixels) == is_shown
    for detector in (None, Known(), Known(Box(0, 0, 80, 80))):
        found = Analyser(classifier, detector).analyse(pixels)
        assert len(found) == is_shown


def test_faces_of_one_grey_level_are_left_out(classifier):
    pixels = picture(100, 400)
    pixels[:, :150] = 77
    detector = Known(Box(10, 10, 40, 40), Box(300, 10, 40, 40))
    (face,) = Analyser(classifier, detector).analyse(pixels)
    assert (face.number, face.box) == (1, Box(300, 10, 40, 40))


@pytest.mark.parametrize(
    ("least", "is_sure"), [(0.0, True), (1.0, False)], ids=str
)
def test_an_improbable_answer_is_unsure(classifier, least, is_sure):
    analyser = Analyser(classifier, None, min_confidence=least)
    (face,) = analyser.analyse(picture(40, 40))
    assert face.is_sure == is_sure
    assert face.best[0] in face.probabilities


def test_the_least_size_is_passed_on(classifier):
    detector = Known()
    Analyser(classifier, detector, least_px=33).analyse(picture(300, 300))
    assert detector.calls == [(33, {})]


def test_all_of_a_video_is_searched_in_every_eighth_frame(classifier):
    detector, tracker = Known(Box(10, 10, 40, 40)), Tracker(0)
    analyser = Analyser(classifier, detector)
    for index in range(2 * SEARCH_EVERY):
        analyser.analyse(picture(100, 100), tracker, index / 25)
    known = [options["known"] for _, options in detector.calls]
    assert [index for index, box in enumerate(known) if box is None] == [
        0,
        SEARCH_EVERY,
    ]
    assert known[1] == known[-1] == [Box(10, 10, 40, 40)]


def test_followed_faces_are_where_a_whole_search_finds_them():
    """A drawn face that moves, with both networks."""
    detector, tracker = detector_fixture.detector(), Tracker(0)
    analyser = Analyser(
        edge.Classifier(brightness.model_path("uint8")), detector
    )
    face = detector_fixture.draw_face(120)
    for index in range(SEARCH_EVERY):
        pixels = np.full([360, 640, 3], 110, np.uint8)
        left = 100 + 10 * index
        pixels[120:240, left : left + 120] = face
        (seen,) = analyser.analyse(pixels, tracker, index / 25)
        assert seen.number == 1
        middle = seen.box.left + seen.box.width / 2
        assert middle == pytest.approx(left + 60, abs=15)


def test_all_twelve_faces_of_a_large_group_are_found():
    if not GROUP.exists():
        pytest.skip("the drawn group photograph is not here")
    found = detector_fixture.detector().find(edge.read_picture(GROUP))
    assert len(found) == 12

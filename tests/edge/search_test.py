"""Tests of edge/search.py: windows and boxes by hand, networks by counting."""

import numpy as np
import pytest

from edge import boxes
from edge import search
from edge.blazeface import Found
from edge.boxes import Box
from tests.edge import detector_fixture

WHITE = 255


def found(*rows):
    """Faces from rows of left, top, width, height and score."""
    table = np.array(rows, np.float32).reshape(-1, 5)
    return Found(table[:, :4], table[:, 4])


class Bright:
    """Stands for a network: a face is what is white, one a window."""

    def __init__(self, size):
        self.size = size
        self.windows = []

    def find(self, window, least_score):
        self.windows.append(window.shape[:2])
        rows, columns = np.nonzero(window[..., 0] > WHITE // 2)
        if not len(rows):
            return found()
        start = columns.min(), rows.min()
        end = columns.max() + 1, rows.max() + 1
        return found((*start, *np.subtract(end, start), 0.9))


def black(height, width, *faces):
    picture = np.zeros([height, width, 3], np.uint8)
    for left, top, size in faces:
        picture[top : top + size, left : left + size] = WHITE
    return picture


@pytest.mark.parametrize(
    ("longer", "least", "expected"),
    [
        (640, 100, [256]),
        (640, 46, [256]),
        (640, 30, [256, 512]),
        (640, 1, [256, 512]),
        (100, 1, [256]),
        (4000, 180, [256, 512]),
        (4000, 100, [256, 512, 1024]),
    ],
)
def test_scales_go_down_to_the_least_face(longer, least, expected):
    assert search.levels(longer, 256, least) == expected
    is_enough = expected[-1] * least / longer >= search.LEAST_PX
    assert is_enough or expected[-1] * 2 > longer


@pytest.mark.parametrize(
    "size", [(10, 7), (256, 256), (257, 100), (1024, 700), (1500, 3000)]
)
def test_windows_cover_the_image_and_overlap(size):
    side, covered = 256, np.zeros(size[::-1], int)
    corners = list(search.windows(*size, side))
    for left, top in corners:
        covered[top : top + side, left : left + side] += 1
        assert left + side <= max(size[0], side)
        assert top + side <= max(size[1], side)
    assert covered.min() == 1
    for axis in (0, 1):
        starts = sorted({corner[axis] for corner in corners})
        steps = np.diff(starts)
        assert (steps <= side * 3 / 4).all()


@pytest.mark.parametrize(
    ("box", "corner", "is_kept"),
    [
        ((10, 10, 20, 20), (50, 50), True),
        ((1, 10, 20, 20), (50, 50), False),
        ((10, 1, 20, 20), (50, 50), False),
        ((80, 10, 19, 20), (50, 50), False),
        ((10, 80, 20, 19), (50, 50), False),
        ((0, 0, 20, 20), (0, 0), True),
        ((80, 80, 25, 25), (100, 100), True),
    ],
)
def test_boxes_that_an_inner_edge_cuts_are_dropped(box, corner, is_kept):
    window, shown = black(100, 100), black(200, 200)
    kept = search.is_whole(found((*box, 0.9)), corner, window, shown=shown)
    assert kept.tolist() == [is_kept]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], []),
        (
            [(0, 0, 9, 9, 0.6), (50, 0, 9, 9, 0.7)],
            [(50, 0, 9, 9), (0, 0, 9, 9)],
        ),
        # The mean, weighted by 0.9 and 0.6.
        ([(0, 0, 10, 10, 0.9), (5, 0, 10, 10, 0.6)], [(2, 0, 10, 10)]),
        # Too small to be the same face, but inside it.
        ([(0, 0, 40, 40, 0.9), (2, 2, 10, 10, 0.8)], [(0, 0, 40, 40)]),
        # A corner in common does not make one face of two.
        (
            [(0, 0, 10, 10, 0.9), (8, 8, 10, 10, 0.8)],
            [(0, 0, 10, 10), (8, 8, 10, 10)],
        ),
    ],
    ids=["none", "apart", "same", "inside", "corner"],
)
def test_each_face_is_left_once(given, expected):
    left = search.suppress(found(*given))
    np.testing.assert_allclose(
        left.boxes, np.reshape(expected, [-1, 4]), atol=1e-4
    )
    assert (np.diff(left.scores) <= 0).all()


def test_overlaps_of_boxes():
    shared = search.overlaps(
        found((0, 0, 10, 10, 1)).boxes,
        found((0, 0, 10, 10, 1), (5, 0, 10, 10, 1), (20, 0, 5, 5, 1)).boxes,
    )
    np.testing.assert_allclose(shared, [[1, 1 / 3, 0]], rtol=1e-6)
    assert search.overlaps(found().boxes, found().boxes).shape == (0, 0)


def test_small_faces_are_found_in_windows():
    picture = black(1000, 1600, (780, 400, 50))  # An edge of a window cuts it.
    back = Bright(256)
    result = search.Search(None, back).find(picture, 40)
    assert {shape for shape in back.windows} >= {(160, 256), (256, 256)}
    (box,) = result.boxes
    assert boxes.overlap(Box(*map(round, box)), Box(780, 400, 50, 50)) > 0.85


@pytest.mark.parametrize(
    ("size", "is_trusted"), [(40, False), (60, True)], ids=str
)
def test_short_is_trusted_with_large_faces(size, is_trusted):
    picture = black(200, 200, (20, 20, size))
    back = Bright(256)
    back.find = lambda window, least_score: found()
    both = search.Search(Bright(128), back).find(picture, 200)
    assert len(both.scores) == is_trusted
    alone = search.Search(Bright(128), None).find(picture, 200)
    assert len(alone.scores) == 1


def test_known_faces_are_followed_without_the_large_network():
    picture = black(300, 400, (200, 100, 40))
    back = Bright(256)
    both = search.Search(Bright(128), back)
    known = np.array([[190, 95, 40, 40]], np.float32)
    (box,) = both.follow(picture, known).boxes
    assert boxes.overlap(Box(*map(round, box)), Box(200, 100, 40, 40)) > 0.7
    assert back.windows == []
    # A small face that is new is left to the next whole search.
    assert len(both.follow(picture, known[:0]).scores) == 0
    # Without the small network all is searched.
    alone = search.Search(None, back)
    assert len(alone.follow(picture, known).scores) == 1


def test_a_known_face_too_small_for_the_whole_frame_is_looked_at_near():
    short = Bright(128)
    whole = short.find

    def find(window, least_score):
        seen = whole(window, least_score)
        return seen.take(seen.boxes[:, 2] > 30)

    short.find = find
    picture = black(600, 800, (0, 500, 40))
    known = np.array([[0, 505, 40, 40], [900, 900, 40, 40]], np.float32)
    result = search.Search(short, Bright(256)).follow(picture, known)
    (box,) = result.boxes
    assert boxes.overlap(Box(*map(round, box)), Box(0, 500, 40, 40)) > 0.7


def test_faces_of_any_size_are_found_in_a_large_picture():
    picture = np.full([1500, 2000, 3], 110, np.uint8)
    places = [(100, 100, 120), (1700, 200, 120), (600, 500, 480)]
    for left, top, size in places:
        face = detector_fixture.draw_face(size)
        picture[top : top + size, left : left + size] = face
    detected = detector_fixture.detector().find(picture)
    for left, top, size in places:
        known = Box(left, top, size, size)
        assert any(boxes.overlap(known, box) > 0.3 for box in detected)
    assert len(detected) == len(places)

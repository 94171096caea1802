"""Tests of edge/blazeface.py: arithmetic by hand, networks on drawn faces."""

import numpy as np
import pytest

from edge import blazeface
from edge import boxes
from edge import detector_files
from edge.boxes import Box
from tests.edge import brightness
from tests.edge import detector_fixture


@pytest.mark.parametrize("size", [128, 256])
def test_anchors_are_two_and_six_a_cell(size):
    centres = blazeface.anchors(size)
    assert (centres.shape, centres.dtype) == ((896, 2), np.float32)
    _, counts = np.unique(centres[:512], axis=0, return_counts=True)
    assert counts.tolist() == [2] * 256
    _, counts = np.unique(centres[512:], axis=0, return_counts=True)
    assert counts.tolist() == [6] * 64


@pytest.mark.parametrize(
    ("size", "index", "centre"),
    [
        (128, 0, (4, 4)),
        (128, 2, (12, 4)),
        (128, 32, (4, 12)),
        (128, 511, (124, 124)),
        (128, 512, (8, 8)),
        (128, 895, (120, 120)),
        (256, 0, (8, 8)),
        (256, 512, (16, 16)),
        (256, 518, (48, 16)),
    ],
    ids=str,
)
def test_anchors_stand_in_the_middle_of_cells(size, index, centre):
    assert tuple(blazeface.anchors(size)[index]) == centre


def test_boxes_are_relative_to_their_anchors():
    values = np.zeros([2, 16], np.float32)
    values[0, :4] = 10, -5, 20, 30
    values[1, :4] = 0, 0, 8, 4
    centres = np.array([[50, 60], [4, 4]], np.float32)
    found = blazeface.decode(values, centres)
    assert found.tolist() == [[50, 40, 20, 30], [0, 2, 8, 4]]


@pytest.mark.parametrize(
    ("logit", "score"),
    [(0, 0.5), (np.log(3), 0.75), (-1e4, 0.0), (1e4, 1.0)],
)
def test_scores_of_any_logit(logit, score):
    with np.errstate(all="raise"):
        found = blazeface.sigmoid(np.array([logit], np.float32))
    assert found[0] == pytest.approx(score, abs=1e-6)


def test_another_network_is_refused():
    content = brightness.model_path("uint8").read_bytes()
    with pytest.raises(ValueError, match="its tensors are"):
        blazeface.BlazeFace(content)


@pytest.mark.parametrize(
    ("file", "size"),
    [(detector_files.SHORT, 128), (detector_files.BACK, 256)],
    ids=["short", "back"],
)
@pytest.mark.parametrize("shape", ["square", "flat", "tall"])
def test_a_window_of_any_shape_is_padded(file, size, shape):
    """The face is where it was drawn: padded below and right."""
    network = blazeface.BlazeFace(detector_fixture.contents()[file])
    assert network.size == size
    known = Box(size // 8, size // 10, size // 2, size // 2)
    height = size * 3 // 4 if shape == "flat" else size
    width = size * 3 // 4 if shape == "tall" else size
    window = np.full([height, width, 3], 110, np.uint8)
    face = detector_fixture.draw_face(known.width)
    rows = slice(known.top, known.top + known.height)
    window[rows, known.left : known.left + known.width] = face
    found = network.find(window, 0.3)
    assert len(found.scores) > 0
    best = found.boxes[found.scores.argmax()]
    assert boxes.overlap(known, Box(*map(round, map(float, best)))) > 0.35
    assert (found.scores >= 0.3).all()


def test_pixels_are_from_minus_one_to_one_and_padding_is_black():
    content = detector_fixture.contents()[detector_files.SHORT]
    network = blazeface.BlazeFace(content)
    window = np.zeros([2, 3, 3], np.uint8)
    window[0, :] = 255
    network.find(window, 0.5)
    taken = network._interpreter.get_tensor(network._input)[0]
    np.testing.assert_allclose(taken[0, :3], 1, atol=1e-6)
    assert (taken[1:] == -1).all()
    assert (taken[:, 3:] == -1).all()

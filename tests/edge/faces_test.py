"""Tests of the detectors: drawn faces through Haar, squares through YuNet."""

import os
import sys

import numpy as np
import pytest

from benchmarks import drawn_video
from edge import boxes
from edge import faces
from edge import opencv
from edge.boxes import Box
from tests.edge import edge_fixtures
from tests.edge import yunet_fixture


@pytest.fixture
def yunet(tmp_path):
    path = tmp_path / "squares.onnx"
    path.write_bytes(yunet_fixture.make_onnx())
    return path


def bright(height, width, *places, channels=3):
    picture = np.zeros([height, width, channels], np.uint8)
    for left, top, size in places:
        picture[top : top + size, left : left + size] = 255
    return picture


def test_haar_finds_drawn_faces_where_they_are():
    detector, hits, alarms = faces.HaarDetector(), 0, 0
    for seed in (0, 1, 5):
        video = drawn_video.DrawnVideo(seed=seed)
        for index in (0, 12, 37):
            found = detector.find(video.frame(index), is_frame=True)
            assert found == sorted(found)
            for face in range(3):
                known = video.box(face, index)
                hits += any(boxes.overlap(known, f) > 0.5 for f in found)
            alarms += max(0, len(found) - 3)
    assert hits / 27 >= 0.75
    assert alarms <= 2


@pytest.mark.parametrize("shape", ["grey", "large", "small"])
def test_haar_takes_pictures_of_any_shape(shape):
    frame = drawn_video.DrawnVideo().frame(0)
    picture = {
        "grey": frame[..., :1],
        "large": frame.repeat(5, axis=0).repeat(5, axis=1),
        "small": frame[:1, :1],
    }[shape]
    found = faces.HaarDetector().find(picture)
    if shape == "small":
        assert found == []
    else:
        factor = picture.shape[1] / frame.shape[1]
        known = Box(
            *(round(v * factor) for v in drawn_video.DrawnVideo().box(0, 0))
        )
        assert any(boxes.overlap(known, box) > 0.5 for box in found)
        assert all(isinstance(value, int) for box in found for value in box)


def test_yunet_finds_what_the_network_finds(yunet):
    detector = faces.load_detector(yunet)
    assert detector.name == "yunet"
    picture = bright(128, 192, (128, 32, 32), (32, 64, 32))
    assert detector.find(picture) == [Box(32, 64, 32, 32), Box(128, 32, 32, 32)]
    assert detector.find(bright(64, 64)) == []
    grey = bright(96, 96, (0, 0, 32), channels=1)
    assert detector.find(grey) == [Box(0, 0, 32, 32)]
    # Boxes are scaled back.
    large = bright(960, 1920, (640, 320, 64))
    assert detector.find(large) == [Box(640, 320, 64, 64)]


def test_yunet_sees_colours_in_their_order(yunet):
    red = np.zeros([64, 64, 3], np.uint8)
    red[..., 0] = 255
    seen = []
    detector = faces.load_detector(yunet)
    network = detector._network

    class Spy:
        setInputSize = network.setInputSize

        def detect(self, picture):
            seen.append(picture[0, 0].tolist())
            return network.detect(picture)

    detector._network = Spy()
    detector.find(red)
    assert seen == [[0, 0, 255]]


def test_a_face_model_may_have_a_name_that_is_no_text(tmp_path, yunet):
    path = os.path.join(tmp_path, "squares\udcff.onnx")
    os.rename(yunet, path)
    assert faces.load_detector(path).find(bright(64, 64, (0, 0, 32)))


@pytest.mark.parametrize("damage", ["missing", "text", "empty", "other"])
def test_a_wrong_face_model_is_refused(tmp_path, yunet, damage):
    path = tmp_path / "model.onnx"
    edge_fixtures.break_file(path, damage)
    if damage == "other":
        path.write_bytes(yunet.read_bytes().replace(b"bbox_8", b"abox_8"))
    with pytest.raises(
        faces.FaceModelError, match=r"model\.onnx.*fetch_detector.*YuNet"
    ):
        faces.load_detector(path)


def test_without_opencv_or_haar_the_error_says_what_to_type(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert faces.load_detector().name == "haar"
    cv2 = opencv.load("testing")
    monkeypatch.delattr(cv2, "CascadeClassifier")
    with pytest.raises(faces.FaceModelError, match=r"fetch_detector .*no Haar"):
        faces.load_detector()
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(faces.FaceModelError, match=r"fetch_detector .*OpenCV"):
        faces.load_detector()


def test_a_missing_system_library_is_no_missing_opencv(tmp_path, monkeypatch):
    (tmp_path / "cv2.py").write_text(
        "raise ImportError('libGL.so.1: cannot open shared object file')"
    )
    monkeypatch.delitem(sys.modules, "cv2", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(opencv.OpenCVError, match=r"libGL.*apt-get install"):
        opencv.load("testing")
    monkeypatch.delitem(sys.modules, "cv2", raising=False)

"""The page in a real Chromium, held to edge: pixels, boxes, answers, rules."""

import numpy as np
import pytest

from tests.web import browsers
from tests.web import scenes
from tests.web import sites

LEVELS = {"grey.png": 1, "grey.jpg": 1, "rgba.png": 1}


@pytest.fixture(scope="module")
def visit(tmp_path_factory):
    """Everything that one visit found."""
    browsers.find("chromium")
    camera = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    scenes.write_camera(camera)
    stranger = browsers.Site(tmp_path_factory.mktemp("stranger"))
    site = browsers.Site(sites.folder())
    sites.plan(stranger.address)
    show = f"--use-file-for-fake-video-capture={camera}"
    with stranger.serve(), site.serve():
        with browsers.chromium(site.address, show):
            assert site.wait() == {"loaded": True}
            loaded = len(site.asked)
            found = site.wait()
            found["asked"] = site.asked[loaded:]
            found["strange"] = list(stranger.asked)
            found["offline"], found["nowasm"] = site.wait(), site.wait()
    assert found["errors"] == []
    return found


def rows(faces):
    return [[face.probabilities[n] for n in labels()] for face in faces]


def labels():
    return sites.analyser()._classifier.labels


def test_it_says_that_it_is_ready_and_what_it_is_not_for(visit):
    assert visit["problem"] == ""
    assert visit["status"] == "Ready. Nothing is sent from here."
    assert "Not for judging people" in visit["limits"]


@pytest.mark.parametrize("model", ["edge", "pocket"])
def test_golden_vectors_are_bit_equal(visit, model):
    assert visit["golden"][model] == {"total": 10, "equal": 10, "worst": 0}


@pytest.mark.parametrize("name", list(sites.pictures()))
def test_pixels_are_those_of_edge(visit, name):
    from edge.pictures import prepare_picture

    pixels, _ = sites.expected(name)
    seen = visit["pictures"][name]
    assert seen["shape"] == list(pixels.shape[:2])
    prepared = np.reshape(seen["prepared"], [48, 48]).astype(int)
    difference = np.abs(prepared - prepare_picture(pixels, 48, 1)[..., 0])
    assert difference.max() <= LEVELS.get(name, 0)


@pytest.mark.parametrize("name", list(sites.pictures()))
def test_boxes_and_answers_are_those_of_edge(visit, name):
    _, faces = sites.expected(name)
    seen = visit["pictures"][name]["faces"]
    assert [tuple(face["box"]) for face in seen] == [f.box for f in faces]
    assert [face["isFound"] for face in seen] == [f.is_found for f in faces]
    if name not in LEVELS and faces:
        given = [face["probabilities"] for face in seen]
        np.testing.assert_array_equal(given, rows(faces))


def test_the_pictures_show_what_they_should(visit):
    assert len(visit["pictures"]["crowd.png"]["faces"]) >= 6
    assert visit["pictures"]["empty.png"]["faces"] == []
    (whole,) = visit["pictures"]["small.png"]["faces"]
    (happy,) = visit["pictures"]["photo.jpg"]["faces"]
    assert happy["label"] == "happy"
    assert not whole["isFound"] or whole["box"]


def test_faces_of_a_video_are_followed_as_by_edge(visit):
    for seen, faces in zip(
        visit["frames"], sites.expected_frames(), strict=True
    ):
        assert [face["number"] for face in seen] == [f.number for f in faces]
        assert [tuple(face["box"]) for face in seen] == [f.box for f in faces]
        given = [face["probabilities"] for face in seen]
        np.testing.assert_allclose(given, rows(faces), atol=1e-6)
    assert {len(frame) for frame in visit["frames"]} == {1, 2}

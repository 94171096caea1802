"""The page in real browsers, held to edge: pixels, boxes, answers, rules.

Chromium in the default tier, Firefox in the slow one.
"""

import dataclasses
import re

import numpy as np
import pytest

from benchmarks import visits
from edge import reports
from edge.boxes import Box
from tests.web import browsers
from tests.web import pixel_check
from tests.web import scenes
from tests.web import sites

LEVELS = {"grey.png": 1, "grey.jpg": 1, "rgba.png": 1}
# Firefox turns AVIF into RGB with a rounding of its own: a level at most,
# which may move a box by a pixel.
OWN_ROUNDING = ("firefox", "photo.avif")
LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


# Chromium's fake camera shows drawn faces, and Firefox's a pattern.
BEFORE_CAMERA = {"chromium": ["surprise", "happy"], "firefox": []}


@pytest.fixture(
    scope="module",
    params=["chromium", pytest.param("firefox", marks=pytest.mark.slow)],
)
def visit(request, tmp_path_factory):
    """Everything that one visit found."""
    browsers.find(request.param)
    camera = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    scenes.write_camera(camera)
    stranger = visits.Site(tmp_path_factory.mktemp("stranger"))
    site = visits.Site(sites.folder())
    sites.plan(stranger.address)
    browser = browsers.open_browser(request.param, site.address, camera)
    with stranger.serve(), site.serve(), browser:
        loaded, found = site.wait(), site.wait()
        found["later"] = found["asked"][len(loaded["asked"]) :]
        found["strange"] = list(stranger.asked)
        for stage in ("plain", "offline", "nowasm"):
            found[stage] = site.wait()
    assert found["errors"] == []
    return {**found, "browser": request.param}


def levels_apart(visit, name):
    """By how many levels a pixel of a picture may differ from edge's."""
    if (visit["browser"], name) == OWN_ROUNDING:
        return 1
    return LEVELS.get(name, 0)


def test_it_says_that_it_is_ready_and_what_it_is_not_for(visit):
    assert visit["problem"] == ""
    assert visit["status"] == "Ready. Nothing is sent from here."
    assert "Not for judging people" in visit["limits"]


def test_a_first_visit_shows_how_much_is_there(visit):
    shown = [
        re.fullmatch(r"Loading, (\d+\.\d) of (\d+\.\d) MB\.", status)
        for status in visit["statuses"][:-1]
    ]
    done = [float(match[1]) for match in shown]
    assert done == sorted(done)
    assert len(set(done)) > 5
    # It ends with all of them.
    assert {match[2] for match in shown} == {f"{done[-1]:.1f}"}


@pytest.mark.parametrize("model", ["edge", "pocket"])
def test_golden_vectors_are_bit_equal(visit, model):
    assert visit["golden"][model] == {"total": 10, "equal": 10, "worst": 0}


def test_a_browser_without_relaxed_simd_gives_the_same_bits(visit):
    plain = visit["plain"]
    assert plain["golden"] == visit["golden"]
    builds = {path for path in plain["asked"] if path.endswith(".wasm")}
    before = {path for path in visit["asked"] if path.endswith(".wasm")}
    assert builds == before | {"/vendor/litert_wasm_compat_internal.wasm"}
    # An older Firefox has no relaxed SIMD itself.
    if visit["browser"] == "chromium":
        assert before == {"/vendor/litert_wasm_internal.wasm"}


@pytest.mark.parametrize("name", sites.PICTURES)
def test_pixels_are_those_of_edge(visit, name):
    pixels, _ = sites.expected(name)
    seen = visit["pictures"][name]
    assert seen["shape"] == list(pixels.shape[:2])
    levels = levels_apart(visit, name)
    pixel_check.check(seen["prepared"], pixels, levels=levels)


@pytest.mark.parametrize("name", sites.PICTURES)
def test_boxes_and_what_is_cut_out_are_those_of_edge(visit, name):
    pixels, faces = sites.expected(name)
    seen = visit["pictures"][name]["faces"]
    apart = int((visit["browser"], name) == OWN_ROUNDING)
    assert [face["isFound"] for face in seen] == [f.is_found for f in faces]
    for given, face in zip(seen, faces, strict=True):
        np.testing.assert_allclose(given["box"], face.box, rtol=0, atol=apart)
        there = dataclasses.replace(face, box=Box(*given["box"]))
        crop = sites.analyser().crop(pixels, there)
        levels = levels_apart(visit, name)
        pixel_check.check(given["prepared"], crop, levels=levels)


@pytest.mark.parametrize("name", sites.PICTURES)
def test_answers_to_the_same_pixels_are_bit_equal(visit, name):
    for face in visit["pictures"][name]["faces"]:
        image = np.array(face["prepared"], np.uint8).reshape(48, 48, 1)
        (row,) = sites.classifier().predict([image])
        assert face["probabilities"] == row.tolist()
        assert face["label"] == sites.classifier().labels[row.argmax()]


def test_the_pictures_show_what_they_should(visit):
    pictures = visit["pictures"]
    assert len(pictures["crowd.png"]["faces"]) == len(scenes.CROWD)
    assert pictures["empty.png"]["faces"] == []
    assert [f["isFound"] for f in pictures["small.png"]["faces"]] == [False]
    assert [f["label"] for f in pictures["photo.jpg"]["faces"]] == ["happy"]


def test_faces_of_a_video_are_followed_as_by_edge(visit):
    labels = sites.classifier().labels
    for seen, faces in zip(
        visit["frames"], sites.expected_frames(), strict=True
    ):
        assert [face["number"] for face in seen] == [f.number for f in faces]
        assert [tuple(face["box"]) for face in seen] == [f.box for f in faces]
        given = [face["probabilities"] for face in seen]
        rows = [[face.probabilities[name] for name in labels] for face in faces]
        # A pixel that is rounded otherwise is worth a step or two.
        np.testing.assert_allclose(given, rows, atol=3 / 256)
    assert {len(frame) for frame in visit["frames"]} == {1, 2}


@pytest.mark.parametrize("way", ["choose", "drop", "paste"])
def test_a_picture_is_taken_in_each_way(visit, way):
    given = visit["given"][way]
    assert given == {"cards": ["Face 1: happy 96%"], "problem": ""}
    assert visit["canvas"] == "One face: face 1 happy 96%."


def test_another_model_answers_when_it_is_chosen(visit):
    _, (face,) = sites.expected("photo.png", "pocket")
    label, probability = face.best
    assert visit["pocket"]["cards"] == [f"Face 1: {label} {probability:.0%}"]


def test_what_cannot_be_used_is_told_in_a_sentence(visit):
    broken = visit["broken"]["problem"]
    assert broken.startswith("broken.png: This file is no picture")
    assert visit["refused"].startswith("The camera was refused.")
    assert visit["absent"].startswith("There is no camera.")
    assert visit["nowasm"]["problem"].startswith("This browser has no WebAss")


def test_a_broken_file_holds_up_no_other(visit):
    assert visit["mixed"]["cards"] == ["Face 1: happy 96%"]
    assert visit["mixed"]["problem"] == visit["broken"]["problem"]


def test_a_camera_that_does_not_begin_has_no_part_in_the_table(visit):
    # Since the table was forgotten, before the last video.
    assert visit["heads"] == ["clip.webm", "photo.png"]


def test_drawn_faces_before_the_camera_are_answered_right(visit):
    camera = visit["camera"]
    wanted = BEFORE_CAMERA[visit["browser"]]
    seen = [
        [re.sub(r"Face \d+: (\w+) \d+%", r"\1", card) for card in cards]
        for cards in camera["seen"]
    ]
    assert seen == [wanted] * sites.CAMERA_FRAMES
    assert re.fullmatch(r"\d+\.\d frames a second", camera["pace"])
    assert (camera["track"], camera["source"]) == ("ended", None)


def test_stop_ends_all_videos_that_were_chosen(visit):
    assert visit["stopped"] == {"heads": ["clip.webm"], "isOver": True}


def test_a_video_file_is_played_and_told_in_the_table(visit):
    video = visit["video"]
    assert video["first"][0].startswith("Face 1: happy")
    name, *rows = video["rows"].splitlines()
    assert name == "clip.webm"
    assert {row.split("\t")[2] for row in rows} <= {*LABELS, "unsure"}
    assert any("\thappy\t" in row for row in rows)


def test_the_table_is_saved_as_edge_writes_it(visit):
    head, *rows = visit["csv"].splitlines()
    assert head.split(",") == [*reports.CSV_COLUMNS, *LABELS]
    # Once for each way in which it was given.
    assert len(rows) == 3
    assert rows[0].startswith("photo.png,,,1,")
    assert ",blazeface,happy,0," in rows[0]


def test_nothing_is_asked_for_once_the_page_is_loaded(visit):
    models = ["/models/pocket.tflite"]
    assert [path for path in visit["later"] if path not in models] == []


def test_no_other_server_can_be_reached(visit):
    assert visit["strange"] == []
    ways = {address.rsplit("/", 1)[-1] for address in visit["blocked"]}
    assert ways >= {"fetch", "beacon", "image", "script", "video", "style"}


def test_it_works_without_a_network_after_the_first_visit(visit):
    offline = visit["offline"]
    assert offline["controller"]
    assert offline["problem"] == ""
    assert offline["status"] == "No face was found."

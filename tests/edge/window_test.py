"""Tests of edge/window.py and edge/annotate.py: what a person sees.

The window is shown on a virtual display (Xvfb), looked at through a
screenshot and closed by a key press (xdotool).
"""

import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image
from PIL import ImageGrab

from edge import annotate
from edge import window
from edge.analyser import Face
from edge.boxes import Box
from tests.edge import edge_fixtures

SCREEN = "800x600x24"
ANSWER = {"happy": 0.93, "sad": 0.07}
# Without them the tests of the window are skipped.
PROGRAMS = ("Xvfb", "xdotool")


def make_picture(height=120, width=160, channels=3):
    return np.full([height, width, channels], 90, np.uint8)


def changed(drawn, given):
    """Rows and columns that were drawn on."""
    return np.nonzero((drawn != given).any(axis=-1))


@pytest.mark.parametrize(
    "box",
    [
        Box(40, 50, 60, 40),
        Box(0, 0, 160, 120),
        Box(130, 2, 30, 30),
        Box(-20, -20, 50, 50),
        Box(150, 110, 60, 60),
    ],
    ids=["inside", "whole", "corner", "out left", "out right"],
)
def test_a_face_is_drawn_with_its_words_inside_the_picture(box):
    picture = make_picture()
    drawn = annotate.draw(picture, [Face(1, box, ANSWER)])
    assert (drawn.shape, drawn.dtype) == (picture.shape, np.uint8)
    rows, columns = changed(drawn, picture)
    assert len(rows) > 300
    assert (picture == 90).all()  # The given picture is left alone.
    if box == Box(40, 50, 60, 40):
        assert tuple(drawn[box.top, box.left + 5]) == annotate.colour("happy")
        assert rows.min() < box.top
        assert columns.max() < box.left + 100


@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 300, 3), (300, 4, 1)])
def test_pictures_of_any_shape_are_drawn_on(shape):
    faces = [Face(12, Box(0, 0, 3, 3), ANSWER)]
    drawn = annotate.draw(make_picture(*shape), faces, "12.0 FPS")
    assert drawn.shape == (*shape[:2], 3)


def test_words_in_the_corner():
    picture = make_picture()
    rows, columns = changed(annotate.draw(picture, [], "12.0 FPS"), picture)
    assert rows.max() < 20
    assert columns.max() < 80
    assert len(changed(annotate.draw(picture, []), picture)[0]) == 0


@pytest.fixture
def display():
    """A virtual display's name, such as :1234."""
    for program in PROGRAMS:
        if shutil.which(program) is None:
            pytest.skip(
                f"{program} is not installed: apt-get install xvfb xdotool"
            )
    name = f":{1000 + os.getpid() % 30000}"
    server = subprocess.Popen(
        ["Xvfb", name, "-screen", "0", SCREEN],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        socket = f"/tmp/.X11-unix/X{name[1:]}"
        wait_until(lambda: os.path.exists(socket))
        yield name
    finally:
        server.terminate()
        server.wait()


def wait_until(is_so, seconds=120):
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "waited for too long"
        time.sleep(0.2)


def screenshot(display):
    return np.asarray(ImageGrab.grab(xdisplay=display).convert("RGB"))


def has_answers(display):
    """Whether the yellow of our words is on the screen, and more than that."""
    pixels = screenshot(display)
    yellow = (pixels == annotate.colour("happy")).all(axis=-1)
    return yellow.sum() > 1000


def start(display, folder, *arguments):
    env = {"DISPLAY": display, "WAYLAND_DISPLAY": None}
    return edge_fixtures.start(folder, *arguments, env=env)


def start_shown(display, folder, *arguments):
    """Starts the command, again where its window stays empty.

    On a display without a window manager Qt leaves about one window in six
    unpainted for good, in OpenCV 4.13 and 4.14, also with one picture and
    nothing of ours.
    """
    for _ in range(5):
        process = start(display, folder, *arguments)
        end = time.monotonic() + 30
        while time.monotonic() < end and process.poll() is None:
            if has_answers(display):
                return process
            time.sleep(0.2)
        process.kill()
        process.communicate()
    pytest.fail("no window was painted in five starts")


def press(display, key):
    subprocess.run(
        ["xdotool", "search", "--name", "edge", "key", key],
        env=edge_fixtures.environment(DISPLAY=display),
        check=True,
        capture_output=True,
    )


def test_the_window_shows_the_answers_and_q_closes_it(display, tmp_path):
    edge_fixtures.save_photo(tmp_path / "photo.png")
    process = start_shown(
        display, tmp_path, "--window", "photo.png", "photo.png"
    )
    # The photograph itself is there, at its own size.
    pixels = screenshot(display)
    blue = np.asarray(Image.open(tmp_path / "photo.png"))[60:70, 60:70]
    assert np.abs(pixels - blue.mean(axis=(0, 1))).sum(axis=-1).min() < 12
    press(display, "q")
    out, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "")
    assert out.count("\n") == 3  # The second picture was not looked at.


def test_a_camera_has_a_window_by_default(display, tmp_path):
    long = edge_fixtures.long_video_path()
    process = start_shown(display, tmp_path, f"--camera={long}")
    press(display, "q")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert "frames/s" in said
    process = start(display, tmp_path, f"--camera={long}", "--no_window")
    process.stdout.readline()
    assert not has_answers(display)
    process.kill()
    process.communicate()


def test_a_display_that_does_not_answer_is_no_crash(tmp_path):
    edge_fixtures.save_picture(tmp_path / "light.png", 250)
    process = start(":64999", tmp_path, "--window", "light.png")
    out, said = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert "no window can be shown" in said
    assert "--no_window" in said


def test_without_a_display_the_window_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(window.WindowError, match="DISPLAY is not set"):
        window.check()


def test_an_opencv_without_windows_says_which_has_them(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":0")
    error = "raise SystemError('The function is not implemented. Rebuild')"
    monkeypatch.setattr(window, "PROBE", error)
    with pytest.raises(window.WindowError, match="opencv-python has them"):
        window.check()

"""What the tests of the device runtime share: models, pictures, commands.

The model is that of `brightness`: it tells dark, grey and light pictures
apart. Files are made once per test process and must not be changed.
"""

import functools
import os
import pathlib
import subprocess
import sys

import numpy as np
from PIL import Image

from benchmarks import drawn_video
from edge.out_files import VideoWriter
from edge.video import Frame
from tests import prepared
from tests.edge import brightness

ROOT = pathlib.Path(__file__).parents[2]
LABELS = brightness.LABELS
VIDEO = drawn_video.DrawnVideo(num_frames=12)


def model_path():
    """A uint8 model of 8x8 grey pixels."""
    return brightness.model_path("uint8")


@functools.cache
def video_path():
    """The video that `VIDEO` draws."""
    path = prepared.scratch() / "drawn_video.mp4"
    VIDEO.write(path)
    return path


@functools.cache
def long_video_path():
    """One frame, 150 times: seconds of work, or minutes as a camera."""
    path = prepared.scratch() / "long_video.mp4"
    pixels = VIDEO.frame(0)
    writer = VideoWriter(path, 1.0, is_live=False)
    with writer.open():
        for index in range(150):
            writer.write(Frame(pixels, index, float(index)), pixels)
    return path


def save_picture(path, level, size=(30, 20)):
    """Writes a picture of about one grey level; returns its path."""
    pixels = np.full(size[::-1], level, np.uint8)
    pixels[::2, : size[0] // 2] += 5  # One level alone is no face to judge.
    Image.fromarray(pixels).save(path)
    return path


def save_photo(path, index=0):
    """Writes a frame of `VIDEO` as a photograph; returns its path."""
    Image.fromarray(VIDEO.frame(index)).save(path)
    return path


def break_file(path, damage):
    """Leaves what is no picture, video or network there, or nothing."""
    if damage == "text":
        path.write_text("neither")
    elif damage == "empty":
        path.touch()
    elif damage == "folder":
        path.mkdir()


def environment(**changes):
    """The environment of a command; None takes a variable away."""
    values = {**os.environ, "PYTHONPATH": str(ROOT), **changes}
    return {name: v for name, v in values.items() if v is not None}


def command(*arguments, model=True):
    """The command line of `python -m edge`, with the model."""
    chosen = [f"--model={model_path()}"] if model else []
    return [sys.executable, "-m", "edge", *chosen, *map(str, arguments)]


def edge(folder, *arguments, model=True, **options):
    """Runs `python -m edge` to its end in a folder."""
    return subprocess.run(
        command(*arguments, model=model),
        cwd=folder,
        env=environment(DISPLAY=None, WAYLAND_DISPLAY=None),
        capture_output=True,
        text="input" not in options,
        **options,
    )


def start(folder, *arguments, env=None, **options):
    """Starts `python -m edge` in a folder; gives the process."""
    return subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=environment(**(env or {})),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )

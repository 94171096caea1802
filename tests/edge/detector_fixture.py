"""The real files of BlazeFace, if they are here, and a drawn face."""

import functools

import numpy as np
import pytest
from PIL import Image

from edge import detector_files
from edge import faces
from fer_tfds.drawing import faces as drawn_faces


@functools.cache
def contents():
    """File -> content; the test is skipped where the files are missing."""
    folder = detector_files.cache_folder()
    files = detector_files.FILES
    if not all((folder / file.name).exists() for file in files):
        pytest.skip(f"no face detector here; type: {detector_files.COMMAND}")
    return {file: (folder / file.name).read_bytes() for file in files}


@functools.cache
def detector():
    """BlazeFace, both networks."""
    return faces.BlazeFaceDetector(contents())


def put(folder, damage=lambda content: content):
    """Writes both files into a folder, the first one damaged."""
    folder.mkdir(parents=True, exist_ok=True)
    short, back = detector_files.FILES
    (folder / short.name).write_bytes(damage(contents()[short]))
    (folder / back.name).write_bytes(contents()[back])


def draw_face(size):
    """A drawn face that both networks find, uint8 [size, size, 3]."""
    rng = np.random.default_rng((0, 3, 0))
    drawn = Image.fromarray(drawn_faces.draw_face("happy", rng))
    resized = drawn.convert("RGB").resize(
        (size, size), Image.Resampling.BICUBIC
    )
    return np.asarray(resized)

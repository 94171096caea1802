"""The page with a probe in it, as a folder, and what edge says of the same.

The probe stands in the page's own document, under its own rules.
"""

import functools
import json
import pathlib
import shutil

import numpy as np
import pytest
from PIL import Image

import edge
from edge import faces
from edge import options
from edge.analyser import Analyser
from edge.tracks import Tracker
from export.options import ExportError
from export.web import layout
from export.web import sources
from tests import prepared
from tests.web import browsers
from tests.web import scenes

# Everything is looked for anew in the ninth.
FRAMES = 10
FPS = 25
# Of the fake camera, until the page stops it.
CAMERA_FRAMES = 5
SCRIPT = '<script type="module" src="probe.mjs"></script>\n</head>'


# Known without drawing them, so that tests can be named after them.
PICTURES = (
    *("photo.png", "photo.bmp", "photo.gif", "photo.jpg", "photo_444.jpg"),
    *("photo.webp", "lossless.webp", "photo.avif", "palette.png"),
    *("grey.png", "grey.jpg", "rgba.png"),
    *(f"exif_{turn}.jpg" for turn in range(1, 9)),
    *("crowd.png", "small.png", "empty.png"),
)


@functools.cache
def pictures():
    """Name -> content of every photograph that the page is given."""
    found = dict(scenes.forms())
    folder = prepared.scratch()
    crowd = scenes.draw(scenes.CROWD, (1500, 1000))
    for name, photo in {
        "crowd.png": crowd,
        "small.png": scenes.empty((90, 120)),
        "empty.png": scenes.empty((400, 300)),
    }.items():
        photo.save(folder / name)
        found[name] = (folder / name).read_bytes()
    assert tuple(found) == PICTURES
    return found


@functools.cache
def frames():
    """Name -> content of the frames of a video: one face comes, one goes."""
    found = {}
    for index in range(FRAMES):
        near = ("happy", 5, 20 + 6 * index, 60, 190)
        small = ("surprise", 0, 420, 150 - 4 * index, 80)
        shown = (near, small) if index < 8 else (near,)
        path = prepared.scratch() / f"frame_{index:02}.png"
        scenes.draw(shown, (640, 360), seed=1).save(path)
        found[path.name] = path.read_bytes()
    return found


@functools.cache
def folder():
    """The page with the probe, laid out, and what it is given to look at."""
    try:
        sources.check()
    except ExportError as error:
        browsers.missing(str(error))
    target = prepared.scratch() / "site"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "PAGE", _page_with_probe())
        layout.write(target, layout.shipped_models())
    given = target / "given"
    given.mkdir()
    for name, content in (pictures() | frames()).items():
        (given / name).write_bytes(content)
    return target


def plan(stranger):
    """Tells the probe what to do."""
    content = {
        "pictures": list(pictures()),
        "frames": list(frames()),
        "camera": CAMERA_FRAMES,
        "stranger": stranger,
    }
    (folder() / "given" / "plan.json").write_text(json.dumps(content))


@functools.cache
def classifier(name="edge"):
    """The model of which the page has a copy."""
    return edge.Classifier(name)


@functools.cache
def analyser(name="edge"):
    """What the page is the twin of."""
    return Analyser(classifier(name), faces.load_detector())


@functools.cache
def expected(name, model="edge"):
    """Pixels and faces that edge has for a picture."""
    pixels = edge.read_picture(folder() / "given" / name)
    return pixels, analyser(model).analyse(pixels)


def expected_frames():
    """Numbers, boxes and probabilities of each frame, by edge."""
    tracker = Tracker(options.SMOOTHING_S)
    for index, name in enumerate(frames()):
        pixels = np.asarray(Image.open(folder() / "given" / name))
        yield analyser().analyse(pixels, tracker, index / FPS)


def _page_with_probe():
    page = prepared.scratch() / "page"
    page.mkdir()
    for path in sources.page():
        shutil.copy(path, page / path.name)
    for path in pathlib.Path(__file__).parent.glob("*.mjs"):
        shutil.copy(path, page / path.name)
    index = page / "index.html"
    index.write_text(index.read_text().replace("</head>", SCRIPT))
    return page

"""Drawn photographs for the page, in every form that it should read."""

import functools
import io

import numpy as np
from PIL import Image

from fer_tfds.drawing import faces as drawn_faces

EXIF_ORIENTATION = 0x0112
SIZE = (400, 300)
# Expression, seed of the person, left, top and side in pixels: faces that the
# detector finds, and that `edge` answers as they were drawn.
ONE = (("happy", 3, 120, 50, 200),)
CAMERA = (("surprise", 0, 60, 150, 210), ("happy", 5, 360, 120, 220))
CROWD = (
    ("happy", 3, 60, 80, 300),
    ("surprise", 0, 420, 60, 120),
    ("angry", 4, 600, 90, 90),
    ("fear", 0, 760, 320, 150),
    ("happy", 9, 1000, 100, 60),
    ("neutral", 2, 1100, 480, 330),
    ("surprise", 9, 640, 640, 54),
    ("happy", 7, 500, 760, 200),
)


def draw(faces, size=SIZE, seed=0, *, levels=(40, 216), noise=4):
    """A photograph of drawn faces, before a coloured background."""
    rng = np.random.default_rng(seed)
    patches = rng.integers(*levels, (4, 5, 3), np.uint8)
    photo = Image.fromarray(patches).resize(size, Image.Resampling.BICUBIC)
    for expression, person, left, top, side in faces:
        photo.paste(_face(expression, person, side), (left, top))
    # Noise: a smooth picture would hide a wrong scaling.
    grain = rng.normal(0, noise, (size[1], size[0], 3))
    noisy = np.clip(np.asarray(photo) + grain, 0, 255)
    return Image.fromarray(noisy.astype(np.uint8))


def empty(size):
    """A photograph in which the detector finds no face."""
    return Image.linear_gradient("L").convert("RGB").resize(size)


def forms():
    """Yields name and content of a photograph in every form."""
    photo = draw(ONE)
    for kind in ("PNG", "BMP", "GIF"):
        yield f"photo.{kind.lower()}", _encoded(photo, kind)
    yield "photo.jpg", _encoded(photo, "JPEG", quality=90)
    yield "photo_444.jpg", _encoded(photo, "JPEG", quality=95, subsampling=0)
    yield "photo.webp", _encoded(photo, "WEBP", quality=85)
    yield "lossless.webp", _encoded(photo, "WEBP", lossless=True)
    yield "photo.avif", _encoded(photo, "AVIF", quality=80)
    yield "palette.png", _encoded(photo.quantize(64), "PNG")
    yield "grey.png", _encoded(photo.convert("L"), "PNG")
    yield "grey.jpg", _encoded(photo.convert("L"), "JPEG", quality=90)
    yield "rgba.png", _encoded(_half_seen(photo), "PNG")
    for turn in range(1, 9):
        exif = Image.Exif()
        exif[EXIF_ORIENTATION] = turn
        yield f"exif_{turn}.jpg", _encoded(photo, "JPEG", exif=exif)


def write_camera(path, frames=6):
    """Writes what Chromium's fake camera shows: JPEGs, one after the other."""
    content = b""
    for index in range(frames):
        photo = draw(CAMERA, (640, 480), seed=index)
        content += _encoded(photo, "JPEG", quality=92)
    path.write_bytes(content)


@functools.cache
def _face(expression, person, side):
    rng = np.random.default_rng((person, 3, 0))
    face = Image.fromarray(drawn_faces.draw_face(expression, rng))
    tint = np.array([1.0, 0.86, 0.78])
    coloured = np.asarray(face.convert("RGB")) * tint
    return Image.fromarray(coloured.astype(np.uint8)).resize(
        (side, side), Image.Resampling.BICUBIC
    )


def _half_seen(photo):
    """With alpha of 200 to 255: what is less is not kept by a canvas."""
    alpha = np.linspace(200, 255, photo.width).astype(np.uint8)
    rows = np.tile(alpha, (photo.height, 1))
    seen = photo.copy()
    seen.putalpha(Image.fromarray(rows))
    return seen


def _encoded(photo, kind, **options):
    buffer = io.BytesIO()
    photo.save(buffer, kind, **options)
    return buffer.getvalue()

"""Draws answers onto a picture: a box and a few words for each face.

Pillow alone, so that pictures are drawn on without OpenCV. Only draws: files
and windows are elsewhere.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image
from PIL import ImageDraw
from PIL import ImageFont

from edge.analyser import Face

COLOUR, INK = (255, 220, 0), (0, 0, 0)
# Height of the letters as a share of the picture's, and at least in pixels.
LETTERS, LEAST_LETTERS_PX = 1 / 28, 11


def draw(
    pixels: np.ndarray, faces: Sequence[Face], corner: str = ""
) -> np.ndarray:
    """Returns a copy of a picture with its answers drawn on.

    Args:
      pixels: uint8 [H, W, 1] or [H, W, 3] (RGB).
      faces: what was found.
      corner: words for the upper left corner, as the frames per second.

    Returns:
      uint8 [H, W, 3].
    """
    plane = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    image = Image.fromarray(plane).convert("RGB")
    pen = ImageDraw.Draw(image)
    letters_px = max(LEAST_LETTERS_PX, round(image.height * LETTERS))
    font = ImageFont.load_default(letters_px)
    for face in faces:
        _draw_face(pen, face, font, size=image.size)
    if corner:
        _write(pen, corner, (0, 0), font=font, size=image.size)
    return np.asarray(image)


def _draw_face(pen, face, font, *, size):
    left, top, width, height = face.box
    right, bottom = left + width - 1, top + height - 1
    line_px = max(1, round(min(size) / 200))
    pen.rectangle((left, top, right, bottom), outline=COLOUR, width=line_px)
    label, probability = next(iter(face.probabilities.items()))
    words = f"{face.number} {label} {probability:.0%}"
    text_height = _extent(pen, words, font)[1]
    above = top - text_height
    _write(
        pen,
        words,
        (left, above if above >= 0 else bottom),
        font=font,
        size=size,
    )


def _write(pen, words, place, *, font, size):
    """Words on a ground of their own, moved until they lie inside."""
    width, height = _extent(pen, words, font)
    left = max(0, min(place[0], size[0] - width))
    top = max(0, min(place[1], size[1] - height))
    pen.rectangle((left, top, left + width, top + height), fill=COLOUR)
    pen.text((left + 2, top + 1), words, fill=INK, font=font)


def _extent(pen, words, font):
    _, _, right, bottom = pen.textbbox((0, 0), words, font=font)
    return int(right) + 4, int(bottom) + 3

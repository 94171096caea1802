"""Draws answers onto a picture: a box and a few words for each face.

Pillow alone, so that pictures are drawn on without OpenCV. Only draws: files
and windows are elsewhere.
"""

from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np
from PIL import Image
from PIL import ImageDraw
from PIL import ImageFont

from edge.analyser import Face
from edge.boxes import Box
from edge.boxes import is_apart

# One colour for each expression, told apart by all kinds of sight: Okabe and
# Ito, Color Universal Design (2008). Labels of one's own take them in turn.
COLOURS = {
    "happy": (240, 228, 66),
    "sad": (0, 114, 178),
    "angry": (213, 94, 0),
    "surprise": (86, 180, 233),
    "fear": (204, 121, 167),
    "disgust": (0, 158, 115),
    "contempt": (230, 159, 0),
    "neutral": (235, 235, 235),
}
QUIET, DARK, LIGHT = (140, 140, 140), (0, 0, 0), (255, 255, 255)
# Letters are so high, as a fraction of the box and of the picture's longer
# side: the larger of both, so that a copy as wide as a phone can be read.
LETTERS_OF_BOX, LETTERS_OF_PICTURE, LEAST_LETTERS_PX = 1 / 7, 1 / 80, 10
# Words are made smaller until they are no wider than this many boxes.
WIDEST_WORDS = 1.6


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
    taken = [face.box for face in faces]
    for face in faces:
        _draw_box(pen, face, image.size)
    for face in faces:
        taken.append(_draw_words(pen, face, taken, size=image.size))
    if corner:
        font = ImageFont.load_default(_letters_px(image.size))
        _write(pen, corner, _extent(corner, font), font=font)
    return np.asarray(image)


def colour(label: str) -> tuple[int, int, int]:
    """Returns the colour of an expression, or one for a label of one's own."""
    others = list(COLOURS.values())
    return COLOURS.get(label, others[sum(label.encode()) % len(others)])


def words(face: Face) -> str:
    """Returns what is written at a face."""
    label, probability = face.best
    said = f"{label} {probability:.0%}"
    return f"{face.number} {said if face.is_sure else f'unsure ({said})'}"


def places(box: Box, words_box: Box) -> Iterator[Box]:
    """Yields where words may stand: above, below, beside and in a box."""
    left, top, width, height = box
    _, _, wide, high = words_box
    yield Box(left, top - high, wide, high)
    yield Box(left, top + height, wide, high)
    yield Box(left + width - wide, top - high, wide, high)
    yield Box(left + width - wide, top + height, wide, high)
    yield Box(left + width, top, wide, high)
    yield Box(left - wide, top, wide, high)
    yield Box(left, top, wide, high)


def _draw_box(
    pen: ImageDraw.ImageDraw, face: Face, size: tuple[int, int]
) -> None:
    left, top, width, height = face.box
    thick = min(min(size) / 200, max(width, height) / 25)
    line_px = max(1, round(thick)) if face.is_sure else 1
    ends = (left, top, left + width - 1, top + height - 1)
    outline = colour(face.best[0]) if face.is_sure else QUIET
    pen.rectangle(ends, outline=outline, width=line_px)


def _draw_words(
    pen: ImageDraw.ImageDraw,
    face: Face,
    taken: Sequence[Box],
    *,
    size: tuple[int, int],
) -> Box:
    """Writes at a face where nothing else is; returns the place."""
    text, font = words(face), _font_for(face, size)
    needed = _extent(text, font)
    others = [box for box in taken if box is not face.box]
    free = (
        place
        for place in places(face.box, needed)
        if _is_inside(place, size)
        and all(is_apart(place, other) for other in others)
    )
    place = next(free, None) or _moved_inside(face.box, needed, size)
    ground = colour(face.best[0]) if face.is_sure else QUIET
    _write(pen, text, place, font=font, ground=ground)
    return place


def _font_for(face: Face, size: tuple[int, int]) -> ImageFont.FreeTypeFont:
    box_px = max(face.box.width, face.box.height)
    letters = max(_letters_px(size), round(box_px * LETTERS_OF_BOX))
    widest = min(WIDEST_WORDS * box_px, size[0])
    text = words(face)
    while letters > LEAST_LETTERS_PX:
        font = ImageFont.load_default(letters)
        if _extent(text, font).width <= widest:
            return font
        letters -= 1
    return ImageFont.load_default(LEAST_LETTERS_PX)


def _letters_px(size: tuple[int, int]) -> int:
    return max(LEAST_LETTERS_PX, round(max(size) * LETTERS_OF_PICTURE))


def _write(
    pen: ImageDraw.ImageDraw,
    text: str,
    place: Box,
    *,
    font: ImageFont.FreeTypeFont,
    ground: tuple[int, int, int] = COLOURS["happy"],
) -> None:
    left, top, width, height = place
    pen.rectangle((left, top, left + width - 1, top + height - 1), fill=ground)
    ink = DARK if np.dot(ground, (0.299, 0.587, 0.114)) > 100 else LIGHT
    pen.text((left + 2, top + 1), text, fill=ink, font=font)


def _extent(text: str, font: ImageFont.FreeTypeFont) -> Box:
    _, _, right, bottom = font.getbbox(text)
    return Box(0, 0, int(right) + 4, int(bottom) + 3)


def _is_inside(place: Box, size: tuple[int, int]) -> bool:
    return (
        place.left >= 0
        and place.top >= 0
        and place.left + place.width <= size[0]
        and place.top + place.height <= size[1]
    )


def _moved_inside(box: Box, needed: Box, size: tuple[int, int]) -> Box:
    """Over the face itself, where there is no room around it."""
    left = max(0, min(box.left, size[0] - needed.width))
    top = max(0, min(box.top, size[1] - needed.height))
    return Box(left, top, needed.width, needed.height)

"""Where a face is: boxes, how far two overlap, and the crop for the model.

Numpy alone. Nothing is resized or converted here: that is
`edge.pictures.prepare_picture`, the twin of the training pipeline.
"""

from typing import NamedTuple

import numpy as np


class Box(NamedTuple):
    """A rectangle in a picture, in pixels; left and top may lie outside."""

    left: int
    top: int
    width: int
    height: int


def whole(picture: np.ndarray) -> Box:
    """Returns the box of a whole picture, [H, W] or [H, W, C]."""
    height, width = picture.shape[:2]
    return Box(0, 0, width, height)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, in [0, 1]."""
    width = _shared(one.left, one.width, other.left, other_length=other.width)
    height = _shared(one.top, one.height, other.top, other_length=other.height)
    shared = width * height
    union = one.width * one.height + other.width * other.height - shared
    return shared / union if union > 0 else 0.0


def is_apart(one: Box, other: Box) -> bool:
    """Whether two boxes have no pixel in common."""
    return (
        one.left + one.width <= other.left
        or other.left + other.width <= one.left
        or one.top + one.height <= other.top
        or other.top + other.height <= one.top
    )


class CropRule(NamedTuple):
    """What is cut out around a detector's box, as fractions of the box.

    Attributes:
      margin: of the longer side, added at each end.
      up: of the height, by which the square is moved up.
    """

    margin: float
    up: float = 0.0


def square(box: Box, rule: CropRule, height: int, *, width: int) -> Box:
    """The square around a box, inside the picture.

    Its side is the longer side of the box and the margin on both ends. At an
    edge it is moved inwards, not squeezed, for a face in training is never
    squeezed either; it is cut only where the picture is smaller than the
    square.

    Args:
      box: a face.
      rule: margin and shift of the detector.
      height: of the picture, in pixels.
      width: of the picture, in pixels.

    Returns:
      A box of at least one pixel that lies inside the picture.
    """
    side = max(1, round(max(box.width, box.height) * (1 + 2 * rule.margin)))
    middle = box.top + box.height * (1 / 2 - rule.up)
    left, crop_width = _fit(box.left + box.width / 2, side, width)
    top, crop_height = _fit(middle, side, height)
    return Box(left, top, crop_width, crop_height)


def crop(picture: np.ndarray, box: Box, rule: CropRule) -> np.ndarray:
    """Cuts the square around a face out of a picture.

    Args:
      picture: uint8 [H, W, C].
      box: the face; see `square` for what becomes of it.
      rule: see `square`.

    Returns:
      uint8 [h, w, C], the very pixels of the picture, not scaled.
    """
    height, width = picture.shape[:2]
    inside = square(box, rule, height, width=width)
    rows = slice(inside.top, inside.top + inside.height)
    columns = slice(inside.left, inside.left + inside.width)
    return picture[rows, columns]


def _shared(
    start: int, length: int, other_start: int, *, other_length: int
) -> int:
    end = min(start + length, other_start + other_length)
    return max(0, end - max(start, other_start))


def _fit(centre: float, side: int, limit: int) -> tuple[int, int]:
    """Start and length of a stretch of at most `limit` around `centre`."""
    length = min(side, limit)
    start = round(centre - length / 2)
    return min(max(start, 0), limit - length), length

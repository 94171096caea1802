"""Where in an image BlazeFace looks, and which of its boxes are faces.

`short` sees the whole image, for large faces. `back` sees it at several
scales, at each of them through overlapping windows of its own size, for
smaller ones. All boxes then go through one suppression. Loads no file and
draws nothing.
"""

import math
from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np
from PIL import Image

from edge.blazeface import BlazeFace
from edge.blazeface import Found

# Least scores of `short`, of `back` in windows, and of `back` over the whole
# image, where it makes second boxes on faces that fill the image. Set to other
# values, `python -m benchmarks.photographs` tells what that does.
LEAST_SCORE, WHOLE_BACK_SCORE = 0.5, 0.6
# `short` is trusted with faces of at least this fraction of the longer side;
# smaller ones are what `back` was made for.
SHORT_FROM = 1 / 4
# Two boxes that share more than this (intersection over union) are one face.
OVERLAP = 0.3
# A box that lies so far inside a stronger one is part of that face.
INSIDE = 0.6
# `back` finds faces of at least this many pixels in its window.
LEAST_PX = 18
# Windows share this fraction of their side with the next one, so that each
# face that is to be found in them lies whole in one.
WINDOW_OVERLAP = 1 / 4
# Near a face that is known `short` sees a square of so many of its sides.
NEAR_SIDES = 2.0
# A box that an inner edge of a window cuts is left to the next window; so near
# to the edge, in pixels of the window, counts as cut.
CUT_PX = 3


class Search:
    """Both networks over one image."""

    def __init__(self, short: BlazeFace | None, back: BlazeFace | None):
        """Keeps the networks: `short` and `back`; one may be missing."""
        self._short, self._back = short, back

    def find(self, image: np.ndarray, least_px: float) -> Found:
        """Finds the faces of an image.

        Args:
          image: uint8 [H, W, 1] or [H, W, 3] (RGB).
          least_px: faces of at least this size, in pixels, are looked for;
            the whole image is searched in any case.

        Returns:
          The faces, strongest first, each of them once.
        """
        source, parts = _as_pillow(image), []
        longer = max(source.size)
        if self._short is not None:
            parts.append(self._look_for_large(source))
        if self._back is not None:
            for side in levels(longer, self._back.size, least_px):
                parts.append(self._look(source, self._back, side))
        return suppress(_joined(parts))

    def follow(self, image: np.ndarray, known: np.ndarray) -> Found:
        """Finds known faces again, and large ones that are new.

        Takes a fifth of the time of `find`. Small faces that are new are left
        to `find`.

        Args:
          image: uint8 [H, W, 1] or [H, W, 3] (RGB), the next one of a video.
          known: float32 [n, 4], boxes of the faces that were there.

        Returns:
          As `find`.
        """
        if self._short is None:
            return self.find(image, max(image.shape[:2]))
        source = _as_pillow(image)
        seen = self._look(source, self._short, self._short.size)
        shared = overlaps(seen.boxes, known) > OVERLAP
        parts = [seen.take(shared.any(axis=1) | self._is_large(source, seen))]
        for box in known[~shared.any(axis=0)]:
            parts.append(self._look_near(source, box))
        return suppress(_joined(parts))

    def _look_for_large(self, source: Image.Image) -> Found:
        seen = self._look(source, self._short, self._short.size)
        return seen.take(self._is_large(source, seen))

    def _is_large(self, source: Image.Image, found: Found) -> np.ndarray:
        """Which boxes `short` is trusted with."""
        least = SHORT_FROM * max(source.size) if self._back else 0
        return found.boxes[:, 2:].max(axis=1) >= least

    def _look_near(self, source: Image.Image, box: np.ndarray) -> Found:
        """The face around a place where one was."""
        side = NEAR_SIDES * box[2:].max()
        start = np.maximum(box[:2] + (box[2:] - side) / 2, 0)
        end = np.minimum(start + side, source.size)
        if (end - start < 1).any():
            return _joined([])  # It has left the image.
        corner = np.concatenate([start, [0, 0]]).astype(np.int32)
        part = source.crop((*corner[:2], *map(math.ceil, end)))
        found = self._look(part, self._short, self._short.size)
        found = Found(found.boxes + corner.astype(np.float32), found.scores)
        return found.take(overlaps(found.boxes, box[None])[:, 0] > OVERLAP)

    def _look(
        self, source: Image.Image, network: BlazeFace, longer_px: int
    ) -> Found:
        """All faces at one scale: the longer side has `longer_px` pixels."""
        scale = longer_px / max(source.size)
        size = [max(1, round(length * scale)) for length in source.size]
        shown = np.asarray(
            source.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
        )
        score = self._least_score(network, longer_px)
        parts = []
        for left, top in windows(*size, network.size):
            window = shown[top:, left:][: network.size, : network.size]
            found = network.find(window, score)
            found = found.take(
                is_whole(found, (left, top), window, shown=shown)
            )
            corner = np.array([left, top, 0, 0], np.float32)
            parts.append(Found(found.boxes + corner, found.scores))
        found = _joined(parts)
        factors = np.tile(np.divide(source.size, size), 2)
        return Found(found.boxes * factors.astype(np.float32), found.scores)

    def _least_score(self, network: BlazeFace, longer_px: int) -> float:
        if network is self._back and longer_px == network.size:
            return WHOLE_BACK_SCORE
        return LEAST_SCORE


def _as_pillow(image: np.ndarray) -> Image.Image:
    if image.shape[-1] == 1:
        return Image.fromarray(image[..., 0]).convert("RGB")
    return Image.fromarray(image)


def levels(longer_px: int, window_px: int, least_px: float) -> list[int]:
    """The scales at which an image is searched, as its longer side in pixels.

    The first shows all of it in one window, each other one twice as much as
    the one before, until a face of `least_px` is large enough, or the image
    would be enlarged.
    """
    found = [window_px]
    while (
        least_px * found[-1] / longer_px < LEAST_PX
        and found[-1] * 2 <= longer_px
    ):
        found.append(found[-1] * 2)
    return found


def windows(width: int, height: int, side: int) -> Iterator[tuple[int, int]]:
    """Yields left and top of the windows that cover an image, overlapping."""
    for top in _starts(height, side):
        for left in _starts(width, side):
            yield left, top


def is_whole(
    found: Found,
    corner: tuple[int, int],
    window: np.ndarray,
    *,
    shown: np.ndarray,
) -> np.ndarray:
    """Which faces no inner edge of a window cuts.

    Args:
      found: the faces, in pixels of the window.
      corner: left and top of the window in what is shown.
      window: [h, w, C].
      shown: [H, W, C], what windows are cut out of.

    Returns:
      bool [n].
    """
    start = found.boxes[:, :2]
    end = start + found.boxes[:, 2:]
    size = np.array(window.shape[1::-1])
    is_first = np.array(corner) == 0
    is_last = np.array(corner) + size >= np.array(shown.shape[1::-1])
    inside = (is_first | (start >= CUT_PX)) & (is_last | (end <= size - CUT_PX))
    return inside.all(axis=1)


def suppress(found: Found) -> Found:
    """Joins what is one face: weighted non-maximum suppression.

    Boxes that overlap the strongest one are averaged with it, weighted by
    their scores (as BlazeFace's authors do, against jitter); boxes inside it
    are dropped.

    Args:
      found: faces in any order.

    Returns:
      Each face once, strongest first.
    """
    found = found.take(np.argsort(-found.scores, kind="stable"))
    shared = _intersections(found.boxes, found.boxes)
    areas = _areas(found.boxes)
    same = overlaps(found.boxes, found.boxes) > OVERLAP
    inside = shared > INSIDE * np.minimum(areas[:, None], areas[None])
    left = np.ones(len(areas), bool)
    kept = []
    for row in range(len(areas)):
        if left[row]:
            kept.append(_mean(found.take(left & same[row])))
            left &= ~(same[row] | inside[row])
    return _joined(kept)


def _mean(group: Found) -> Found:
    """The mean of several boxes of a face, with the best score."""
    weights = group.scores / group.scores.sum()
    return Found((weights @ group.boxes)[None], group.scores[:1])


def _joined(parts: Sequence[Found]) -> Found:
    empty = Found(np.zeros([0, 4], np.float32), np.zeros(0, np.float32))
    return Found(*map(np.concatenate, zip(empty, *parts, strict=True)))


def overlaps(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of each box with each other one.

    Args:
      boxes: float32 [n, 4].
      others: float32 [m, 4].

    Returns:
      float32 [n, m] in [0, 1].
    """
    shared = _intersections(boxes, others)
    unions = _areas(boxes)[:, None] + _areas(others) - shared
    return shared / np.maximum(unions, np.finfo(np.float32).tiny)


def _areas(boxes: np.ndarray) -> np.ndarray:
    return boxes[:, 2] * boxes[:, 3]


def _intersections(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    start, end = boxes[:, None, :2], boxes[:, None, :2] + boxes[:, None, 2:]
    other_end = others[:, :2] + others[:, 2:]
    shared = np.minimum(end, other_end) - np.maximum(start, others[:, :2])
    return np.clip(shared, 0, None).prod(axis=-1)


def _starts(length: int, side: int) -> list[int]:
    """Where windows begin along a side of an image."""
    if side >= length:
        return [0]
    step = side * (1 - WINDOW_OVERLAP)
    count = math.ceil((length - side) / step) + 1
    return [round(s) for s in np.linspace(0, length - side, count)]

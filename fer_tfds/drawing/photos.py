"""Draws coloured photographs with one drawn face in them, at a known place.

The faces are those of `faces`. Drawing one takes longer than
all the rest, so that a pool of them is used again and again, each time in
another size, place and tint: a hundred thousand photographs take minutes. This
module only draws: files are written by `fer_tfds.drawing.layouts`.
"""

import io

import numpy as np
from PIL import Image

from fer_tfds import labels
from fer_tfds.drawing import faces

FACES_PER_CLASS = 24

# Faces in the full release are of any size; these are the middle of the range.
_MIN_FACE_PX, _MAX_FACE_PX = 60, 400

_JPEG_QUALITY = 90


class Photographer:
    """Draws photographs; each depends on the seed, its number and its label.

    Args:
        seed: any integer that is not negative.
    """

    def __init__(self, seed: int):
        self._seed = seed
        self._faces: dict[tuple[str, int], Image.Image] = {}

    def draw_photo(
        self, label: int, number: int
    ) -> tuple[Image.Image, tuple[int, int, int, int]]:
        """Draws a face somewhere in a larger picture.

        Args:
            label: native AffectNet label id, 0 to 10. None and uncertain look
                like any expression; where no face is, a box is given too.
            number: tells pictures of a label apart.

        Returns:
            The picture, mode RGB, and the face's left, upper, width, height.
        """
        rng = np.random.default_rng((self._seed, 1, number))
        low, high = np.log([_MIN_FACE_PX, _MAX_FACE_PX])
        width = round(np.exp(rng.uniform(low, high)))
        height = round(width * rng.uniform(0.95, 1.05))
        size = np.rint([width, height] * rng.uniform(1.1, 2, 2)).astype(int)
        x, y = rng.integers(0, size - [width, height] + 1).tolist()
        photo = _draw_background(tuple(size.tolist()), rng)
        if label < labels.native_names("affectnet").index("no-face"):
            photo.paste(self._draw(label, (width, height), rng), (x, y))
        return photo, (x, y, width, height)

    def draw_face(self, label: int, number: int, size_px: int) -> Image.Image:
        """Draws a face that fills its picture: mode RGB, a square."""
        rng = np.random.default_rng((self._seed, 2, number))
        return self._draw(label, (size_px, size_px), rng)

    def _draw(
        self, label: int, size: tuple[int, int], rng: np.random.Generator
    ) -> Image.Image:
        names = labels.class_names("affectnet")
        index = label if label < len(names) else rng.integers(len(names))
        name = labels.canonical_name(names[index])
        face = self._face(name, int(rng.integers(FACES_PER_CLASS)))
        tint = rng.uniform(0.7, 1.0, size=3)
        scaled = face.resize(size, Image.Resampling.BILINEAR)
        bands = [scaled.point((np.arange(256) * t).tolist()) for t in tint]
        return Image.merge("RGB", bands)

    def _face(self, name: str, index: int) -> Image.Image:
        if (name, index) not in self._faces:
            key = (self._seed, index, labels.CANONICAL_NAMES.index(name))
            rng = np.random.default_rng(key)
            face = Image.fromarray(faces.draw_face(name, rng))
            self._faces[name, index] = face
        return self._faces[name, index]


def to_jpeg(image: Image.Image) -> bytes:
    """Encodes a picture as a JPEG file."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()


def _draw_background(
    size: tuple[int, int], rng: np.random.Generator
) -> Image.Image:
    """Blurred patches of colour, as behind a person in a photograph."""
    patches = rng.integers(0, 256, (4, 4, 3), np.uint8)
    return Image.fromarray(patches).resize(size, Image.Resampling.BICUBIC)

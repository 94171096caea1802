"""What people have pictures in -> pixels: paths, PIL images, arrays."""

import os
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from PIL import Image
from PIL import ImageOps

from edge import pictures

# What a picture may be given as.
PictureLike = str | os.PathLike | Image.Image | np.ndarray


class Given(NamedTuple):
    """Pictures as pixels, and whether they were given as one."""

    pixels: list[np.ndarray]
    is_one: bool


def read(given: PictureLike | Iterable[PictureLike]) -> Given:
    """Takes one picture, or several.

    Args:
      given: a path, a PIL image or an array; or several of them, as anything
        that can be gone through or an array [n, H, W, C].

    Raises:
      PictureError: something else, or what cannot be read.
    """
    is_one = _is_one(given)
    several = [given] if is_one else given
    return Given([_to_pixels(picture) for picture in several], is_one)


def _is_one(given: object) -> bool:
    """Whether it is one picture, or what somebody took for one."""
    if hasattr(given, "ndim"):
        return given.ndim != 4
    return not isinstance(given, Iterable) or isinstance(
        given, str | bytes | bytearray | os.PathLike | Image.Image
    )


def _to_pixels(picture: object) -> np.ndarray:
    if isinstance(picture, str | os.PathLike):
        return pictures.read_picture(picture)
    if isinstance(picture, Image.Image):
        return _from_image(picture)
    if picture is None:
        raise pictures.PictureError(
            "None is no picture; cv2.imread gives it for a file that it "
            "cannot read: give the path itself, and the error says why"
        )
    if isinstance(picture, bytes | bytearray | memoryview):
        raise pictures.PictureError(
            "bytes are no picture; give Image.open(io.BytesIO(content)), "
            "with Image from PIL"
        )
    if not hasattr(picture, "__array__"):
        raise pictures.PictureError(
            "a picture is a path, a PIL image or a uint8 array of raw pixels; "
            f"received {type(picture).__name__}"
        )
    return np.asarray(picture)


def _from_image(image: Image.Image) -> np.ndarray:
    try:
        # Not in place: the caller's image stays as it is.
        return pictures.from_image(ImageOps.exif_transpose(image)).pixels
    except pictures.PictureError:
        raise
    except Exception as error:  # It is decoded here, where it may be damaged.
        raise pictures.PictureError(
            f"cannot read the image ({type(error).__name__}: {error})"
        ) from error

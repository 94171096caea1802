"""Picture files and arrays -> the very pixels a model was trained on.

`prepare_picture` is the numpy twin of the trainer's `prepare_image`; a test
holds the two within one grey level of each other. Nothing random belongs
here, no normalisation (it is inside the model), and no TensorFlow.
"""

import contextlib
import functools
import io
import os
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image
from PIL import ImageOps
from PIL import UnidentifiedImageError

from edge import kinds

# ITU-R BT.601 luma to four digits, as in TensorFlow's rgb_to_grayscale.
GREY_WEIGHTS = (0.2989, 0.587, 0.114)

# What is decoded. Of Pillow's other formats some start programs, as EPS does.
FORMATS = (
    *("PNG", "JPEG", "MPO", "BMP", "GIF", "WEBP", "TIFF", "PPM"),
    *("JPEG2000", "AVIF", "ICO", "TGA", "HEIF"),
)
HEIF_ADVICE = (
    "HEIC pictures need pillow-heif, which is not installed; type: pip "
    "install pillow-heif, or save the picture as JPEG"
)
# Numbers of bits that cameras and scanners give.
BIT_DEPTHS = (8, 10, 12, 14, 16, 24, 32)
# A file's grey values are expected to use so many.
FULL_DEPTH = 16
# A damaged header can ask for any amount of memory. Phones take 50 million
# pixels, and 8K video has 33 million.
MAX_PIXELS = 64_000_000
# So many rows at a time go from Pillow's memory to ours.
BAND_ROWS = 256
_HEAD_BYTES = 12


class PictureError(ValueError):
    """A picture cannot be read, or is no picture at all."""


class Picture(NamedTuple):
    """A picture that was read.

    Attributes:
      pixels: uint8 [H, W, 1] or [H, W, 3] (RGB).
      note: what was done to the values, in a few words; mostly nothing.
    """

    pixels: np.ndarray
    note: str = ""


def read_picture(path: str | os.PathLike, name: str = "") -> np.ndarray:
    """Reads a picture file, upright; see `load_picture`.

    Args:
      path: a file in any format that Pillow reads.
      name: what messages call it; default: the path.

    Returns:
      uint8 [H, W, 1] or [H, W, 3] (RGB) in [0, 255].

    Raises:
      PictureError: as `load_picture`.
    """
    return load_picture(path, name).pixels


def load_picture(path: str | os.PathLike, name: str = "") -> Picture:
    """Reads a picture file, upright, and says what was done to its values.

    Colour types of every kind become grey or RGB; alpha is dropped, the EXIF
    orientation is applied. Grey of 16 or 32 bits keeps the upper byte of the
    bits that its values use.

    Args:
      path: a file in any format that Pillow reads.
      name: what messages call it; default: the path.

    Raises:
      PictureError: no such file, no picture, damaged, larger than
        64 million pixels, or of a kind without an agreed range (floating
        point).
    """
    with _explained(name or os.fspath(path)):
        _refuse_special(path)
        with open(path, "rb") as file:
            head = file.read(_HEAD_BYTES)
        return _decode(path, head)


def decode_picture(data: bytes, name: str) -> Picture:
    """Reads the bytes of a picture file, as `load_picture` does.

    Args:
      data: all of the file.
      name: what messages call it.

    Raises:
      PictureError: as `load_picture`.
    """
    with _explained(name):
        return _decode(io.BytesIO(data), data[:_HEAD_BYTES])


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    """Makes whatever goes wrong in a block a `PictureError`."""
    try:
        yield
    except FileNotFoundError:
        raise PictureError(f"no such picture: {name}") from None
    except PictureError as error:
        raise PictureError(f"cannot read {name}: {error}") from None
    except UnidentifiedImageError:  # It calls bytes by where they lie.
        raise PictureError(
            f"cannot read {name} as a picture (it begins like none); give a "
            "PNG or JPEG file"
        ) from None
    except MemoryError:
        raise PictureError(f"{name} takes more memory than there is") from None
    except Exception as error:  # Pillow's decoders raise a dozen kinds.
        if isinstance(error, OSError) and error.strerror:
            raise PictureError(
                f"cannot read {name}: {error.strerror}"
            ) from None
        raise PictureError(
            f"cannot read {name} as a picture "
            f"({type(error).__name__}: {error}); give a PNG or JPEG file"
        ) from error


def _decode(source: str | os.PathLike | io.BytesIO, head: bytes) -> Picture:
    if kinds.is_heif(head) and not reads_heif():
        raise PictureError(HEIF_ADVICE)
    with Image.open(source) as image:
        _check_header(image)
        return from_image(image)


def from_image(image: Image.Image) -> Picture:
    """Turns a PIL image into pixels, as `load_picture` does.

    Raises:
      PictureError: it is floating point.
    """
    # In place: a picture that needs no turning is not copied.
    ImageOps.exif_transpose(image, in_place=True)
    mode = image.mode
    if mode == "F":
        raise PictureError(
            "pixels are floating point, whose range is not known; save the "
            "picture with 8 or 16 bits"
        )
    if mode.startswith("I"):
        return _from_deep(np.asarray(image).astype(np.int64))
    if mode in ("1", "L", "LA", "La"):
        return Picture(np.asarray(image.convert("L"))[..., np.newaxis])
    return Picture(_rgb(image))


def _rgb(image: Image.Image) -> np.ndarray:
    """Band by band: at once takes twice the memory of the result beside it."""
    pixels = np.empty([image.height, image.width, 3], np.uint8)
    for top in range(0, image.height, BAND_ROWS):
        bottom = min(top + BAND_ROWS, image.height)
        band = image.crop((0, top, image.width, bottom))
        pixels[top:bottom] = np.asarray(band.convert("RGB"))
    return pixels


def reads_heif() -> bool:
    """Whether HEIC pictures can be read here; Pillow learns it then."""
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True


def prepare_picture(
    picture: np.ndarray, size: int, channels: int
) -> np.ndarray:
    """Turns one decoded picture into the pixels that a model takes.

    Channels first, then an antialiased bilinear resize to a square (the
    aspect ratio is not kept), then rounding: the steps and the order of the
    training pipeline.

    Args:
      picture: uint8 [H, W] or [H, W, C], C of 1 (grey), 2 (grey, alpha),
        3 (RGB) or 4 (RGB, alpha); alpha is dropped.
      size: height and width of the result, in pixels.
      channels: 1 for grey, 3 for RGB.

    Returns:
      uint8 [size, size, channels] in [0, 255].

    Raises:
      PictureError: the array is not such a picture.
    """
    picture = _check_picture(picture)
    if channels not in (1, 3):
        raise PictureError(f"`channels` must be 1 or 3; received {channels}")
    planes = _planes(picture, channels)
    if picture.shape[:2] != (size, size):
        rows = _resize_weights(picture.shape[0], size)
        columns = _resize_weights(picture.shape[1], size).T
        planes = [rows @ plane @ columns for plane in planes]
    if channels == 3 and len(planes) == 1:
        planes *= 3
    rounded = np.clip(np.rint(np.stack(planes, axis=-1)), 0, 255)
    return rounded.astype(np.uint8)


def _check_header(image: Image.Image) -> None:
    if image.format not in FORMATS:
        raise PictureError(f"{image.format} is not decoded; save it as PNG")
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise PictureError(
            f"it has {width}x{height} pixels; at most {MAX_PIXELS:,} are "
            "decoded; scale it down"
        )


def _refuse_special(path: str | os.PathLike) -> None:
    special = kinds.special(path)
    if special:
        raise PictureError(f"it is {special}, not a file")


def _from_deep(values: np.ndarray) -> Picture:
    """Grey of more than 8 bits: the upper byte of those that are used."""
    values = np.clip(values, 0, None)
    most = int(values.max())
    depth = next(d for d in BIT_DEPTHS if most < 1 << d)
    note = ""
    if depth != FULL_DEPTH:
        note = f"grey values up to {most}: read as {depth} bits"
    pixels = (values >> (depth - 8)).astype(np.uint8)
    return Picture(pixels[..., np.newaxis], note)


def _check_picture(picture: np.ndarray) -> np.ndarray:
    picture = np.asarray(picture)
    if picture.dtype != np.uint8:
        raise PictureError(
            "a picture must be uint8 with values 0 to 255; received "
            f"{picture.dtype}. Give raw pixels, not normalised ones"
        )
    if picture.ndim == 2:
        picture = picture[..., np.newaxis]
    is_shaped = picture.ndim == 3 and picture.shape[-1] in (1, 2, 3, 4)
    if not is_shaped or 0 in picture.shape:
        raise PictureError(
            "a picture must be [H, W] or [H, W, C] with 1 to 4 channels and "
            f"at least one pixel; received shape {list(picture.shape)}"
        )
    return picture


def _planes(picture: np.ndarray, channels: int) -> list[np.ndarray]:
    """Float32 [H, W] planes: one when the source is grey or becomes grey."""
    if picture.shape[-1] < 3:
        return [picture[..., 0].astype(np.float32)]
    colours = [picture[..., c].astype(np.float32) for c in range(3)]
    if channels == 3:
        return colours
    weighted = zip(GREY_WEIGHTS, colours, strict=True)
    return [sum(np.float32(weight) * plane for weight, plane in weighted)]


@functools.lru_cache(maxsize=16)
def _resize_weights(source: int, target: int) -> np.ndarray:
    """Float32 [target, source]: the triangle kernel, each row summing to 1.

    Pixel centres lie at halves. The kernel is as wide as a target pixel when
    the picture shrinks (antialiasing), and as a source pixel when it grows.
    """
    step = source / target
    centres = (np.arange(target) + 0.5) * step
    positions = np.arange(source) + 0.5
    distance = np.abs(positions[np.newaxis, :] - centres[:, np.newaxis])
    weights = np.maximum(0.0, 1.0 - distance / max(step, 1.0))
    weights /= weights.sum(axis=1, keepdims=True)
    return weights.astype(np.float32)

"""From a stored picture to the JPEG of one face, without TensorFlow.

A picture is somebody's file: its declared size is looked at before memory is
spent on it, and it is decoded in full before anything is kept of it.
"""

import io
import re

import numpy as np
from PIL import Image

from fer_tfds.sources.affectnet.records import Box
from fer_tfds.sources.affectnet.records import Reason
from fer_tfds.sources.affectnet.records import Rejected

# Cameras of the time made up to 24 million; as RGB this takes 192 MB.
MAX_PIXELS = 64_000_000

# What photographs on the web come in. Pillow knows many more formats, some of
# which start other programs.
_FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP")

# Grown by this share of its longer side on each side, a box shows forehead and
# chin, which AffectNet's boxes cut; leaves room for shifts in training.
MARGIN = 0.15

# A face of fewer pixels shows no expression.
_MIN_BOX_PX = 8

# Kaggle's copies have 95 as well; at 96x96 such a face takes about 5 KB.
_JPEG_QUALITY = 95

# A decoder goes over all of a picture for each scan of a JPEG file, even for an
# empty one; progressive ones have about ten. What looks like the marker of one
# may stand by chance in some megabytes that are appended to a photograph.
_MAX_SCANS = 1_000

# Within a scan only restart markers may stand, and 0xff as ff 00.
_SCAN_MARKER, _END_MARKER = b"\xff\xda", b"\xff\xd9"
_FOREIGN_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7]")


def make_jpeg(data: bytes, box: Box | None, size_px: int) -> bytes:
    """Cuts a face out of a picture and scales it.

    The cut is a square around the box, grown by `MARGIN`; without a box it is
    the largest square in the middle of the picture. It is scaled with
    antialiasing (bilinear). Orientation tags (EXIF) are not followed: boxes
    are given in stored pixels, and readers in training ignore the tags too.

    Args:
        data: a picture file, at most `MAX_PIXELS` pixels.
        box: the face, in pixels of the stored picture.
        size_px: side of the square that comes out.

    Returns:
        A JPEG file of `size_px` x `size_px` pixels. A sound one that has that
        size already comes back as it is, byte for byte.

    Raises:
        Rejected: the picture cannot be decoded or is too large, or the box is
            not in it.
    """
    with _open(data) as image:
        if image.width * image.height > MAX_PIXELS:
            raise Rejected(
                Reason.TOO_LARGE, f"{image.width}x{image.height} pixels"
            )
        if image.format == "JPEG" and data.count(_SCAN_MARKER) > _MAX_SCANS:
            raise Rejected(Reason.UNREADABLE_IMAGE, "thousands of scans")
        cut = _find_cut(image.size, box)
        _decode(image)
        if box is None and _is_ready(image, size_px) and _is_clean(data):
            return data
        face = _as_rgb(image.crop(cut))
    scaled = face.resize((size_px, size_px), Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    scaled.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()


def _open(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=_FORMATS)
    except Image.DecompressionBombError as error:
        raise Rejected(Reason.TOO_LARGE, str(error)) from None
    # Besides OSError, Pillow raises SyntaxError and others for broken files.
    except Exception as error:
        raise _unreadable(error) from None


def _decode(image: Image.Image) -> None:
    try:
        image.load()
    except Exception as error:
        raise _unreadable(error) from None


def _unreadable(error: Exception) -> Rejected:
    return Rejected(Reason.UNREADABLE_IMAGE, f"{type(error).__name__}: {error}")


def _is_ready(image: Image.Image, size_px: int) -> bool:
    return (
        image.format == "JPEG"
        and image.mode in ("L", "RGB")
        and image.size == (size_px, size_px)
    )


def _is_clean(data: bytes) -> bool:
    """Whether a JPEG file has one scan that goes to its end without junk.

    Pillow makes up for what is missing or foreign, TensorFlow refuses it.
    """
    foreign = _FOREIGN_MARKER.search(data, data.find(_SCAN_MARKER) + 2)
    return foreign is not None and data[foreign.start() :] == _END_MARKER


def _find_cut(
    size: tuple[int, int], box: Box | None
) -> tuple[int, int, int, int]:
    """The square to cut: left, upper, right, lower, all inside the picture."""
    width, height = size
    if box is None:
        side = min(size)
        left, upper = (width - side) // 2, (height - side) // 2
    else:
        _check_box(size, box)
        longer = max(box.width, box.height)
        # A square that is wider than the picture would have to be filled up
        # or squeezed; both draw faces that do not exist.
        side = min(round(longer * (1 + 2 * MARGIN)), width, height)
        # At the border it is moved, so that the face stays whole.
        left = round(box.x + (box.width - side) / 2)
        upper = round(box.y + (box.height - side) / 2)
        left = min(max(left, 0), width - side)
        upper = min(max(upper, 0), height - side)
    return left, upper, left + side, upper + side


def _check_box(size: tuple[int, int], box: Box) -> None:
    x, y, width, height = box
    inside_x = min(x + width, size[0]) - max(x, 0)
    inside_y = min(y + height, size[1]) - max(y, 0)
    if (
        min(inside_x, inside_y) < _MIN_BOX_PX
        or 2 * inside_x * inside_y < width * height
    ):
        raise Rejected(
            Reason.BAD_BOX,
            f"{width}x{height} at ({x}, {y}) in {size[0]}x{size[1]} pixels",
        )


def _as_rgb(image: Image.Image) -> Image.Image:
    """Any mode as RGB, what is transparent on white."""
    if image.mode.startswith("I;16"):
        # Pillow would clip the 16 bits instead of scaling them.
        grey = np.asarray(image).astype(np.uint16) >> 8
        return Image.fromarray(grey.astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise Rejected(Reason.UNREADABLE_IMAGE, f"mode {image.mode}")
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    background = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(background, image).convert("RGB")

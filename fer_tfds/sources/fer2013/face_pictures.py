"""Decoding a face's picture file, of which nothing is believed beforehand.

The declared size is checked before any pixel is decoded, so that a picture of
a few bytes cannot take gigabytes.
"""

import io

import numpy as np
from PIL import Image

from fer_tfds.sources.records import IMAGE_SIZE_PX
from fer_tfds.sources.records import SourceError

# A face takes 2 KB; this leaves room for notes of photo programs in the file.
MAX_BYTES = 1 << 20

_FORMATS = ("JPEG", "PNG")


def decode_face(content: bytes, source: str) -> np.ndarray:
    """Decodes a grey face of 48x48 pixels.

    Args:
        content: a JPEG or PNG file.
        source: how errors call it, usually a path.

    Returns:
        uint8 [48, 48], grey levels 0 to 255.

    Raises:
        SourceError: it cannot be decoded, has another size, or is not 8-bit
            grey; grey saved as RGB, with three equal channels, is accepted.
    """
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            _check_size(image, source)
            image.load()
    except SourceError:
        raise
    # Besides OSError, Pillow raises SyntaxError and others for broken files.
    except Exception as error:
        raise SourceError(
            f"{source}: this picture cannot be decoded ({error}). Get the file "
            "again."
        ) from error
    pixels = np.asarray(image)
    if image.mode == "RGB" and (pixels == pixels[..., :1]).all():
        return pixels[..., 0]
    if image.mode != "L":
        raise _unexpected(image, source)
    return pixels


def _check_size(image: Image.Image, source: str) -> None:
    if image.size != (IMAGE_SIZE_PX, IMAGE_SIZE_PX):
        raise _unexpected(image, source)


def _unexpected(image: Image.Image, source: str) -> SourceError:
    return SourceError(
        f"{source}: expected an 8-bit grey picture (mode L, or RGB with three "
        f"equal channels) of {IMAGE_SIZE_PX}x{IMAGE_SIZE_PX} pixels. Received: "
        f"mode {image.mode}, {image.size[0]}x{image.size[1]}. Use the original "
        "pictures of the data set."
    )

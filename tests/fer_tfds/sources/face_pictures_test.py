"""Face pictures: what is accepted, and what lies about itself."""

import io

import numpy as np
import pytest
from PIL import Image

from fer_tfds.sources.fer2013 import face_pictures
from fer_tfds.sources.records import SourceError
from tests.fer_tfds.data_fixtures import declare

FACE = (np.arange(48 * 48) % 256).astype(np.uint8).reshape(48, 48)
OTHER_MODES = ("P", "RGBA", "LA", "1")


def encode(image, image_format="PNG"):
    buffer = io.BytesIO()
    image.save(buffer, image_format)
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_grey_is_read_however_it_was_saved(mode):
    content = encode(Image.fromarray(FACE).convert(mode))
    face = face_pictures.decode_face(content, "x")
    assert face.dtype == np.uint8
    np.testing.assert_array_equal(face, FACE)


def colour_in_one_pixel():
    image = Image.fromarray(FACE).convert("RGB")
    image.putpixel((47, 47), (1, 1, 2))
    return image


@pytest.mark.parametrize(
    ("image", "mode"),
    [
        (colour_in_one_pixel(), "RGB"),
        *((Image.fromarray(FACE).convert(m), m) for m in OTHER_MODES),
        (Image.fromarray(FACE.astype(np.uint16) * 257), "I;16"),
    ],
    ids=["colour", *OTHER_MODES, "16_bit"],
)
def test_other_modes_are_an_error(image, mode):
    with pytest.raises(SourceError, match=f"Received: mode {mode}, 48x48"):
        face_pictures.decode_face(encode(image), "x")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be decoded"),
        (b"<html>not found</html>", "cannot be decoded"),
        (encode(Image.fromarray(FACE))[:60], "cannot be decoded"),
        (encode(Image.fromarray(FACE), "BMP"), "cannot be decoded"),
        (encode(Image.fromarray(FACE), "TIFF"), "cannot be decoded"),
        (declare(48, 49), "Received: mode L, 48x49"),
        (declare(10_000, 1_000), "Received: mode L, 10000x1000"),
        (declare(1 << 15, 1 << 15), "cannot be decoded"),
        (declare(0, 0), "cannot be decoded|Received"),
    ],
    ids=lambda value: str(value)[-40:],
)
def test_other_content_is_an_error(content, message):
    with pytest.raises(SourceError, match=message):
        face_pictures.decode_face(content, "x")


def test_size_is_checked_before_decoding(monkeypatch):
    def load(self):
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    with pytest.raises(SourceError, match="9000x9000"):
        face_pictures.decode_face(declare(9000, 9000), "x")

"""From a stored picture to the JPEG of one face."""

import io
import itertools

import numpy as np
import pytest
from PIL import Image

from fer_tfds.drawing import photos
from fer_tfds.sources.affectnet.images import make_jpeg
from fer_tfds.sources.affectnet.records import Box
from fer_tfds.sources.affectnet.records import Rejected
from tests.fer_tfds.data_fixtures import declare

SEED = 7
RED, GREEN, BLUE = (250, 0, 0), (0, 250, 0), (0, 0, 250)


def encode(image, form="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def decode(data):
    image = Image.open(io.BytesIO(data))
    assert (image.format, image.mode) == ("JPEG", "RGB")
    return np.asarray(image).astype(int)


def with_square(size, left, upper, side):
    """A blue picture with a green square."""
    image = Image.new("RGB", size, BLUE)
    image.paste(GREEN, (left, upper, left + side, upper + side))
    return encode(image)


def extent(pixels):
    """How far the green square goes: left, upper, right, lower."""
    is_green = pixels[..., 1] > 125
    rows, columns = np.flatnonzero(is_green.any(1)), is_green.any(0)
    columns = np.flatnonzero(columns)
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


@pytest.mark.parametrize(
    ("size", "square", "box", "expected"),
    [
        # 100 pixels and 15 on each side come to 130, at 130 pixels a side.
        ((400, 300), (150, 100), (150, 100, 100, 100), (15, 15, 115, 115)),
        # Moved inside at the border: the face stays whole.
        ((400, 300), (0, 0), (0, 0, 100, 100), (0, 0, 100, 100)),
        ((400, 300), (300, 200), (300, 200, 100, 100), (30, 30, 130, 130)),
        # No larger than the picture: 110 pixels for 130.
        ((400, 110), (150, 5), (150, 5, 100, 100), (6, 6, 124, 124)),
        # What is no square is not squeezed.
        ((400, 300), (150, 100), (150, 120, 100, 60), (15, 15, 115, 115)),
    ],
    ids=["middle", "upper_left", "lower_right", "low_picture", "no_square"],
)
def test_a_box_grows_to_a_square_in_the_picture(size, square, box, expected):
    data = with_square(size, *square, 100)
    pixels = decode(make_jpeg(data, Box(*box), 130))
    np.testing.assert_allclose(extent(pixels), expected, atol=1)


def test_without_a_box_the_middle_is_cut_and_scaling_is_antialiased():
    data = with_square((300, 100), 100, 0, 100)
    pixels = decode(make_jpeg(data, None, 50))
    np.testing.assert_allclose(pixels, np.full((50, 50, 3), GREEN), atol=6)
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[:, ::2] = 255
    pixels = decode(make_jpeg(encode(Image.fromarray(stripes)), None, 48))
    np.testing.assert_allclose(pixels, np.full((48, 48, 3), 127), atol=8)


@pytest.mark.parametrize("number", range(5))
def test_the_cut_of_a_drawn_photo_shows_the_drawn_face(number):
    photographer = photos.Photographer(SEED)
    photo, box = photographer.draw_photo(3, number)
    pixels = decode(make_jpeg(encode(photo), Box(*box), 96)).astype(np.uint8)
    left, upper, width, height = box
    side = min(round(1.3 * max(width, height)), *photo.size)
    size = (96 * width // side, 96 * height // side)
    face = photo.crop((left, upper, left + width, upper + height)).resize(size)

    def likeness(x, y):
        cut = pixels[y : y + size[1], x : x + size[0]]
        return np.corrcoef(cut.ravel(), np.asarray(face).ravel())[0, 1]

    # Near the border the face is not in the middle of the cut.
    places = itertools.product(range(97 - size[0]), range(97 - size[1]))
    assert max(likeness(x, y) for x, y in places) > 0.97


def orange(mode):
    return Image.new("RGB", (64, 64), (200, 100, 50)).convert(mode)


def see_through():
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    image.paste((200, 100, 50, 255), (0, 0, 64, 32))
    return image


def sixteen_bits():
    return Image.fromarray(np.full((64, 64), 100 << 8, np.uint16))


ORANGE = (200, 100, 50)
# What is stored, and how the upper and the lower half of it look.
MODES = {
    "grey": (encode(orange("L")), (124,) * 3, (124,) * 3),
    "cmyk": (encode(orange("CMYK"), "JPEG"), ORANGE, ORANGE),
    "palette": (encode(orange("P")), ORANGE, ORANGE),
    "gif": (encode(orange("P"), "GIF"), ORANGE, ORANGE),
    "webp": (encode(orange("RGB"), "WEBP"), ORANGE, ORANGE),
    "tiff": (encode(orange("RGB"), "TIFF"), ORANGE, ORANGE),
    "bmp": (encode(orange("RGB"), "BMP"), ORANGE, ORANGE),
    "alpha": (encode(see_through()), ORANGE, (255, 255, 255)),
    "sixteen": (encode(sixteen_bits()), (100,) * 3, (100,) * 3),
}


@pytest.mark.parametrize(("data", "upper", "lower"), MODES.values(), ids=MODES)
def test_any_mode_becomes_rgb(data, upper, lower):
    pixels = decode(make_jpeg(data, None, 32))
    np.testing.assert_allclose(pixels[4, 4], upper, atol=12)
    np.testing.assert_allclose(pixels[-4, -4], lower, atol=12)


def test_orientation_tags_are_not_followed():
    image = Image.new("RGB", (64, 64), BLUE)
    image.paste(GREEN, (0, 0, 64, 32))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    data = encode(image, "JPEG", exif=exif)
    pixels = decode(make_jpeg(data, None, 32))
    assert pixels[4, 4, 1] > 200


def test_a_jpeg_of_the_right_size_stays_as_it_is():
    data = encode(orange("RGB"), "JPEG", quality=50)
    assert make_jpeg(data, None, 64) == data
    assert make_jpeg(data, None, 48) != data
    assert make_jpeg(data, Box(0, 0, 64, 64), 64) != data
    assert decode(make_jpeg(encode(orange("RGB")), None, 64)).shape[0] == 64


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data + b"\0",
        lambda data: data[:-2] + b"\xff\xd1",
        lambda data: data[:-40] + b"\xff\xed" + data[-38:],
    ],
    ids=["after_the_end", "without_end", "in_the_scan"],
)
def test_a_jpeg_with_junk_in_it_is_written_anew(change):
    drawn = photos.Photographer(SEED).draw_face(0, 0, 64)
    data = change(encode(drawn, "JPEG"))
    with Image.open(io.BytesIO(data)) as image:
        image.load()  # Pillow takes it
    assert make_jpeg(data, None, 64) != data


UNREADABLE = {
    "empty": b"",
    "text": b"not a picture",
    "cut": encode(orange("RGB"), "JPEG")[:400],
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    "floats": encode(orange("F"), "TIFF"),
    "format_of_no_photo": encode(orange("RGB"), "PPM"),
    "lying": declare(4_000, 4_000),
}
BAD_BOXES = {
    "outside": (70, 0, 40, 40),
    "half_outside": (44, 0, 50, 50),
    "flat": (0, 0, 0, 40),
    "negative": (0, 0, -40, -40),
    "tiny": (0, 0, 7, 7),
    "astronomic": (10**30, 0, 10**31, 9),
}
REJECTED = {
    **{k: (data, None, "unreadable_image") for k, data in UNREADABLE.items()},
    "large": (declare(8_001, 8_000), None, "too_large"),
    "huge": (declare(60_000, 60_000), None, "too_large"),
    **{
        name: (encode(orange("RGB")), Box(*box), "bad_box")
        for name, box in BAD_BOXES.items()
    },
}


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("data", "box", "reason"), REJECTED.values(), ids=REJECTED
)
def test_what_cannot_be_used_is_rejected(data, box, reason):
    with pytest.raises(Rejected) as caught:
        make_jpeg(data, box, 48)
    assert caught.value.reason == reason


def test_a_jpeg_of_thousands_of_scans_is_rejected():
    """Each takes milliseconds and ten bytes: a small file would take hours."""
    data = encode(Image.new("L", (64, 64)), "JPEG", progressive=True)
    start = data.index(b"\xff\xda")
    empty = data[start : start + 10] + b"\0"
    few, many = (data[:start] + empty * n + data[start:] for n in (100, 1000))
    assert make_jpeg(few, None, 48)
    with pytest.raises(Rejected, match="thousands of scans"):
        make_jpeg(many, None, 48)

"""Tests of edge/pictures.py: files of every kind, and known resizes."""

import numpy as np
import pytest
from PIL import Image

from edge import pictures
from tests.edge import edge_fixtures


def gradient(height=6, width=9):
    rows, columns = np.mgrid[:height, :width]
    return (rows * 20 + columns * 10).astype(np.uint8)


def colours():
    grey = gradient()
    return np.stack([grey, 255 - grey, grey // 2], axis=-1)


@pytest.mark.parametrize(
    ("mode", "suffix", "channels"),
    [
        ("L", "png", 1),
        ("LA", "png", 1),
        ("1", "png", 1),
        ("I;16", "png", 1),
        ("RGB", "png", 3),
        ("RGBA", "png", 3),
        ("P", "png", 3),
        ("CMYK", "jpg", 3),
        ("RGB", "tiff", 3),
        ("L", "bmp", 1),
    ],
)
def test_every_kind_of_file_becomes_grey_or_rgb(
    tmp_path, mode, suffix, channels
):
    if mode == "I;16":
        image = Image.fromarray(gradient().astype(np.uint16) * 256)
    else:
        image = Image.fromarray(colours()).convert(mode)
    path = tmp_path / f"face.{suffix}"
    image.save(path)
    picture = pictures.read_picture(path)
    assert picture.dtype == np.uint8
    assert picture.shape == (6, 9, channels)


def test_16_bits_keep_their_upper_byte(tmp_path):
    path = tmp_path / "deep.png"
    values = gradient().astype(np.uint16) * 256 + 255
    Image.fromarray(values).save(path)
    np.testing.assert_array_equal(
        pictures.read_picture(path)[..., 0], gradient()
    )


@pytest.mark.parametrize(
    ("depth", "dtype", "suffix"),
    [
        (8, np.uint16, "png"),
        (10, np.uint16, "png"),
        (12, np.uint16, "tif"),
        (14, np.uint16, "png"),
        (16, np.int32, "tif"),
        (24, np.int32, "tif"),
        (31, np.int32, "tif"),
    ],
)
def test_grey_is_scaled_by_the_bits_that_its_values_use(
    tmp_path, depth, dtype, suffix
):
    path = tmp_path / f"deep.{suffix}"
    values = (gradient() + 60).astype(np.int64)  # Up to 240.
    Image.fromarray((values << (depth - 8)).astype(dtype)).save(path)
    read = pictures.load_picture(path)
    # The 31 bits of a positive number are read as 32.
    expected = values // 2 if depth == 31 else values
    np.testing.assert_array_equal(read.pixels[..., 0], expected)
    said = f"read as {32 if depth == 31 else depth} bits"
    assert said in read.note if depth != 16 else read.note == ""


def test_negative_grey_is_black(tmp_path):
    path = tmp_path / "deep.tif"
    values = gradient().astype(np.int32) * 256 - 5000
    Image.fromarray(values).save(path)
    picture = pictures.read_picture(path)[..., 0]
    np.testing.assert_array_equal(picture, np.clip(values, 0, None) >> 8)


def test_alpha_is_dropped_not_blended(tmp_path):
    path = tmp_path / "clear.png"
    clear = np.zeros([6, 9, 1], np.uint8)
    Image.fromarray(np.concatenate([colours(), clear], axis=-1)).save(path)
    np.testing.assert_array_equal(pictures.read_picture(path), colours())


def test_transparent_palette_keeps_its_colours(tmp_path):
    path = tmp_path / "palette.png"
    image = Image.fromarray(gradient() % 2).convert("P")
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.save(path, transparency=0)
    picture = pictures.read_picture(path)
    assert picture[0, 0].tolist() in ([10, 20, 30], [200, 100, 50])
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) <= 2


def test_exif_orientation_is_applied(tmp_path):
    path = tmp_path / "turned.png"
    exif = Image.Exif()
    exif[0x0112] = 6  # Turned a quarter: to be shown rotated clockwise.
    Image.fromarray(gradient()).save(path, exif=exif)
    expected = np.rot90(gradient(), k=-1)
    np.testing.assert_array_equal(pictures.read_picture(path)[..., 0], expected)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("text", "bad.tiff"),
        ("empty", "bad.tiff"),
        ("folder", "bad.tiff"),
        ("cut", "bad.tiff"),
        ("float", r"bad\.tiff.*8 or 16 bits"),
        ("missing", r"no such picture.*bad"),
    ],
)
def test_unreadable_files_say_which(tmp_path, damage, message):
    path = tmp_path / "bad.tiff"
    edge_fixtures.break_file(path, damage)
    if damage == "float":
        Image.fromarray(gradient().astype(np.float32)).save(path)
    elif damage == "cut":
        noise = np.random.default_rng(0).integers(0, 256, [64, 64], np.uint8)
        Image.fromarray(noise).save(path, format="PNG")
        path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(pictures.PictureError, match=message):
        pictures.read_picture(path)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros([4, 4], np.float32), "must be uint8.*float32"),
        (np.zeros([4], np.uint8), r"received shape \[4\]"),
        (np.zeros([4, 4, 5], np.uint8), r"received shape \[4, 4, 5\]"),
        (np.zeros([0, 4, 1], np.uint8), "at least one pixel"),
    ],
    ids=["dtype", "rank", "channels", "empty"],
)
def test_wrong_arrays_are_refused(picture, message):
    with pytest.raises(pictures.PictureError, match=message):
        pictures.prepare_picture(picture, 4, 1)
    with pytest.raises(pictures.PictureError, match="must be 1 or 3"):
        pictures.prepare_picture(gradient(), 4, 2)


def test_a_picture_that_fits_is_left_alone():
    square = gradient(8, 8)
    np.testing.assert_array_equal(
        pictures.prepare_picture(square, 8, 1)[..., 0], square
    )


@pytest.mark.parametrize(
    ("colour", "grey"),
    [
        ([200, 100, 50, 0], 124),  # 59.78 + 58.70 + 5.70 = 124.18
        ([1, 2, 30, 255], 5),  # 0.30 + 1.17 + 3.42 = 4.89
    ],
    ids=["down", "up"],
)
def test_grey_follows_the_weights_of_the_eye_and_rounds(colour, grey):
    pixel = np.array([[colour]], np.uint8)
    assert pictures.prepare_picture(pixel, 1, 1).tolist() == [[[grey]]]


def test_grey_is_repeated_for_a_colour_model():
    prepared = pictures.prepare_picture(gradient(8, 8), 8, 3)
    assert prepared.shape == (8, 8, 3)
    np.testing.assert_array_equal(prepared[..., 0], prepared[..., 2])


def test_shrinking_averages_with_a_triangle():
    # Halving: target pixel 0 sits at 1.0 with weights 3, 3, 1 of 7 on the
    # source pixels at 0.5, 1.5, 2.5 (distance / 2 from the centre).
    row = np.array([[0, 70, 210, 0]] * 4, np.uint8)
    prepared = pictures.prepare_picture(row, 2, 1)
    assert prepared[0, 0, 0] == (3 * 0 + 3 * 70 + 1 * 210) // 7
    assert prepared[0, 1, 0] == (1 * 70 + 3 * 210 + 3 * 0) // 7


def test_growing_interpolates_between_centres():
    row = np.array([[0, 100]] * 2, np.uint8)
    prepared = pictures.prepare_picture(row, 4, 1)
    assert prepared[0, :, 0].tolist() == [0, 25, 75, 100]

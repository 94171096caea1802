"""Tests of what `Classifier.classify` takes: paths, PIL images, arrays."""

import io
import os

import numpy as np
import pytest
from PIL import Image

import edge
from tests.edge import edge_fixtures


@pytest.fixture(scope="module")
def classifier():
    return edge.Classifier(edge_fixtures.model_path())


@pytest.fixture
def light(tmp_path):
    return edge_fixtures.save_picture(tmp_path / "light.png", 250)


KINDS = {
    "path": lambda path: path,
    "text": str,
    "image": Image.open,
    "grey with alpha": lambda path: Image.open(path).convert("LA"),
    "palette": lambda path: Image.open(path).convert("P"),
    "array": lambda path: np.asarray(Image.open(path)),
    "in memory": lambda path: Image.open(io.BytesIO(path.read_bytes())),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_may_be_given_in_many_ways(classifier, light, kind):
    expected = classifier.classify(edge.read_picture(light))
    assert classifier.classify(KINDS[kind](light)) == expected
    several = [KINDS[kind](light), KINDS["path"](light)]
    assert classifier.classify(several) == [expected, expected]
    assert classifier.classify(iter(several)) == [expected, expected]


def test_a_pil_image_is_turned_upright(classifier, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.zeros([16, 16], np.uint8)
    pixels[:8] = 250
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    turned = edge.read_picture(tmp_path / "a.png")
    expected = classifier.classify(turned)
    assert classifier.classify(Image.open(tmp_path / "a.png")) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "None is no picture; cv2.imread gives it.*path itself"),
        ([None], "None is no picture"),
        (b"\x89PNG", "bytes are no picture.*BytesIO"),
        ("gone.png", "no such picture: gone.png"),
        (5, "a path, a PIL image or a uint8 array.*received int"),
        ([[1, 2], [3, 4]], "received list"),
        (np.zeros([4, 4]), "uint8"),
        ({"a": 1}, "no such picture: a"),
    ],
    ids=str,
)
def test_what_is_no_picture_is_told_what_to_give(classifier, given, message):
    with pytest.raises(ValueError, match=message):
        classifier.classify(given)


def test_a_pipe_is_refused_and_not_waited_for(classifier, tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ValueError, match="it is a pipe, not a file"):
        classifier.classify(tmp_path / "pipe.png")


def test_an_image_is_left_as_it_was_given(classifier):
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    image = Image.fromarray(pixels)
    image.getexif()[0x0112] = 6  # To be turned by a quarter, clockwise.
    turned = classifier.classify(np.rot90(pixels, -1))
    assert classifier.classify(image) == turned
    assert image.size == (40, 30)
    assert image.getexif()[0x0112] == 6

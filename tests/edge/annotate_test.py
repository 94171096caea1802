"""Tests of edge/annotate.py on crowded pictures: where words stand."""

import numpy as np
import pytest
from PIL import Image

from edge import annotate
from edge import boxes
from edge.analyser import Face
from edge.boxes import Box

GREY = 90
ANSWER = {"happy": 0.93, "sad": 0.07}
UNSURE = {"sad": 0.31, "happy": 0.2}
# Relative luminance of text and ground, as WCAG 2 asks of small text.
LEAST_CONTRAST = 4.5


@pytest.fixture
def written(monkeypatch):
    """Places of words, as they are written."""
    seen, write = [], annotate._write

    def spy(pen, text, place, **options):
        seen.append((text, place))
        write(pen, text, place, **options)

    monkeypatch.setattr(annotate, "_write", spy)
    return seen


def draw(faces, size=(400, 300)):
    picture = np.full([size[1], size[0], 3], GREY, np.uint8)
    return annotate.draw(picture, faces)


@pytest.mark.parametrize(
    "box",
    [
        Box(100, 100, 60, 60),
        Box(0, 0, 60, 60),
        Box(340, 0, 60, 60),
        Box(0, 240, 60, 60),
        Box(370, 270, 60, 60),
        Box(-20, -20, 50, 50),
        Box(0, 0, 400, 300),
    ],
    ids=str,
)
@pytest.mark.parametrize("is_sure", [True, False], ids=["sure", "unsure"])
def test_words_stand_inside_the_picture(written, box, is_sure):
    draw([Face(1, box, ANSWER, is_sure=is_sure)])
    ((_, place),) = written
    assert place.left >= 0
    assert place.top >= 0
    assert place.left + place.width <= 400
    assert place.top + place.height <= 300


@pytest.mark.parametrize("across", [2, 4, 6])
def test_words_never_stand_on_another_face_or_word(written, across):
    step = 600 // across
    side = round(step * 0.6)
    faces = [
        Face(row * across + column + 1, place, ANSWER)
        for row in range(3)
        for column in range(across)
        for place in [Box(column * step + 8, row * 190 + 50, side, side)]
    ]
    draw(faces, (600, 600))
    assert len(written) == len(faces)
    for face, (_, place) in zip(faces, written, strict=True):
        others = [other.box for other in faces if other is not face]
        others += [other for _, other in written if other is not place]
        assert all(boxes.is_apart(place, other) for other in others)


def test_words_are_sized_by_their_box(written):
    faces = [
        Face(1, Box(20, 100, 50, 50), ANSWER),
        Face(2, Box(200, 150, 320, 320), ANSWER),
    ]
    draw(faces, (800, 600))
    (_, small), (_, large) = written
    assert large.height > 2 * small.height


def luminance(colour):
    shares = np.array(colour) / 255
    linear = np.where(
        shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4
    )
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    light, dark = sorted([luminance(one), luminance(other)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("label", [*annotate.COLOURS, "unsure"])
def test_words_can_be_read_on_every_colour(monkeypatch, label):
    inks = []

    class Pen:
        def rectangle(self, *_, **__):
            pass

        def text(self, *_, fill, **__):
            inks.append(fill)

    is_sure = label != "unsure"
    ground = annotate.colour(label) if is_sure else annotate.QUIET
    annotate._write(Pen(), "x", Box(0, 0, 9, 9), font=None, ground=ground)
    assert contrast(ground, inks[0]) >= LEAST_CONTRAST


def test_expressions_have_colours_of_their_own():
    colours = {annotate.colour(label) for label in annotate.COLOURS}
    assert len(colours) == 8
    assert annotate.QUIET not in colours
    assert annotate.colour("a label of one's own") in colours


def test_unsure_answers_are_grey_and_thin(written):
    box = Box(60, 60, 200, 200)
    sure = draw([Face(1, box, UNSURE)])
    unsure = draw([Face(1, box, UNSURE, is_sure=False)])
    assert [text for text, _ in written] == ["1 sad 31%", "1 unsure (sad 31%)"]
    row = box.top + 150
    thick = (sure[row, box.left : box.left + 40] != GREY).any(axis=-1).sum()
    thin = (unsure[row, box.left : box.left + 40] != GREY).any(axis=-1).sum()
    assert (thick > 1, thin) == (True, 1)
    assert tuple(unsure[row, box.left]) == annotate.QUIET
    assert tuple(sure[row, box.left]) == annotate.colour("sad")
    colours = np.ptp(unsure.astype(int), axis=-1)
    assert colours.max() == 0  # Nothing but grey.


def test_words_can_be_read_on_a_copy_as_wide_as_a_phone(written):
    """Of 4,000 pixels a phone shows 390 at three times the density."""
    draw([Face(1, Box(1000, 1000, 300, 300), ANSWER)], (4000, 3000))
    ((_, place),) = written
    assert place.height * 390 * 3 / 4000 >= 12


def test_grey_pictures_are_drawn_on_in_colour():
    picture = np.asarray(Image.new("L", (100, 100), GREY))[..., np.newaxis]
    drawn = annotate.draw(picture, [Face(1, Box(10, 40, 50, 50), ANSWER)])
    assert drawn.shape == (100, 100, 3)
    assert tuple(drawn[60, 10]) == annotate.colour("happy")

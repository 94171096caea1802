"""Synthetic faces as in AffectNet; readers' tests say what they hold."""

import functools
import io

import numpy as np
import pytest
from PIL import Image

from fer_tfds import synthetic
from fer_tfds.drawing import faces
from fer_tfds.drawing import photos
from tests.fer_tfds.affectnet_fixtures import SEED
from tests.fer_tfds.affectnet_fixtures import read_all

NO_FACE = 10


@pytest.mark.parametrize("row", [[1] * 7, [-1] * 8, []])
def test_impossible_counts_are_an_error(tmp_path, row):
    with pytest.raises(ValueError, match="`counts` must give 8 or 11 counts"):
        synthetic.write("full", tmp_path, {"train": row}, seed=SEED)


def test_the_release_gets_rows_without_expression(tmp_path):
    synthetic.write("full", tmp_path, {"train": [5] * 8}, seed=SEED)
    rows = read_all(tmp_path)
    labels = np.bincount([r.label for r in rows if hasattr(r, "label")])
    assert labels.tolist() == [5] * 8 + [2, 2]
    assert len(rows) == 46


def test_photos_are_of_mixed_sizes_with_the_face_inside():
    photographer = photos.Photographer(SEED)
    sizes = set()
    for number in range(40):
        photo, (x, y, width, height) = photographer.draw_photo(0, number)
        assert 0 <= x <= photo.width - width
        assert 0 <= y <= photo.height - height
        assert photo.mode == "RGB"
        sizes.add(width)
    assert min(sizes) < 90
    assert max(sizes) > 250


def test_a_photo_depends_on_seed_number_and_label_alone():
    one = photos.Photographer(SEED)
    one.draw_photo(3, 1)
    first, place = one.draw_photo(3, 2)
    second, other_place = photos.Photographer(SEED).draw_photo(3, 2)
    assert (first.tobytes(), place) == (second.tobytes(), other_place)
    for photographer, label, number in (
        (photos.Photographer(SEED + 1), 3, 2),
        (one, 4, 2),
        (one, 3, 3),
    ):
        photo, _ = photographer.draw_photo(label, number)
        assert photo.tobytes() != first.tobytes()


@functools.cache
def features(name, seed):
    images = [
        faces.draw_face(name, np.random.default_rng((seed, index)))
        for index in range(150)
    ]
    rows = np.stack(images).reshape(150, -1).astype(float)
    return (rows - rows.mean(1, keepdims=True)) / rows.std(1, keepdims=True)


@pytest.mark.parametrize("other", ["neutral", "happy", "sad", "disgust"])
def test_contempt_can_be_told_from_what_is_most_like_it(other):
    train = np.concatenate([features("contempt", 1), features(other, 2)])
    gram = train @ train.T + 300 * np.eye(300)
    weights = train.T @ np.linalg.solve(gram, np.repeat([1.0, -1.0], 150))
    right = [features("contempt", 3) @ weights > 0]
    right += [features(other, 4) @ weights < 0]
    # A linear model cannot follow a mouth that is drawn up on either side;
    # on 300 faces guessing comes to 0.5 with a deviation of 0.03.
    assert np.mean(right) > 0.65


def test_where_no_face_is_there_is_background():
    photo, _ = photos.Photographer(SEED).draw_photo(NO_FACE, 0)
    pixels = np.asarray(photo, int)
    # Blurred patches: neighbours are alike, as the grain of a face is not.
    assert np.abs(np.diff(pixels, axis=0)).mean() < 5
    assert Image.open(io.BytesIO(photos.to_jpeg(photo))).format == "JPEG"

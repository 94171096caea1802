"""Drawn faces in AffectNet's layouts; readers' tests say what they hold."""

import functools
import io

import numpy as np
import pytest
from PIL import Image

from fer_tfds.drawing import affectnet
from fer_tfds.drawing import affectnet_files
from fer_tfds.drawing import faces as drawn_faces
from fer_tfds.drawing import photos
from tests.fer_tfds.affectnet_fixtures import COUNTS
from tests.fer_tfds.affectnet_fixtures import SEED
from tests.fer_tfds.affectnet_fixtures import read_all

NO_FACE = 10


def read_tree(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("layout", affectnet.LAYOUTS)
def test_layout_is_the_same_to_the_byte(tmp_path, layout):
    for name in ("a", "b"):
        affectnet.LAYOUTS[layout](tmp_path / name, COUNTS, SEED)
    assert read_tree(tmp_path / "a") == read_tree(tmp_path / "b")
    affectnet.LAYOUTS[layout](tmp_path / "c", COUNTS, SEED + 1)
    assert read_tree(tmp_path / "a") != read_tree(tmp_path / "c")


def test_writing_twice_needs_overwrite(tmp_path):
    write = affectnet.write_class_folders
    write(tmp_path, COUNTS, SEED)
    other = tmp_path / "other.txt"
    other.write_text("mine")
    with pytest.raises(ValueError, match=r"exists already.*--overwrite"):
        write(tmp_path, COUNTS, SEED)
    write(tmp_path, {"train": [1] * 8}, SEED, overwrite=True)
    assert len(read_all(tmp_path)) == 8
    assert other.read_text() == "mine"


def test_real_data_is_never_overwritten(tmp_path):
    real = tmp_path / "training.csv"
    real.write_text("precious")
    with pytest.raises(ValueError, match="may be real data"):
        affectnet.write_full(tmp_path, COUNTS, SEED, overwrite=True)
    assert real.read_text() == "precious"


@pytest.mark.parametrize("row", [[1] * 7, [-1] * 8, []])
def test_impossible_counts_are_an_error(tmp_path, row):
    with pytest.raises(ValueError, match="`counts` must give 8 or 11 counts"):
        affectnet.write_full(tmp_path, {"train": row}, SEED)


def test_the_release_gets_rows_without_expression(tmp_path):
    affectnet.write_full(tmp_path, {"train": [5] * 8}, SEED)
    rows = read_all(tmp_path)
    labels = np.bincount([r.label for r in rows if hasattr(r, "label")])
    assert labels.tolist() == [5] * 8 + [2, 2]
    assert len(rows) == 46


def test_as_many_rows_are_broken_as_was_asked(tmp_path):
    items = affectnet_files.list_items({"train": [20] * 8}, SEED)
    files = dict(affectnet_files.full_files(items, SEED, 0.1))
    assert files["training.csv"].count(b"\n") == 1 + 160 + 16


def test_photos_are_of_mixed_sizes_with_the_face_inside():
    photographer = photos.Photographer(SEED)
    sizes = set()
    for number in range(40):
        photo, (x, y, width, height) = photographer.draw_photo(0, number)
        assert min(x, y) >= 0
        assert x + width <= photo.width
        assert y + height <= photo.height
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
    faces = [
        drawn_faces.draw_face(name, np.random.default_rng((seed, index)))
        for index in range(150)
    ]
    rows = np.stack(faces).reshape(150, -1).astype(float)
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

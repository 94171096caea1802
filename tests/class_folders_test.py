"""Pictures in class folders: read right, and every way to be broken."""

import dataclasses
import io
import shutil

import numpy as np
import pytest
from PIL import Image

from fer_tfds import synthetic
from fer_tfds.sources.records import SourceError
from tests.data_fixtures import COUNTS
from tests.data_fixtures import SEED
from tests.data_fixtures import contents
from tests.data_fixtures import read_all


@pytest.fixture(scope="module")
def drawn():
    return synthetic.draw_records(COUNTS, SEED)


@pytest.fixture
def folders(tmp_path):
    synthetic.write_class_folders(tmp_path, COUNTS, SEED)
    return tmp_path


def test_folders_give_the_jpeg_pixels_back(folders, drawn):
    records = read_all(folders)
    jpegs = np.stack([through_jpeg(image) for image in drawn.images])
    expected = dataclasses.replace(drawn, images=jpegs)
    assert contents(records) == contents(expected)
    for name in records.ids:
        assert (folders / name).is_file()


def through_jpeg(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=95)
    return np.asarray(Image.open(buffer))


def test_other_folder_names_give_the_same_labels(folders):
    before = read_all(folders)
    for part in ("train", "test"):
        (folders / part / "disgust").rename(folders / part / "disgusted")
        (folders / part / "angry").rename(folders / part / "Anger")
        (folders / part / ".DS_Store").write_text("")
        (folders / part / "sad" / "Thumbs.db").write_text("")
    after = read_all(folders)
    order = np.argsort([name.split("/")[-1] for name in before.ids])
    other = np.argsort([name.split("/")[-1] for name in after.ids])
    np.testing.assert_array_equal(before.labels[order], after.labels[other])


def break_folders(folders, what):
    """Breaks one thing; returns the path that the error must name."""
    picture = next((folders / "train" / "fear").iterdir())
    if what == "no_test":
        shutil.rmtree(folders / "test")
        return folders / "test"
    if what == "no_class":
        shutil.rmtree(folders / "train" / "sad")
        return folders / "train"
    if what == "empty_class":
        shutil.rmtree(folders / "test" / "sad")
        (folders / "test" / "sad").mkdir()
        return folders / "test" / "sad"
    if what in ("bored", "contempt", "surprised", "2"):
        (folders / "train" / what).mkdir()
        return folders / "train" / what
    if what == "stray_file":
        (folders / "train" / "notes.txt").write_text("x")
        return folders / "train" / "notes.txt"
    if what in ("im1.png", "PublicTest_1.jpg", "Training_x.jpg"):
        return picture.rename(picture.with_name(what))
    if what == "truncated":
        picture.write_bytes(picture.read_bytes()[:400])
    elif what == "empty_file":
        picture.write_bytes(b"")
    elif what == "text":
        picture.write_bytes(b"<html>not found</html>")
    elif what == "size":
        Image.new("L", (47, 48)).save(picture)
    elif what == "colour":
        Image.new("RGB", (48, 48)).save(picture)
    return picture


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("no_test", "this folder is absent"),
        ("no_class", "no folder for sad"),
        ("empty_class", "this folder is empty"),
        ("bored", "one folder for each class of angry, disgust"),
        ("contempt", "one folder for each class"),
        ("surprised", "one folder for each class"),
        ("2", "one folder for each class"),
        ("stray_file", "and nothing else"),
        ("im1.png", "expected only files called Training_<number>.jpg"),
        ("PublicTest_1.jpg", "expected only files called Training_"),
        ("Training_x.jpg", "expected only files called Training_"),
        ("truncated", "cannot be decoded"),
        ("empty_file", "cannot be decoded"),
        ("text", "cannot be decoded"),
        ("size", "of 48x48 pixels. Received: mode L, 47x48"),
        ("colour", "Received: mode RGB, 48x48"),
    ],
)
def test_broken_folders_are_named(folders, what, message):
    path = break_folders(folders, what)
    with pytest.raises(SourceError) as caught:
        read_all(folders)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)

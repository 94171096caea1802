"""Pictures in class folders: read right, and every way to be broken."""

import dataclasses
import io
import shutil

import numpy as np
import pytest
from PIL import Image

from fer_tfds import synthetic
from fer_tfds.sources import records as face_records
from fer_tfds.sources.fer2013 import class_folders
from fer_tfds.sources.records import SourceError
from tests.fer_tfds import data_fixtures as data


@pytest.fixture
def folders(tmp_path):
    synthetic.write("folders", tmp_path, data.COUNTS, seed=data.SEED)
    return tmp_path


def through_jpeg(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=95)
    return np.asarray(Image.open(buffer))


def test_folders_give_the_jpeg_pixels_back(folders, drawn):
    records = data.read_all(folders)
    jpegs = np.stack([through_jpeg(image) for image in drawn.images])
    expected = dataclasses.replace(drawn, images=jpegs)
    assert data.contents(records) == data.contents(expected)
    for name in records.ids:
        assert (folders / name).is_file()


def test_other_folder_names_give_the_same_labels(folders):
    before = data.read_all(folders)
    for part in ("train", "test"):
        (folders / part / "disgust").rename(folders / part / "disgusted")
        (folders / part / "angry").rename(folders / part / "Anger")
        (folders / part / ".DS_Store").write_text("")
        (folders / part / "sad" / "Thumbs.db").write_text("")
    after = data.read_all(folders)
    order = np.argsort([name.split("/")[-1] for name in before.ids])
    other = np.argsort([name.split("/")[-1] for name in after.ids])
    np.testing.assert_array_equal(before.labels[order], after.labels[other])


@pytest.mark.parametrize("name", ["validation", "val", "Valid"])
def test_folders_may_be_train_and_validation(tmp_path, drawn, name):
    synthetic.write("numbered_files", tmp_path, data.COUNTS, seed=data.SEED)
    folder = tmp_path / "images" / "validation"
    folder.rename(folder.with_name(name))
    records = data.read_all(tmp_path)
    splits = [split.replace("test", "validation") for split in drawn.splits]
    jpegs = np.stack([through_jpeg(image) for image in drawn.images])
    expected = dataclasses.replace(drawn, images=jpegs, splits=splits)
    assert data.contents(records) == data.contents(expected)


def test_png_files_may_lie_in_three_folders(tmp_path):
    synthetic.write("png_folders", tmp_path, data.COUNTS, seed=data.SEED)
    shutil.copytree(tmp_path / "test", tmp_path / "validation")
    assert data.read_all(tmp_path).split_names == face_records.SPLITS


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
        return folders / "test"
    if what in ("bored", "contempt", "2", "fear/more"):
        (folders / "train" / what).mkdir()
        return shutil.copy(picture, folders / "train" / what)
    if what == "notes.txt":
        return shutil.copy(picture, folders / "train" / what)
    if what in ("im1.png", "PublicTest_1.jpg", "Training_x.jpg"):
        return picture.rename(picture.with_name(what))
    if what == "vast":  # Pillow warns of 100 megapixels, and goes on
        Image.new("L", (10_000, 10_000)).save(picture, "PNG")
        return picture
    content = picture.read_bytes()
    cut, padded = content[:400], content + bytes(1 << 20)
    picture.write_bytes(cut if what == "truncated" else padded)
    return picture


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("no_test", "there are no pictures of angry, disgust"),
        ("no_class", "there are no pictures of sad. train and test"),
        ("empty_class", "there are no pictures of sad. train and test"),
        ("bored", "one folder for each class of angry, disgust"),
        ("contempt", "one folder for each class"),
        ("2", "one folder for each class"),
        ("fear/more", "one folder for each class"),
        ("notes.txt", "and nothing else"),
        ("im1.png", "expected only files called Training_<number>.jpg"),
        ("PublicTest_1.jpg", "expected only files called Training_"),
        ("Training_x.jpg", "expected only files called Training_"),
        ("truncated", "cannot be decoded"),
        ("vast", "cannot be decoded (Image size (100000000 pixels) exceeds"),
        ("too_long", "at most 1,048,576 bytes"),
    ],
)
def test_broken_folders_are_named(folders, what, message):
    path = break_folders(folders, what)
    with pytest.raises(SourceError) as caught:
        data.read_all(folders)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_png_copy_has_two_splits_in_the_order_of_its_numbers(tmp_path, drawn):
    synthetic.write("png_folders", tmp_path, data.COUNTS, seed=data.SEED)
    records = data.read_all(tmp_path)
    assert records.split_names == ("train", "test")
    merged = [s.replace("validation", "test") for s in drawn.splits]
    expected = dataclasses.replace(drawn, splits=merged)
    assert data.contents(records) == data.contents(expected)
    folder = tmp_path / "train" / "sad"
    image = (folder / "im0.png").read_bytes()
    for number in (2, 10, 100, 11):
        (folder / f"im{number}.png").write_bytes(image)
    ids = data.read_all(tmp_path).ids
    names = [name for name in ids if name.startswith("train/sad")]
    numbers = [0, 1, 2, 10, 11, 100]
    assert names == [f"train/sad/im{number}.png" for number in numbers]
    for name in ("Training_1.jpg", "im_1.png", "im1.PNG"):
        other = (folder / "im1.png").rename(folder / name)
        with pytest.raises(SourceError, match="expected only files called"):
            data.read_all(tmp_path)
        other.rename(folder / "im1.png")


PACKED = pytest.mark.parametrize(
    "write", [data.write_tar, data.write_zip], ids=["tar", "zip"]
)


def pack(folders, path, write, root):
    files = [p for p in folders.rglob("*") if p.is_file()]
    # Not sorted: a tar archive keeps the order in which it was packed.
    members = {f"{root}{p.relative_to(folders)}": p.read_bytes() for p in files}
    path.parent.mkdir()
    write(path, members)


@PACKED
@pytest.mark.parametrize("root", ["", "archive/fer2013/"])
@pytest.mark.parametrize("layout", ["folders", "png_folders"])
def test_packed_folders_read_the_same(tmp_path, write, root, layout):
    folders = tmp_path / "folders"
    synthetic.write(layout, folders, data.COUNTS, seed=data.SEED)
    pack(folders, tmp_path / "manual" / "a", write, root)
    records = data.read_all(tmp_path / "manual")
    expected = data.read_all(folders)
    assert records.ids == expected.ids
    assert data.contents(records) == data.contents(expected)


@PACKED
def test_broken_picture_in_an_archive_is_named(folders, tmp_path, write):
    picture = break_folders(folders, "truncated")
    archive = tmp_path / "manual" / "a"
    pack(folders, archive, write, "x/")
    with pytest.raises(SourceError) as caught:
        data.read_all(tmp_path / "manual")
    name = f"x/{picture.relative_to(folders)}"
    assert str(caught.value).startswith(f"{archive} ({name}): this picture")


def test_number_of_faces_is_bounded(folders, monkeypatch):
    monkeypatch.setattr(face_records, "MAX_FACES", 27)
    with pytest.raises(SourceError, match="more than 27 faces"):
        data.read_all(folders)


@pytest.mark.parametrize(
    ("name", "root"),
    [
        ("train/sad/im1.png", ""),
        ("a/b/test/Fearful/x", "a/b/"),
        ("train/bored/x.png", None),
        ("train/sad.png", None),
        ("training/sad/x.png", None),
        ("sad/train/x.png", None),
    ],
)
def test_root_of(name, root):
    assert class_folders.root_of(name) == root

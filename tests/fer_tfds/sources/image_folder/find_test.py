"""Which form pictures are in is told by what is there."""

import shutil
import tarfile

import pytest

from edge import crops
from fer_tfds.sources.image_folder import find
from tests.fer_tfds import picture_folders
from tests.fer_tfds.affectnet_fixtures import HEADER
from tests.fer_tfds.picture_folders import TWO
from tests.fer_tfds.picture_folders import P
from tests.fer_tfds.picture_folders import labels_of
from tests.fer_tfds.picture_folders import put
from tests.fer_tfds.picture_folders import refusal


def test_a_folder_is_a_class_wherever_it_lies(tmp_path):
    files = {f"my/faces/{name}": P for name in (*TWO, "b/deep/3.JPG")}
    found = labels_of(put(tmp_path, {**files, "my/faces/notes.txt": "x"}))
    assert found == {
        "my/faces/a/1.png": ("a", "", ""),
        "my/faces/b/2.png": ("b", "", ""),
        "my/faces/b/deep/3.JPG": ("b", "", ""),
    }


def test_pictures_beside_the_class_folders_have_no_label(tmp_path):
    source = find.find_source(put(tmp_path, {**TWO, "stray.png": P}))
    assert source.stray == ["stray.png"]
    assert len(source.pictures) == 2


@pytest.mark.parametrize(
    ("folder", "split"),
    [
        ("Training", "train"),
        ("train", "train"),
        ("VAL", "validation"),
        ("valid", "validation"),
        ("validation", "validation"),
        ("Test", "test"),
    ],
)
def test_split_folders_have_several_names(folder, split, tmp_path):
    put(tmp_path, {f"{folder}/{name}": P for name in TWO})
    assert labels_of(tmp_path) == {
        f"{folder}/a/1.png": ("a", split, ""),
        f"{folder}/b/2.png": ("b", split, ""),
    }


def test_what_a_model_said_of_crops_are_no_labels(tmp_path):
    table = ",".join(crops.COLUMNS) + "\n1.png,1,0,0,9,9,sad,0.9,,a/1.png\n"
    assert labels_of(put(tmp_path, {**TWO, "faces.csv": table})) == {
        "a/1.png": ("a", "", ""),
        "b/2.png": ("b", "", ""),
    }


def test_raf_db_of_its_authors(tmp_path):
    aligned = "Image/aligned"
    files = {
        "EmoLabel/list_patition_label.txt": "train_00001.jpg 5\n"
        "test_0001.jpg 4\n",
        f"{aligned}/train_00001_aligned.jpg": P,
        f"{aligned}/test_0001_aligned.jpg": P,
        "Image/original/train_00001.jpg": P,
    }
    assert labels_of(put(tmp_path, files)) == {
        f"{aligned}/train_00001_aligned.jpg": ("5", "train", ""),
        f"{aligned}/test_0001_aligned.jpg": ("4", "test", ""),
    }
    source = find.find_source(tmp_path)
    assert source.class_names["5"] == "sad"
    assert not source.stray
    (tmp_path / aligned / "test_0001_aligned.jpg").unlink()
    assert "test_0001_aligned.jpg is not there" in refusal(tmp_path)


def test_raf_db_of_kaggle(tmp_path):
    files = {
        "DATASET/train/4/train_00009_aligned.jpg": P,
        "DATASET/test/1/test_0001_aligned.jpg": P,
    }
    found = labels_of(put(tmp_path, files))
    assert list(found.values()) == [("1", "test", ""), ("4", "train", "")]
    assert find.find_source(tmp_path).class_names["1"] == "surprise"


def test_raf_db_with_an_empty_list_is_named(tmp_path):
    files = {"list_patition_label.txt": "\n", "aligned/1_aligned.jpg": P}
    assert "there is not one line" in refusal(put(tmp_path, files))


def test_numbers_alone_are_not_raf_db(tmp_path):
    files = {"train/4/train_1_aligned.jpg": P, "train/4/me.jpg": P}
    source = find.find_source(put(tmp_path, {**files, "train/5/you.jpg": P}))
    assert source.form.startswith("a folder for each split")
    assert not source.class_names


def test_frames_of_ck_48_go_by_their_subject(tmp_path):
    files = {
        "CK+48/anger/S010_004_00000017.png": P,
        "CK+48/happy/S011_006_00000011.png": P,
    }
    source = find.find_source(put(tmp_path, files))
    assert source.form.startswith("CK+48")
    assert source.group_pattern == r"^(S\d{3})_"


def test_folders_of_ferplus_are_built_elsewhere(tmp_path):
    files = {"FER2013Train/label.csv": "x", "FER2013Train/fer0.png": P}
    text = refusal(put(tmp_path, files))
    assert "tfds build fer_tfds/fer2013 --config=plus" in text


@pytest.mark.parametrize(
    ("files", "command"),
    [
        (
            {"train_set/annotations/0_exp.npy": P, "train_set/images/0.jpg": P},
            "tfds build fer_tfds/affectnet",
        ),
        (
            {"training.csv": HEADER + "\n", "Images/1/a.jpg": P},
            "tfds build fer_tfds/affectnet",
        ),
        (
            {"fer2013.csv": "emotion;pixels;Usage\n0;1 2;Training\n"},
            "tfds build fer_tfds/fer2013",
        ),
    ],
    ids=["affectnet8", "affectnet", "fer2013"],
)
def test_other_data_sets_are_built_elsewhere(files, command, tmp_path):
    assert command in refusal(put(tmp_path, files))


def test_copies_of_fer2013_are_told_by_their_names(tmp_path):
    files = {f"train/{c}/Training_{n}.jpg": P for c in "ab" for n in range(2)}
    source = find.find_source(put(tmp_path / "a", files))
    assert "tfds build fer_tfds/fer2013" in source.note
    source = find.find_source(put(tmp_path / "b", TWO))
    assert "fer2013" not in source.note


def test_settings_that_would_not_be_read_are_said(tmp_path):
    folder = put(tmp_path / "photos", {**TWO, "image_folder.json": "{}"})
    archive = picture_folders.pack(folder, tmp_path / "mine.zip")
    for place in (archive, tmp_path):
        assert "image_folder.json): it is read in" in refusal(place)
    put(tmp_path, {"image_folder.json": "{}"})
    assert len(find.find_source(archive).pictures) == 2


def test_tar_archives_have_to_be_unpacked(tmp_path):
    with tarfile.open(tmp_path / "mine.tar.gz", "w:gz") as tar:
        tar.add(put(tmp_path / "photos", TWO), "photos")
    shutil.rmtree(tmp_path / "photos")
    for place in (tmp_path, tmp_path / "mine.tar.gz"):
        assert "Unpack it, and give the folder" in refusal(place)


def test_several_archives_are_listed(tmp_path):
    folder = put(tmp_path / "photos", TWO)
    for name in ("one.zip", "two.zip"):
        picture_folders.pack(folder, tmp_path / name)
    shutil.rmtree(folder)
    assert "several archives in here: one.zip, two.zip" in refusal(tmp_path)


def test_an_archive_is_read_as_the_folder_that_it_was(tmp_path):
    folder = put(tmp_path / "photos", TWO)
    archive = picture_folders.pack(folder, tmp_path / "mine.zip")
    assert labels_of(archive) == labels_of(folder)
    other = tmp_path / "other"
    other.mkdir()
    archive.rename(other / "mine.zip")
    assert labels_of(other) == labels_of(folder)


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ({}, "<class>/<picture>"),
        ({"one.png": P, "two.png": P}, "nothing says what they show"),
        ({"mine.zip": b"<!DOCTYPE html><title>Sign in"}, "web page"),
    ],
)
def test_what_holds_no_labelled_pictures_says_what_would(files, text, tmp_path):
    assert text in refusal(put(tmp_path, files))

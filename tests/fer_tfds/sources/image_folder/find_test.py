"""Which form pictures are in is told by what is there."""

import gzip

import pytest

from edge import crops
from fer_tfds.sources.image_folder import find
from fer_tfds.sources.records import SourceError
from tests.fer_tfds import picture_folders
from tests.fer_tfds.picture_folders import labels_of
from tests.fer_tfds.picture_folders import put

P = b"a picture"
TWO = {"a/1.png": P, "b/2.png": P}


def refusal(folder):
    with pytest.raises(SourceError) as caught:
        find.find_source(folder)
    return str(caught.value)


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


TABLE = """path,label,split,group
one.png,a,train,Ann
two.png,b,val,Ben
"""


@pytest.mark.parametrize(
    "write",
    [
        lambda text: text.encode(),
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace(",", ";").encode(),
        lambda text: text.replace(",", "\t").encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("one", ".\\one").encode(),
        lambda text: text.replace("path,label", "File,Emotion").encode(),
    ],
)
def test_tables_are_read_in_the_dialects_of_people(write, tmp_path):
    files = {"one.png": P, "two.png": P, "labels.csv": write(TABLE)}
    assert labels_of(put(tmp_path, files)) == {
        "one.png": ("a", "train", "Ann"),
        "two.png": ("b", "validation", "Ben"),
    }


def test_a_compressed_table_is_read_as_well(tmp_path):
    packed = gzip.compress(TABLE.encode())
    files = {"one.png": P, "two.png": P, "labels.csv.gz": packed}
    assert labels_of(put(tmp_path, files))["one.png"][0] == "a"


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("one.png", "three.png", "line 2: the picture 'three.png' is not the"),
        ("two.png", "one.png", "line 3: the picture 'one.png' stands there tw"),
        (",val,", ",later,", "line 3: the split 'later' is none of train"),
        ("a,train", ",train", "line 2: there is no label"),
        ("one.png,a,train,Ann", "one.png,a", "line 2: 2 cells, where"),
    ],
)
def test_a_row_that_is_wrong_is_named(old, new, text, tmp_path):
    table = TABLE.replace(old, new)
    put(tmp_path, {"one.png": P, "two.png": P, "labels.csv": table})
    assert text in refusal(tmp_path)


def test_two_tables_are_refused(tmp_path):
    files = {"one.png": P, "two.png": P, "a.csv": TABLE, "b.csv": TABLE}
    assert "several tables" in refusal(put(tmp_path, files))


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

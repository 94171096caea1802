"""Pictures with a table, in the dialects of people, and every wrong row."""

import gzip

import pytest

from fer_tfds.sources.image_folder import find
from tests.fer_tfds import picture_folders
from tests.fer_tfds.picture_folders import TWO
from tests.fer_tfds.picture_folders import P
from tests.fer_tfds.picture_folders import labels_of
from tests.fer_tfds.picture_folders import put
from tests.fer_tfds.picture_folders import refusal

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
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.replace("a,train", '"a","train"').encode(),
        lambda text: text.replace("label,split", "emotion,usage").encode(),
        lambda text: text.replace("\n", "\n,,,\n").encode(),
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
        (",train,", ",,", "line 2: there is no split, and other rows have"),
        ("Ann", '"Ann', "line 3: unexpected end of data"),
        ("one.png,a,train,Ann\ntwo.png,b,val,Ben\n", "", "not one row in"),
    ],
    ids=[
        *("absent", "twice", "split", "label", "cells", "part", "quote"),
        "empty",
    ],
)
def test_a_row_that_is_wrong_is_named(old, new, text, tmp_path):
    table = TABLE.replace(old, new)
    put(tmp_path, {"one.png": P, "two.png": P, "labels.csv": table})
    assert text in refusal(tmp_path)


def test_a_cell_may_hold_separators_and_the_end_of_a_line(tmp_path):
    table = TABLE.replace("Ann", '"Ann, of\nKent"')
    files = {"one.png": P, "two.png": P, "labels.csv": table}
    assert labels_of(put(tmp_path, files)) == {
        "one.png": ("a", "train", "Ann, of\nKent"),
        "two.png": ("b", "validation", "Ben"),
    }


def test_paths_are_those_of_windows_and_relative_to_the_table(tmp_path):
    rows = ["path,label", r"faces\one.png,a", r".\faces\two.png,b"]
    rows += ["my/three.png,c"]
    names = ("my/faces/one.png", "my/faces/two.png", "my/three.png")
    table = {"my/labels.csv": "\n".join(rows)}
    found = labels_of(put(tmp_path, {**dict.fromkeys(names, P), **table}))
    assert dict.fromkeys(names) == dict.fromkeys(found)
    assert [label for label, _, _ in found.values()] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda data: data[:-12], "cut short or damaged"),
        (lambda data: data[:-6] + b"xx" + data[-4:], "cut short or damaged"),
        (lambda data: gzip.compress(b"path,label\n\xff\xff"), "UTF-8"),
    ],
    ids=["cut", "overwritten", "no_text"],
)
def test_a_damaged_table_is_named(change, text, tmp_path):
    packed = change(gzip.compress(TABLE.encode(), mtime=0))
    put(tmp_path, {"one.png": P, "two.png": P, "labels.csv.gz": packed})
    assert text in refusal(tmp_path)


def test_other_tables_do_no_harm(tmp_path):
    others = {
        "notes.csv": "Größe;Farbe\n1;2\n".encode("cp1252"),
        "empty.csv": b"",
        "broken.csv.gz": b"\x1f\x8bno gzip",
        "photos.tsv": "\u4e00".encode("utf-16-le"),
    }
    source = find.find_source(put(tmp_path, {**TWO, **others}))
    assert len(source.pictures) == 2
    assert not source.note


def test_a_table_of_labels_that_is_not_taken_says_why(tmp_path):
    table = {"labels.csv": "photo;label\n1.png;a\n"}
    why = "labels.csv is not read: its columns are photo, label, and none is"
    assert why in find.find_source(put(tmp_path / "a", TWO | table)).note
    assert why in refusal(put(tmp_path / "b", {"1.png": P, **table}))


def test_a_table_without_pictures_says_what_is_missing(tmp_path):
    put(tmp_path, {"labels.csv": TABLE})
    assert "no pictures beside this table" in refusal(tmp_path)
    archive = put(tmp_path / "faces", TWO)
    picture_folders.pack(archive, tmp_path / "more.zip")
    for path in archive.rglob("*.png"):
        path.unlink()
    assert "no pictures beside this table" in refusal(tmp_path)
    command = f"--manual_dir={tmp_path}"
    assert command in refusal(tmp_path / "labels.csv")


def test_two_tables_are_refused(tmp_path):
    files = {"one.png": P, "two.png": P, "a.csv": TABLE, "b.csv": TABLE}
    assert "several tables" in refusal(put(tmp_path, files))

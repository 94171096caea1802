"""Which copy of AffectNet is in a folder, and what its user says about it."""

import json
import os
import shutil

import pytest

from fer_tfds import synthetic
from fer_tfds.drawing import affectnet
from fer_tfds.sources.affectnet import find as affectnet_source
from fer_tfds.sources.affectnet import settings as affectnet_settings
from fer_tfds.sources.affectnet.records import Reject
from fer_tfds.sources.records import SourceError
from tests.fer_tfds import data_fixtures as fer2013
from tests.fer_tfds.affectnet_fixtures import COUNTS
from tests.fer_tfds.affectnet_fixtures import SEED
from tests.fer_tfds.affectnet_fixtures import find
from tests.fer_tfds.affectnet_fixtures import write_release
from tests.fer_tfds.data_fixtures import write_zip

FORMS = {
    "full": "full release",
    "affectnet8": "npy",
    "kaggle_csv": "labels.csv",
    "kaggle_csv_zip": "labels.csv",
    "class_folders": "class folders",
    "class_folders_zip": "class folders",
    "numbered_folders": "called by numbers",
}


def write(layout, folder):
    synthetic.write(layout, folder, COUNTS, seed=SEED)


@pytest.mark.parametrize("layout", affectnet.LAYOUTS)
@pytest.mark.parametrize("nested", ["", "a/b"], ids=["bare", "nested"])
def test_each_layout_is_recognised(tmp_path, layout, nested):
    write(layout, tmp_path / nested)
    settings = tmp_path / nested / "affectnet.json"
    settings.rename(tmp_path / "affectnet.json")
    source = find(tmp_path)
    assert FORMS[layout] in source.form
    assert len(list(source.annotations())) >= 24


@pytest.mark.parametrize(
    "images",
    [
        "Manually_Annotated_Images",
        "Manually_Annotated_Images/Manually_Annotated_Images",
        "Manually_Annotated/Manually_Annotated_Images",
        ".",
    ],
)
def test_pictures_of_the_release_are_found_where_they_are(tmp_path, images):
    write("full", tmp_path / "raw")
    folder = tmp_path / "raw" / "Manually_Annotated_Images"
    moved = folder.rename(tmp_path / "moved")
    (tmp_path / "raw" / images).mkdir(parents=True, exist_ok=True)
    for path in moved.iterdir():
        path.rename(tmp_path / "raw" / images / path.name)
    assert find(tmp_path / "raw").path == tmp_path / "raw" / images


def test_a_zip_file_can_be_named_unless_its_name_cannot_be_shown(tmp_path):
    write("class_folders_zip", tmp_path)
    path = tmp_path / "archive.zip"
    assert find(path).path == path
    path.rename(tmp_path / "\udcff.zip")
    with pytest.raises(SourceError, match="Rename the file"):
        find(tmp_path)


def test_tables_of_the_release_may_lie_beside_the_pictures(tmp_path):
    write("full", tmp_path)
    (tmp_path / "lists").mkdir()
    for name in ("training.csv", "validation.csv"):
        (tmp_path / name).rename(tmp_path / "lists" / name)
    assert find(tmp_path).path == tmp_path / "Manually_Annotated_Images"


def test_absent_pictures_are_reported_with_the_places(tmp_path):
    rows = [f"1/{i}.jpg,1,2,30,40,1;2,3,0,0" for i in range(99)]
    write_release(tmp_path, rows, images=["1/0.jpg", "1/1.jpg"])
    with pytest.raises(SourceError, match="most are absent") as caught:
        find(tmp_path)
    assert f"{tmp_path}/Manually_Annotated_Images: 2\n" in str(caught.value)


def test_two_tables_for_one_split_but_for_labels_by_a_machine(tmp_path):
    write("full", tmp_path)
    table = (tmp_path / "training.csv").read_text()
    (tmp_path / "automatically_annotated.csv").write_text(table)
    assert len(find(tmp_path).tables) == 2
    (tmp_path / "training_copy.csv").write_text(table)
    with pytest.raises(SourceError, match="names that stand for the same sp"):
        find(tmp_path)


def test_several_copies_are_listed(tmp_path):
    write("full", tmp_path / "one")
    write("class_folders_zip", tmp_path / "two")
    with pytest.raises(SourceError, match="several copies") as caught:
        find(tmp_path)
    assert f"{tmp_path}/one (full release)" in str(caught.value)
    assert "two/archive.zip/archive/AffectNet (class f" in str(caught.value)


def test_no_copy_says_what_is_there_and_what_is_accepted(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    match = r"(?s)Found: notes.txt.*training.csv"
    with pytest.raises(SourceError, match=match):
        find(tmp_path)
    with pytest.raises(SourceError, match="no such folder"):
        find(tmp_path / "absent")


def test_what_is_no_file_is_left_alone(tmp_path):
    write("full", tmp_path)
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "gone.csv").symlink_to(tmp_path / "absent")
    (tmp_path / "round").symlink_to(tmp_path)
    table = (tmp_path / "training.csv").read_text()
    (tmp_path / ".hidden.csv").write_text(table)
    with pytest.raises(SourceError, match="several copies"):
        find(tmp_path)  # the link shows all of it again
    (tmp_path / "round").unlink()
    assert find(tmp_path).tables


def test_an_error_of_the_disk_names_the_file(tmp_path, monkeypatch):
    write("full", tmp_path)

    def fail(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(affectnet_source, "_read_head", fail)
    with pytest.raises(SourceError, match=r"\.csv: it cannot be read"):
        find(tmp_path)


def test_numbered_folders_need_a_map(tmp_path):
    write("numbered_folders", tmp_path)
    (tmp_path / "affectnet.json").unlink()
    with pytest.raises(SourceError, match="are called 0, 1, 2") as caught:
        find(tmp_path)
    example = str(caught.value).split("official ids: ")[1]
    (tmp_path / "affectnet.json").write_text(example)
    labels = {
        row.id.split("/")[1]: row.label for row in find(tmp_path).annotations()
    }
    assert labels == {str(i): i for i in range(8)}


def test_a_map_without_numbered_folders_is_an_error(tmp_path):
    write("class_folders", tmp_path)
    text = json.dumps({"class_names": {"0": "anger"}})
    (tmp_path / "affectnet.json").write_text(text)
    with pytest.raises(SourceError, match=r"`class_names` in affectnet.json"):
        find(tmp_path)


@pytest.mark.parametrize("layout", ["folders", "png_folders_zip"])
def test_a_copy_of_fer2013_is_refused_by_its_name(tmp_path, layout):
    synthetic.write(layout, tmp_path, fer2013.COUNTS, seed=SEED)
    with pytest.raises(SourceError, match="tfds build fer_tfds/fer2013"):
        find(tmp_path)


def test_a_few_other_files_do_not_hide_a_copy_of_fer2013(tmp_path):
    synthetic.write("folders", tmp_path, fer2013.COUNTS, seed=SEED)
    for name in ("cover", "more"):
        (tmp_path / "train" / "happy" / f"{name}.jpg").write_bytes(b"picture")
    with pytest.raises(SourceError, match="tfds build fer_tfds/fer2013"):
        find(tmp_path)


def test_a_few_names_as_fer2013_has_them_do_no_harm(tmp_path):
    write("class_folders", tmp_path)
    folder = next(tmp_path.rglob("train")) / "happy"
    folder.mkdir(exist_ok=True)
    (folder / "im0.png").write_bytes(b"picture")
    assert "image_folder" in find(tmp_path).note


@pytest.mark.parametrize("layout", affectnet.LAYOUTS)
def test_a_note_says_where_folder_names_alone_speak(tmp_path, layout):
    write(layout, tmp_path)
    has_note = "by its folder names alone" in find(tmp_path).note
    assert has_note == ("_folders" in layout)


def test_what_looks_like_one_more_split_is_named(tmp_path, capsys):
    write("affectnet8", tmp_path)
    (tmp_path / "test_set").rename(tmp_path / "holdout_set")
    splits = {row.split for row in find(tmp_path).annotations()}
    assert splits == {"train", "validation"}
    output = capsys.readouterr().out
    assert f"Left out: {tmp_path / 'holdout_set'}. " in output
    assert "train_set, val_set, test_set are read" in output


def test_a_test_set_without_annotations_is_left_out(tmp_path):
    write("affectnet8", tmp_path)
    shutil.rmtree(tmp_path / "test_set" / "annotations")
    splits = {row.split for row in find(tmp_path).annotations()}
    assert splits == {"train", "validation"}


def test_affectnet8_in_an_archive_says_what_to_do(tmp_path):
    write_zip(tmp_path / "a.zip", {"train_set/annotations/0_exp.npy": b""})
    with pytest.raises(SourceError, match="Unpack it"):
        find(tmp_path / "a.zip")


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[" * 100_000,
        "[]",
        '{"max_rejected_fraction": 2}',
        '{"max_rejected_fraction": true}',
        '{"max_rejected": 0.1}',
        '{"class_names": {"0": "bored"}}',
        '{"class_names": {"zero": "anger"}}',
        '{"class_names": {"0": "anger", "1": "angry"}}',
        '{"expected_counts": {"train": [1, 2]}}',
        '{"note": 1}',
    ],
    ids=lambda text: text[:40],
)
def test_settings_that_are_not_right_are_an_error(tmp_path, text):
    (tmp_path / "affectnet.json").write_text(text)
    with pytest.raises(SourceError, match=r"affectnet.json.*Correct or remove"):
        affectnet_settings.load(tmp_path)


def test_settings_are_read(tmp_path):
    path = tmp_path / "affectnet.json"
    assert affectnet_settings.load(tmp_path).max_rejected_fraction == 0.05
    text = '{"max_rejected_fraction": 0.1, "class_names": {"0": "Anger"}}'
    path.write_text(text)
    settings = affectnet_settings.load(tmp_path)
    assert settings.max_rejected_fraction == 0.1
    assert settings.class_names == {"0": "Anger"}
    path.unlink()
    # Of the memory of a process nobody can read the first byte.
    path.symlink_to("/proc/self/mem")
    with pytest.raises(SourceError, match=r"affectnet.json: not JSON"):
        affectnet_settings.load(tmp_path)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [(0, -30, "it is cut short or damaged"), (9, None, "no copy of AffectNet")],
    ids=["without_end", "without_start"],
)
def test_an_archive_that_was_cut_is_an_error(tmp_path, start, end, message):
    write("class_folders_zip", tmp_path)
    path = tmp_path / "archive.zip"
    path.write_bytes(path.read_bytes()[start:end])
    with pytest.raises(SourceError, match=message):
        find(tmp_path)


def test_pictures_beside_the_class_folders_do_no_harm(tmp_path):
    write("numbered_folders", tmp_path)
    for name in ("cover.jpg", "docs/99/figure.jpg", "train/stray.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"picture")
    rows = list(find(tmp_path).annotations())
    rejects = [row for row in rows if isinstance(row, Reject)]
    assert {row.reason for row in rejects} == {"bad_path"}
    assert (len(rejects), len(rows)) == (3, 43)

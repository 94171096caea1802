"""The audit on drawn faces with planted defects, and the whole command."""

import numpy as np
import pytest
from PIL import Image

from fer_tfds import audit
from fer_tfds import synthetic
from fer_tfds.drawing import ferplus as synthetic_ferplus
from fer_tfds.sources.fer2013 import ferplus
from fer_tfds.sources.records import FaceRecords
from tests.commands.command_line import python
from tests.fer_tfds.picture_folders import class_folders
from tests.fer_tfds.picture_folders import put

COUNTS = {"train": [6] * 7, "validation": [2] * 7, "test": [2] * 7}


@pytest.fixture(scope="module")
def records():
    """70 drawn faces; 42 train, 14 validation, 14 test."""
    drawn = synthetic.draw_records(COUNTS, seed=1)
    images, label_ids = drawn.images.copy(), drawn.labels.copy()
    images[1] = images[0]  # twice in train, ...
    images[60] = images[0]  # ... and in test
    images[61] = images[0]
    images[50] = images[2]  # in train and validation, labels at odds
    images[3] = 77
    label_ids[[1, 60, 61]] = label_ids[0]
    label_ids[50] = (label_ids[2] + 1) % 7
    return FaceRecords(images, label_ids, drawn.splits, drawn.ids)


def test_repeats_are_counted(records):
    figures = audit.count_repeats(records)
    assert figures == {
        "images": 70,
        "distinct images": 66,
        "groups of identical images": 2,
        "images in such groups": 6,
        "groups in more than one split": 2,
        "groups with conflicting labels": 1,
        "images in conflicting groups": 2,
        "images of one constant grey": 1,
        "groups in both train and validation": 1,
        "validation images that stand in train": 1,
        "groups in both train and test": 1,
        "test images that stand in train": 2,
        "groups in both validation and test": 0,
        "test images that stand in validation": 0,
    }


def test_votes_are_compared_with_labels():
    records = FaceRecords(
        np.zeros((3, 48, 48), np.uint8), np.array([0, 0, 3]), ["train"] * 3, []
    )
    counts = np.zeros((3, 10), np.int64)
    counts[0, 4] = counts[1, 0] = counts[2, 1] = 10
    table = audit.agreement_with_votes(
        records, ferplus.Votes(counts, ["train"] * 3)
    )
    assert table.sum() == 3
    assert (table * audit.same_expression()).sum() == 2
    assert table[0, 4] == table[0, 0] == table[3, 1] == 1
    same = audit.same_expression()
    assert same.shape == (7, 10)
    assert same.sum(axis=1).tolist() == [1] * 7
    assert same[:, 7:].sum() == 0


def test_command_writes_the_report_and_the_sheet(tmp_path):
    synthetic.write("csv", tmp_path, COUNTS, seed=1)
    drawn = synthetic.draw_records(COUNTS, seed=1)
    votes = synthetic_ferplus.format_votes(drawn, seed=1)
    (tmp_path / "votes.csv").write_bytes(votes)
    out = tmp_path / "out"
    done = python(
        "-m", "fer_tfds.audit", f"--manual_dir={tmp_path}", f"--out={out}"
    )
    assert done.returncode == 0, done.stderr
    assert "       70  images\n" in done.stdout
    assert "train: 42 images kept" in done.stdout
    assert "of 70 labels agree with the majority" in done.stdout
    assert (out / "audit.txt").read_text() in done.stdout
    with Image.open(out / "contact_sheet.png") as sheet:
        assert sheet.width > 1000
        assert np.asarray(sheet).min() == 0


def test_command_says_what_is_missing(tmp_path):
    done = python("-m", "fer_tfds.audit", f"--manual_dir={tmp_path}")
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {tmp_path}: no copy of FER-2013")
    assert "Traceback" not in done.stderr


def test_your_own_pictures_are_audited_as_well(tmp_path, capsys):
    files = class_folders(count=8)
    files["monday/again.png"] = files["party/000.png"]
    files["party/broken.png"] = b"no picture"
    files["stray.png"] = files["party/000.png"]
    put(tmp_path / "photos", files)
    flags = [f"--manual_dir={tmp_path}/photos", f"--out={tmp_path}/out"]
    assert audit.main(["--data=image_folder", *flags]) == 0
    said = capsys.readouterr().out
    assert "       25  images" in said
    assert "        1  groups with conflicting labels" in said
    assert "1 pairs of pictures that look the same carry two labels" in said
    assert "1 pictures have no label\n  stray.png" in said
    assert "1 pictures cannot be read\n  party/broken.png" in said
    with Image.open(tmp_path / "out" / "contact_sheet.png") as sheet:
        assert sheet.height > 100
    assert audit.main(["--data=image_folder", f"--manual_dir={tmp_path}/x"])


def test_pictures_that_cannot_be_read_at_all_are_one_message(tmp_path, capsys):
    put(tmp_path, {"a/1.png": b"x", "b/2.png": b"y"})
    flags = ["--data=image_folder", f"--manual_dir={tmp_path}"]
    assert audit.main(flags) == 1
    said = capsys.readouterr().err
    assert "none of the 2 pictures can be read: cannot read a/1.png" in said
    assert "0x" not in said

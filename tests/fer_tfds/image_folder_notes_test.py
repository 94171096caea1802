"""What is said of your own pictures while they are built, and is not."""

import numpy as np
import pytest
from PIL import Image

from fer_tfds.image_folder import remarks
from tests.fer_tfds.picture_folders import build
from tests.fer_tfds.picture_folders import build_refusal
from tests.fer_tfds.picture_folders import class_folders
from tests.fer_tfds.picture_folders import examples
from tests.fer_tfds.picture_folders import face
from tests.fer_tfds.picture_folders import names_of
from tests.fer_tfds.picture_folders import put


@pytest.mark.parametrize(
    ("counts", "note"),
    [
        ({"hapy": 20, "sad": 20}, "`hapy` looks like a slip of `happy`"),
        ({"Party": 20, "party": 20}, "`Party` looks like a slip of `party`"),
        ({"partyy": 20, "party": 21}, "`partyy` looks like a slip of `party`"),
        ({"happy": 9, "sad": 10}, "fewer than 10 pictures: happy (9). Little"),
        ({"mad": 20, "tear": 20, "party": 20}, ""),
        ({"happy": 10, "angry": 10}, ""),
    ],
    ids=lambda value: str(value)[:30],
)
def test_classes_that_look_wrong_are_said(counts, note):
    said = list(remarks.on_classes(counts))
    assert len(said) == bool(note)
    assert note in "".join(said)


def test_classes_that_a_split_lacks_are_said():
    classes = ["a", "a", "a", "b", "b", "c"]
    splits = ["train", "validation", "test", "train", "validation", "test"]
    said = list(remarks.on_splits(classes, splits))
    assert [text.split(",")[0] for text in said] == [
        "no picture of c is in train",
        "no picture of c is in validation",
        "no picture of b is in test",
    ]
    # A split that is not there at all is no fault of a class.
    assert not list(remarks.on_splits(["a", "b"], ["train", "train"]))


def test_classes_that_a_given_split_lacks_are_said(tmp_path, capsys):
    files = {f"train/{c}/{n}.png": face() for c in "ab" for n in range(6)}
    files["test/a/1.png"] = face()
    builder = build(put(tmp_path / "p", files), tmp_path / "data")
    assert "Note: no picture of b is in test" in capsys.readouterr().out
    stored = examples(builder)
    assert list(stored["test"]) == ["test/a/1.png"]
    for split in ("train", "validation"):
        assert {e["label"] for e in stored[split].values()} == {0, 1}


def test_settings_that_fit_nothing_are_said(tmp_path, capsys):
    said = '{"class_names": {"prty": "party"}, "group_pattern": "^Z"}'
    files = class_folders(4) | {"image_folder.json": said}
    build(put(tmp_path / "p", files), tmp_path / "data")
    output = capsys.readouterr().out
    assert "says what prty means, and nothing is called so" in output
    assert "group_pattern in image_folder.json fits the name of no" in output


@pytest.mark.parametrize("number", ["3", "-1", "1.0", "2."])
def test_numbers_have_no_meaning_however_they_are_written(number, tmp_path):
    table = f"path,label\n1.png,{number}\n2.png,happy\n"
    files = {"1.png": face(), "2.png": face(), "labels.csv": table}
    text = build_refusal(put(tmp_path / "p", files), tmp_path)
    assert f"the classes are called {number}, and" in text
    assert f'{{"class_names": {{"{number}": "neutral"}}}}' in text


def test_equal_pictures_of_one_grey_stay_on_one_side(tmp_path):
    grey = Image.new("L", (48, 48), 100)
    files = class_folders(4)
    files |= {f"spider/grey {n}.png": grey for n in range(20)}
    files |= {f"party/black {n}.png": grey.point(lambda _: 0) for n in "12"}
    sides = {}
    stored = examples(build(put(tmp_path / "p", files), tmp_path / "data"))
    for split, found in stored.items():
        for name, example in found.items():
            if np.ptp(example["image"]) == 0:
                tone = int(example["image"].flat[0])
                sides.setdefault(tone, []).append((name, split))
    assert {tone: len(found) for tone, found in sides.items()} == {
        100: 20,
        0: 2,
    }
    for found in sides.values():
        assert len({split for _, split in found}) == 1


def test_pictures_without_a_label_are_counted_as_left_out(tmp_path, capsys):
    files = class_folders(14) | {"stray.png": face()}
    builder = build(put(tmp_path / "p", files), tmp_path / "data")
    output = capsys.readouterr().out
    assert "1 of 43 pictures are left out:\n  stray.png: it has no la" in output
    assert "stray.png" in (builder.data_path / "rejects.csv").read_text()
    assert names_of(builder) == ["monday", "party", "spider"]


def test_more_may_be_left_out_where_settings_say_so(tmp_path):
    files = class_folders(4) | {f"party/{n}x.png": b"no" for n in range(4)}
    text = build_refusal(put(tmp_path / "p", files), tmp_path)
    assert "4 of 16 pictures are left out" in text
    assert "At most 5% may be" in text
    assert "0x" not in text.replace("0x.png", "")
    said = '{"max_rejected_fraction": 0.25}'
    put(tmp_path / "p", {"image_folder.json": said})
    builder = build(tmp_path / "p", tmp_path / "more")
    assert sum(s.num_examples for s in builder.info.splits.values()) == 12

"""`tfds build fer_tfds/image_folder`, on drawn faces of invented classes."""

import csv

import numpy as np
import pytest
from PIL import Image

from edge import detector_files
from fer_tfds.image_folder import remarks
from fer_tfds.sources.image_folder import find
from tests.fer_tfds.picture_folders import CLASSES
from tests.fer_tfds.picture_folders import build
from tests.fer_tfds.picture_folders import build_refusal
from tests.fer_tfds.picture_folders import class_folders
from tests.fer_tfds.picture_folders import encode
from tests.fer_tfds.picture_folders import examples
from tests.fer_tfds.picture_folders import face
from tests.fer_tfds.picture_folders import names_of
from tests.fer_tfds.picture_folders import pack
from tests.fer_tfds.picture_folders import put


@pytest.fixture(scope="module")
def invented(tmp_path_factory):
    """The builder of three invented classes, and the pictures."""
    folder = tmp_path_factory.mktemp("invented")
    pictures = class_folders()
    return build(put(folder / "photos", pictures), folder / "data"), pictures


def test_invented_classes_keep_their_names(invented):
    builder, pictures = invented
    assert names_of(builder) == sorted(CLASSES)
    stored = examples(builder)
    assert set(stored) == {"train", "validation", "test"}
    assert {name for split in stored.values() for name in split} == set(
        pictures
    )
    for split in stored.values():
        labels = {
            builder.info.features["label"].names[e["label"]]
            for e in split.values()
        }
        assert labels == set(CLASSES)
        for name, example in split.items():
            assert names_of(builder)[example["label"]] == name.split("/")[0]
            expected = np.asarray(pictures[name])[..., None]
            np.testing.assert_array_equal(example["image"], expected)


def test_an_archive_gives_the_same_records(invented, tmp_path):
    builder, pictures = invented
    archive = pack(put(tmp_path / "photos", pictures), tmp_path / "mine.zip")
    again = examples(build(archive, tmp_path / "data"))
    for split, stored in examples(builder).items():
        assert list(again[split]) == list(stored)
        for name, example in stored.items():
            np.testing.assert_array_equal(
                again[split][name]["image"], example["image"]
            )


def test_pictures_that_are_added_move_none(invented, tmp_path):
    builder, pictures = invented
    more = {f"party/more {n}.png": face() for n in range(9)}
    put(tmp_path / "photos", {**pictures, **more})
    after = examples(build(tmp_path / "photos", tmp_path / "data"))
    for split, stored in examples(builder).items():
        assert set(stored) <= set(after[split])


@pytest.mark.parametrize(
    ("config", "shape"), [("grey_96", (96, 96, 1)), ("rgb_224", (224, 224, 3))]
)
def test_configurations_store_other_sizes(config, shape, tmp_path):
    put(tmp_path / "photos", class_folders(count=4))
    stored = examples(build(tmp_path / "photos", tmp_path / "data", config))
    shapes = {e["image"].shape for s in stored.values() for e in s.values()}
    assert shapes == {shape}


def test_expressions_take_their_standard_names(tmp_path, capsys):
    names = {"Happiness": "happy", "surprised": "surprise", "winking": "sad"}
    put(tmp_path / "photos", class_folders(10, names))
    builder = build(tmp_path / "photos", tmp_path / "data")
    assert names_of(builder) == ["happy", "surprise", "winking"]
    said = capsys.readouterr().out
    assert "Happiness is happy" in said
    assert "surprised is surprise" in said


def test_splits_that_are_given_are_kept(tmp_path):
    files = {
        f"{split}/{name}/{n}.png": face(expression)
        for split in ("Training", "VALID", "test")
        for name, expression in CLASSES.items()
        for n in range(3)
    }
    stored = examples(build(put(tmp_path / "p", files), tmp_path / "data"))
    assert {split: len(found) for split, found in stored.items()} == {
        "train": 9,
        "validation": 9,
        "test": 9,
    }
    assert all(name.startswith("VALID/") for name in stored["validation"])


def test_groups_of_a_table_stay_on_one_side(tmp_path):
    rows, files = ["path,label,group"], {}
    for number in range(60):
        files[f"{number}.png"] = face()
        label = list(CLASSES)[number % 3]
        rows.append(f"{number}.png,{label},person {number % 12}")
    put(tmp_path / "p", {**files, "labels.csv": "\n".join(rows)})
    sides = {}
    stored = examples(build(tmp_path / "p", tmp_path / "data"))
    for split, found in stored.items():
        for example in found.values():
            sides.setdefault(example["split_group"], set()).add(split)
    assert len(sides) == 12
    assert all(len(splits) == 1 for splits in sides.values())


def test_a_pattern_names_the_person(tmp_path):
    files = {
        f"{name}/S{n % 4:02}_{n}.png": face(expression)
        for name, expression in CLASSES.items()
        for n in range(12)
    }
    settings = '{"group_pattern": "^(S\\\\d+)_"}'
    put(tmp_path / "p", {**files, "image_folder.json": settings})
    stored = examples(build(tmp_path / "p", tmp_path / "data"))
    groups = {
        s: {e["split_group"] for e in f.values()} for s, f in stored.items()
    }
    assert set().union(*groups.values()) == {b"S00", b"S01", b"S02", b"S03"}
    assert sum(map(len, groups.values())) == 4


def test_copies_of_a_picture_stay_on_one_side(tmp_path, capsys):
    originals = {f"party/{n}.png": face(size=160) for n in range(20)}
    copies = {
        f"party/copy of {n}.jpg": encode(picture, "JPEG", quality=60)
        for n, picture in enumerate(originals.values())
    }
    files = {**originals, **copies, "monday/same.png": originals["party/0.png"]}
    files |= {f"monday/{n}.png": face("sad") for n in range(12)}
    stored = examples(build(put(tmp_path / "p", files), tmp_path / "data"))
    side = {name: split for split, found in stored.items() for name in found}
    for number in range(20):
        one, other = f"party/{number}.png", f"party/copy of {number}.jpg"
        assert side[one] == side[other]
    assert side["monday/same.png"] == side["party/0.png"]
    said = capsys.readouterr().out
    assert "pictures that look the same carry two labels" in said
    assert "stand in two splits" not in said


def test_pictures_that_cannot_be_read_are_said_and_listed(tmp_path, capsys):
    files = class_folders(count=14)
    files["party/broken.png"] = b"no picture"
    builder = build(put(tmp_path / "p", files), tmp_path / "data")
    assert "1 of 43 pictures are left out:\n  party/broken.png" in (
        capsys.readouterr().out
    )
    listed = builder.data_path / "rejects.csv"
    rows = list(csv.DictReader(listed.read_text().splitlines()))
    assert [row["name"] for row in rows] == ["party/broken.png"]
    assert "broken.png" not in str(examples(builder).keys())


@pytest.mark.parametrize(
    ("files", "text"),
    [
        (class_folders(3) | {"party/x.png": b"x"}, "1 of 10 pictures"),
        (class_folders(3, {"party": "happy"}), "are of one class, `party`"),
        (class_folders(2, {"0": "happy", "1": "sad"}), "are called 0, 1, and"),
        (class_folders(2, {"a,b": "happy", "c": "sad"}), "without commas"),
        (class_folders(2) | {"image_folder.json": "{"}, "image_folder.json"),
        (
            class_folders(2) | {"image_folder.json": '{"group_pattern": "("}'},
            "a regular expression",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_learned_is_one_message(files, text, tmp_path):
    assert text in build_refusal(put(tmp_path / "p", files), tmp_path)


def test_numbers_need_a_map_and_are_read_with_one(tmp_path):
    files = class_folders(4, {"0": "happy", "1": "sad"})
    settings = '{"class_names": {"0": "happiness", "1": "tired"}}'
    put(tmp_path / "p", {**files, "image_folder.json": settings})
    assert names_of(build(tmp_path / "p", tmp_path / "data")) == [
        "happy",
        "tired",
    ]


def test_few_pictures_and_slips_of_the_pen_are_said(tmp_path, capsys):
    names = {"hapy": "happy", "party": "surprise"}
    files = class_folders(12, names) | {"monday/1.png": face("sad")}
    build(put(tmp_path / "p", files), tmp_path / "data")
    said = capsys.readouterr().out
    assert "fewer than 10 pictures: monday (1)" in said
    assert '{"class_names": {"hapy": "happy"}}' in said
    assert "party` looks" not in said


def photograph():
    """A face in a corner of a large picture."""
    picture = Image.new("L", (700, 600), 128)
    picture.paste(face(size=110), (60, 70))
    return picture


def test_photographs_are_told_from_crops(tmp_path):
    if not detector_files.find():
        pytest.skip(f"no face detector here; type: {detector_files.COMMAND}")
    for name, draw in {"photos": photograph, "crops": face}.items():
        files = {f"{c}/{n}.png": draw() for c in "ab" for n in range(4)}
        source = find.find_source(put(tmp_path / name, files))
        said = remarks.on_faces(source)
        assert ("python -m edge --crops=DIR" in said) == (name == "photos")

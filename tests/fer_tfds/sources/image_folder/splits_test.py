"""Splits that stay, and pictures that look the same."""

import collections
import io

import numpy as np
import pytest
from PIL import Image

from edge import pictures
from fer_tfds.sources.image_folder import near_equal
from fer_tfds.sources.image_folder import splits
from tests.fer_tfds import picture_folders

KEYS = [f"picture {number}.png" for number in range(1000)]
CLASSES = ["a", "b"] * 500


def test_seventy_fifteen_and_fifteen_in_a_hundred():
    counts = collections.Counter(splits.assign(KEYS, CLASSES, []))
    assert 660 <= counts["train"] <= 740
    assert 120 <= counts["validation"] <= 180
    assert 120 <= counts["test"] <= 180


def test_adding_pictures_moves_none():
    before = splits.assign(KEYS[:700], CLASSES[:700], [])
    after = splits.assign(KEYS, CLASSES, [])
    assert after[:700] == before


def test_a_group_and_what_looks_the_same_stay_together():
    keys = [f"group {number % 50}" for number in range(1000)]
    drawn = splits.assign(keys, CLASSES, [(0, 1)])
    assert len({*zip(keys, drawn, strict=True)}) == 50
    assert drawn[0] == drawn[1]
    chain = [(n, n + 1) for n in range(0, 40)]
    assert len(set(splits.assign(KEYS, CLASSES, chain)[:41])) == 1


def test_a_class_with_three_parts_is_in_every_split():
    for seed in range(200):
        keys = [*KEYS[:200], *(f"{seed} {n}" for n in range(3))]
        drawn = splits.assign(
            keys, [*CLASSES[:200], "rare", "rare", "rare"], []
        )
        assert sorted(drawn[-3:]) == ["test", "train", "validation"]


@pytest.mark.parametrize("count", [1, 2])
def test_a_smaller_class_is_in_train(count):
    for seed in range(60):
        keys = [f"{seed} {n}" for n in range(count)]
        assert "train" in splits.assign(keys, ["rare"] * count, [])


def test_groups_with_several_classes_leave_none_of_them_out():
    for seed in range(60):
        keys = [f"group {seed} {n % 12}" for n in range(96)]
        classes = ["abc"[n * n % 7 % 3] for n in range(96)]
        drawn = splits.assign(keys, classes, [])
        assert len({*zip(classes, drawn, strict=True)}) == 9
        assert len({*zip(keys, drawn, strict=True)}) == 12


def cut(keys, given, classes=None):
    classes = classes or ["a"] * len(keys)
    return splits.cut_validation(keys, classes, [], given=given)


def test_validation_is_cut_out_of_a_given_train():
    given = ["train"] * 800 + ["test"] * 200
    drawn = cut(KEYS, given)
    assert 0.14 < drawn.count("validation") / 800 < 0.21
    assert drawn[800:] == given[800:]
    assert cut(KEYS[:99], given[:99]) == drawn[:99]


def test_a_class_is_in_the_validation_and_keeps_something_to_train_on():
    for seed in range(60):
        keys = [*KEYS[:50], f"{seed} 0", f"{seed} 1", f"{seed} 2", "one"]
        classes = [*["a"] * 50, "b", "b", "c", "d"]
        drawn = cut(keys, ["train"] * 53 + ["test"], classes)
        assert {*drawn[50:52]} == {"train", "validation"}
        assert drawn[52:] == ["train", "test"]


def signature_of(picture):
    side = near_equal.SIDE_PX
    pixels = np.asarray(picture.convert("L"))[..., None]
    return near_equal.signature(pictures.prepare_picture(pixels, side, 1))


def saved_again(picture):
    data = picture_folders.encode(picture, "JPEG", quality=40)
    return Image.open(io.BytesIO(data))


def test_a_picture_saved_again_or_made_smaller_is_found():
    faces = [picture_folders.face(size=200) for _ in range(6)]
    copies = [saved_again(faces[0]), faces[1].resize((90, 90)), faces[2]]
    found = [signature_of(picture) for picture in (*faces, *copies)]
    pairs = near_equal.find_pairs(np.array(found))
    assert pairs.tolist() == [[0, 6], [1, 7], [2, 8]]


def test_pictures_are_found_across_blocks(monkeypatch):
    monkeypatch.setattr(near_equal, "_BLOCK", 2)
    found = np.eye(5, 256, dtype=np.float32)[[0, 1, 2, 0, 0]]
    pairs = near_equal.find_pairs(found)
    assert pairs.tolist() == [[0, 3], [0, 4], [3, 4]]


def test_pictures_of_one_grey_are_not_the_same():
    grey = [Image.new("L", (60, 60), tone) for tone in (10, 200)]
    found = np.array([signature_of(picture) for picture in grey])
    assert not len(near_equal.find_pairs(found))

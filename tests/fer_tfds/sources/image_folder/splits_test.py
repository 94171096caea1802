import collections

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


@pytest.mark.parametrize("seed", range(5))
def test_a_class_with_three_parts_is_in_every_split(seed):
    keys = [*KEYS, *(f"{seed} {n}" for n in range(3))]
    drawn = splits.assign(keys, [*CLASSES, "rare", "rare", "rare"], [])
    assert sorted(drawn[-3:]) == ["test", "train", "validation"]


def test_validation_is_cut_out_of_a_given_train():
    share = np.mean(splits.cut_validation(KEYS, []))
    assert 0.14 < share < 0.21
    assert (
        splits.cut_validation(KEYS[:99], [])
        == splits.cut_validation(KEYS, [])[:99]
    )


def signature_of(picture):
    side = near_equal.SIDE_PX
    pixels = np.asarray(picture.convert("L"))[..., None]
    return near_equal.signature(pictures.prepare_picture(pixels, side, 1))


def saved_again(picture):
    import io

    data = picture_folders.encode(picture, "JPEG", quality=40)
    return Image.open(io.BytesIO(data))


def test_a_picture_saved_again_or_made_smaller_is_found():
    faces = [picture_folders.face(size=200) for _ in range(6)]
    copies = [saved_again(faces[0]), faces[1].resize((90, 90)), faces[2]]
    found = [signature_of(picture) for picture in (*faces, *copies)]
    pairs = list(near_equal.find_pairs(np.array(found)))
    assert pairs == [(0, 6), (1, 7), (2, 8)]


def test_pictures_of_one_grey_are_not_the_same():
    grey = [Image.new("L", (60, 60), tone) for tone in (10, 200)]
    found = np.array([signature_of(picture) for picture in grey])
    assert not list(near_equal.find_pairs(found))

from dataclasses import replace

import numpy as np
import pytest
import tensorflow_datasets as tfds

from fer_tfds import labels as taxonomy
from tests.trainer import own_data
from trainer.data import prepared
from trainer.settings.model_and_data import DataSettings
from trainer.settings.settings import from_flat


@pytest.fixture
def data(prepared_data):
    return DataSettings(data_dir=prepared_data)


def test_prepared_data_is_read_whole_and_in_the_same_order(data):
    split = prepared.load_split(data, "train")
    assert split.images.shape == (280, 48, 48, 1)
    assert split.images.dtype == np.uint8
    assert np.bincount(split.labels).tolist() == [40] * 7
    assert len(set(split.ids)) == 280
    again = prepared.load_split(data, "train")
    assert again.ids == split.ids
    assert again.content_hash() == split.content_hash()


def test_pixels_and_labels_are_those_of_the_records(data):
    split = prepared.load_split(data, "validation")
    records = tfds.load("fer2013", data_dir=data.data_dir, split="validation")
    stored = {row["id"].decode(): row for row in tfds.as_numpy(records)}
    for index, name in enumerate(split.ids):
        np.testing.assert_array_equal(
            split.images[index], stored[name]["image"]
        )
        assert split.labels[index] == stored[name]["label"]


def test_classes_size_and_channels_are_honoured(data):
    data = replace(data, num_classes=3, image_size=32, channels=3)
    assert data.class_names == ("angry", "disgust", "fear")
    split = prepared.load_split(data, "test")
    assert split.images.shape == (18, 32, 32, 3)
    assert np.bincount(split.labels).tolist() == [6, 6, 6]
    assert len(split.ids) == 18


def test_splits_and_slices_are_those_of_the_settings(data):
    names = {"train_split": "train[:50%]", "validation_split": "train[50%:]"}
    splits = prepared.load_splits(replace(data, **names, test_split="none"))
    counts = {name: len(split.ids) for name, split in splits.items()}
    assert counts == {"train": 140, "validation": 140}
    whole = prepared.load_split(data, "train").ids
    assert prepared.load_split(data, "train[:90%]").ids == whole[:252]
    assert prepared.load_split(data, "train[90%:]").ids == whole[252:]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data_dir": "none"}, r"tfds build fer_tfds/fer2013 --data_dir=none"),
        (
            {"dataset": "fer2013/plus"},
            r"(?s)tfds build fer_tfds/fer2013 --config=plus --data_dir="
            ".*Prepared there: fer2013/original",
        ),
        ({"train_split": "val"}, "'validation'"),
        ({"validation_split": "train[90%:]"}, r"share 28 examples.*row_"),
    ],
    ids=["no data", "configuration", "split", "overlap"],
)
def test_what_cannot_be_read_says_what_there_is(data, changes, message):
    with pytest.raises(prepared.DataError, match=message):
        prepared.load_splits(replace(data, **changes))


def test_foreign_labels_are_refused(data, monkeypatch):
    names = {"fer2013": ("neutral", "happy")}
    monkeypatch.setattr(taxonomy, "NATIVE_NAMES", names)
    with pytest.raises(prepared.DataError, match="has the classes"):
        prepared.find_data(data)


@pytest.mark.parametrize("name", ["fer2013", "mine"])
def test_classes_that_are_not_those_of_the_records_are_refused(
    name, data, tmp_path
):
    names = tuple(taxonomy.native_names("fer2013"))
    if name == "mine":
        data = DataSettings(data_dir=own_data.write(tmp_path, names))
    asked = replace(data, dataset=name, classes=names[::-1])
    with pytest.raises(prepared.DataError, match="--classes says"):
        prepared.find_data(asked)
    assert prepared.find_data(replace(asked, classes=names))


def test_classes_of_ones_own_come_from_the_records(tmp_path):
    folder = own_data.write(tmp_path, ("party", "monday"))
    asked = from_flat({"dataset": "mine", "data_dir": folder})
    found = prepared.with_classes(asked).data
    assert found.class_names == ("party", "monday")

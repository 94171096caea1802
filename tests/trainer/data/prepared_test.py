import dataclasses

import numpy as np
import pytest
import tensorflow_datasets as tfds

from fer_tfds import labels as taxonomy
from trainer.data import prepared
from trainer.settings.model_and_data import DataSettings


def test_prepared_data_is_read_whole_and_in_the_same_order(prepared_data):
    data = DataSettings(data_dir=prepared_data)
    split = prepared.load_split(data, "train")
    assert split.images.shape == (280, 48, 48, 1)
    assert split.images.dtype == np.uint8
    assert np.bincount(split.labels).tolist() == [40] * 7
    assert len(set(split.ids)) == 280
    again = prepared.load_split(data, "train")
    assert again.ids == split.ids
    assert again.content_hash() == split.content_hash()


def test_pixels_and_labels_are_those_of_the_records(prepared_data):
    split = prepared.load_split(
        DataSettings(data_dir=prepared_data), "validation"
    )
    stored = {
        example["id"].decode(): example
        for example in tfds.as_numpy(
            tfds.load("fer2013", data_dir=prepared_data, split="validation")
        )
    }
    for image, label, name in zip(
        split.images, split.labels, split.ids, strict=True
    ):
        np.testing.assert_array_equal(image, stored[name]["image"])
        assert label == stored[name]["label"]


def test_data_that_is_not_prepared_names_the_command(tmp_path):
    with pytest.raises(prepared.DataError) as caught:
        prepared.find_data(DataSettings(data_dir=str(tmp_path)))
    command = f"tfds build fer_tfds/fer2013 --data_dir={tmp_path}"
    assert command in str(caught.value)


def test_foreign_labels_are_refused(prepared_data, monkeypatch):
    names = {"fer2013": ("neutral", "happy")}
    monkeypatch.setattr(taxonomy, "NATIVE_NAMES", names)
    with pytest.raises(prepared.DataError, match="has the classes"):
        prepared.find_data(DataSettings(data_dir=prepared_data))


def test_an_unknown_split_lists_those_there_are(prepared_data):
    with pytest.raises(prepared.DataError, match="'validation'"):
        prepared.load_split(DataSettings(data_dir=prepared_data), "val")


def test_data_beyond_the_memory_bound_is_the_same_from_disk(
    prepared_data, capsys
):
    data = DataSettings(data_dir=prepared_data, num_classes=6, image_size=300)
    inside = prepared.load_split(data, "train")
    assert "disk" not in capsys.readouterr().out
    bound = dataclasses.replace(data, max_memory_gib=0.02)
    outside = prepared.load_split(bound, "train")
    assert "go to disk" in capsys.readouterr().out
    assert len(outside.images) == len(outside.ids) == 240
    assert outside.content_hash() == inside.content_hash()


def test_an_unprepared_configuration_lists_the_prepared_ones(prepared_data):
    data = DataSettings(dataset="fer2013/plus", data_dir=prepared_data)
    with pytest.raises(prepared.DataError) as caught:
        prepared.find_data(data)
    text = str(caught.value)
    assert "tfds build fer_tfds/fer2013 --config=plus --data_dir=" in text
    assert "Prepared there: fer2013/original" in text


def test_a_slice_of_a_split_can_be_named(prepared_data):
    data = DataSettings(data_dir=prepared_data)
    whole = prepared.load_split(data, "train").ids
    assert prepared.load_split(data, "train[:90%]").ids == whole[:252]
    assert prepared.load_split(data, "train[90%:]").ids == whole[252:]


def test_classes_size_and_channels_are_honoured(prepared_data):
    values = {"num_classes": 3, "image_size": 32, "channels": 3}
    data = DataSettings(data_dir=prepared_data, **values)
    assert data.class_names == ("angry", "disgust", "fear")
    split = prepared.load_split(data, "test")
    assert split.images.shape == (18, 32, 32, 3)
    assert np.bincount(split.labels).tolist() == [6, 6, 6]
    assert len(split.ids) == 18


def test_splits_are_those_of_the_settings(prepared_data):
    data = DataSettings(
        data_dir=prepared_data,
        train_split="train[:50%]",
        validation_split="train[50%:]",
        test_split="none",
    )
    splits = prepared.load_splits(data)
    assert {n: len(s.ids) for n, s in splits.items()} == {
        "train": 140,
        "validation": 140,
    }


def test_splits_that_share_examples_are_refused(prepared_data):
    data = DataSettings(data_dir=prepared_data, validation_split="train[90%:]")
    with pytest.raises(prepared.DataError, match=r"share 28 examples.*row_"):
        prepared.load_splits(data)

"""Each configuration of the FER-2013 builder, by TFDS's own test case."""

# ruff: noqa: RUF012, TFDS reads splits from attributes of the class
import csv
import json
import pathlib
import shutil
import tempfile

import numpy as np
import pytest
import tensorflow_datasets as tfds

from fer_tfds import cleaning
from fer_tfds import synthetic
from fer_tfds.drawing import ferplus as synthetic_ferplus
from fer_tfds.fer2013 import fer2013_dataset_builder
from fer_tfds.sources.fer2013 import ferplus
from fer_tfds.sources.fer2013 import find
from fer_tfds.sources.records import SourceError

COUNTS = {"train": [6] * 7, "validation": [2] * 7, "test": [2] * 7}
SEED = 5
Builder = fer2013_dataset_builder.Builder


def write_raw_data(folder):
    """70 drawn faces: one constant, one repeated, one in train and in test."""
    synthetic.write("csv", folder, COUNTS, seed=SEED)
    path = folder / "fer2013.csv"
    lines = path.read_text().splitlines()
    rows = [line.split(",") for line in lines]
    rows[1][1] = " ".join(["9"] * 2304)
    rows[3][:2] = rows[2][:2]
    rows[70][:2] = rows[4][:2]
    path.write_text("\n".join(",".join(row) for row in rows) + "\n")
    records = find.find_source(folder).read()
    labels = {s: records.labels[records.indices_of(s)] for s in COUNTS}
    expected = {s: np.bincount(labels[s]).tolist() for s in COUNTS}
    (folder / "expected_counts.json").write_text(json.dumps(expected))
    votes = synthetic_ferplus.format_votes(records, SEED)
    (folder / "fer2013new.csv").write_bytes(votes)
    return records


class OriginalAndKaggleTest(tfds.testing.DatasetBuilderTestCase):
    BUILDER_CONFIG_NAMES_TO_TEST = ("original", "kaggle")
    SPLITS = {"train": 42, "validation": 14, "test": 14}
    DATASET_CLASS = Builder
    DL_DOWNLOAD_RESULT = "."

    @classmethod
    def setUpClass(cls):
        cls.EXAMPLE_DIR = tempfile.mkdtemp()
        write_raw_data(pathlib.Path(cls.EXAMPLE_DIR))
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        shutil.rmtree(cls.EXAMPLE_DIR)


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """(folder of raw data, its records)."""
    folder = tmp_path_factory.mktemp("raw")
    return folder, write_raw_data(folder)


def build(raw_dir, data_dir, config):
    builder = Builder(data_dir=data_dir, config=config)
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(manual_dir=raw_dir)
    )
    return builder


def counts_of(builder):
    return {name: s.num_examples for name, s in builder.info.splits.items()}


def read(builder, split):
    return list(tfds.as_numpy(builder.as_dataset(split)))


def test_clean_lists_every_removed_image(raw, tmp_path, capsys):
    builder = build(raw[0], tmp_path, "clean")
    expected = {"train": 39, "validation": 14, "test": 14, "test_leak_free": 13}
    assert counts_of(builder) == expected
    with (builder.data_path / "removed.csv").open() as file:
        removed = [tuple(row) for row in csv.reader(file)]
    assert removed == [
        ("split", "id", "reason"),
        ("train", "row_00000", cleaning.CONSTANT),
        ("train", "row_00003", cleaning.LEAK),
        ("train", "row_00002", cleaning.DUPLICATE),
        ("test_leak_free", "row_00069", cleaning.LEAK),
    ]
    assert (
        "  train: 39 images kept\n        1  every" in capsys.readouterr().out
    )


def test_plus_joins_votes_by_row(raw, tmp_path):
    folder, records = raw
    builder = build(folder, tmp_path, "plus")
    assert counts_of(builder) == {
        **{"train": 37, "validation": 13, "test": 12},
        **{"train_unclear": 5, "validation_unclear": 1, "test_unclear": 2},
    }
    votes = ferplus.read_votes(folder, records)
    names = builder.info.features["label"].names
    assert tuple(names) == ferplus.NAMES
    seen = 0
    for split in builder.info.splits:
        for example in read(builder, split):
            row = int(example["id"].decode().removeprefix("row_"))
            np.testing.assert_array_equal(
                example["image"][:, :, 0], records.images[row]
            )
            np.testing.assert_array_equal(example["votes"], votes.shares[row])
            assert example["votes"].dtype == np.float32
            assert example["label"] == votes.labels[row]
            assert example["fer2013_label"] == records.labels[row]
            assert (example["label"] >= 8) == split.endswith("_unclear")
            assert records.splits[row] == split.removesuffix("_unclear")
            seen += 1
    assert seen == 70


def test_plus_needs_the_votes(raw, tmp_path):
    only = tmp_path / "raw"
    shutil.copytree(raw[0], only)
    (only / "fer2013new.csv").unlink()
    with pytest.raises(SourceError, match=r"no file with FER\+ votes"):
        build(only, tmp_path / "data", "plus")
    assert not (tmp_path / "data/fer2013/plus").exists()


def test_kaggle_says_how_to_get_the_data(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match=r"(?s)kaggle\.json.*by hand"):
        build(tmp_path, tmp_path / "data", "kaggle")


def test_the_default_is_original_and_others_are_listed(tmp_path):
    assert Builder(data_dir=tmp_path).builder_config.name == "original"
    assert [c.name for c in Builder.BUILDER_CONFIGS] == ["original"]
    with pytest.raises(ValueError, match="original, clean, plus, kaggle"):
        Builder(data_dir=tmp_path, config="cleen")


def test_one_file_can_be_named(raw, tmp_path):
    builder = build(raw[0] / "fer2013.csv", tmp_path, "original")
    assert builder.info.splits["train"].num_examples == 42

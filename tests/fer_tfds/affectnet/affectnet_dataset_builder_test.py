"""The AffectNet builder, in process: from each layout to records."""

import hashlib
import math

import numpy as np
import pytest
import tensorflow_datasets as tfds

from fer_tfds import labels
from fer_tfds import synthetic
from fer_tfds.affectnet import affectnet_dataset_builder
from fer_tfds.drawing import affectnet
from tests.fer_tfds.affectnet_builds import build
from tests.fer_tfds.affectnet_builds import read_content
from tests.fer_tfds.affectnet_builds import read_rejects
from tests.fer_tfds.affectnet_fixtures import COUNTS
from tests.fer_tfds.affectnet_fixtures import SEED

Builder = affectnet_dataset_builder.Builder


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Layout -> builder of drawn faces."""
    root = tmp_path_factory.mktemp("built")
    builders = {}
    for layout in affectnet.LAYOUTS:
        synthetic.write(layout, root / layout, COUNTS, seed=SEED)
        builders[layout] = build(root / layout, root / f"{layout}_data")
    return builders


@pytest.fixture
def full(built):
    """The folder of raw data of the layout `full`."""
    return built["full"].data_path.parents[3] / "full"


@pytest.mark.parametrize("layout", affectnet.LAYOUTS)
def test_every_face_is_there_with_its_label(built, layout):
    content = read_content(built[layout])
    items = affectnet.list_items(
        {s: COUNTS[s] for s in COUNTS if s in built[layout].info.splits}, SEED
    )
    if layout != "full":  # which has rows without an expression as well
        found = sorted(row[:2] for row in content.values())
        assert found == sorted((i.split, i.label) for i in items)
    assert len({row[-1] for row in content.values()}) == len(content)


def test_the_release_keeps_scores_and_faces_without_expression(built):
    content = read_content(built["full"])
    found = np.bincount([row[1] for row in content.values()])
    assert found.tolist() == [4] * 8 + [3, 3]
    rejects = read_rejects(built["full"])
    assert rejects[0] == ("split", "id", "reason", "detail")
    assert {row[2] for row in rejects[1:]} == {"no_face"}
    assert len(rejects) == 1 + 3
    for name, row in content.items():
        drawn = affectnet.scores(int(name[-10:-4]))
        drawn = [math.nan if score == -2 else score for score in drawn]
        stored = [float(score) for score in row[2:4]]
        np.testing.assert_allclose(stored, drawn, rtol=1e-6)
    kaggle = read_content(built["kaggle_csv"])
    assert {row[2] for row in kaggle.values()} == {"nan"}


def test_stored_pictures_are_those_of_the_copy(built, tmp_path):
    raw = tmp_path / "raw"
    synthetic.write("affectnet8", raw, COUNTS, seed=SEED)
    builder = build(raw, tmp_path / "data", "size_224")
    for name, row in read_content(builder).items():
        assert row[-1] == hashlib.sha256((raw / name).read_bytes()).hexdigest()


def test_features_are_as_documented(built):
    info = built["full"].info
    assert info.features["image"].shape == (96, 96, 3)
    names = tuple(info.features["label"].names)
    assert names == labels.native_names("affectnet")
    example = next(iter(built["full"].as_dataset("train")))
    assert example["valence"].dtype == example["arousal"].dtype == np.float32
    assert info.supervised_keys == ("image", "label")


def test_nothing_but_records_is_left(built):
    for layout, builder in built.items():
        names = {path.name for path in builder.data_path.iterdir()}
        names -= {"dataset_info.json", "features.json", "label.labels.txt"}
        names -= {"rejects.csv"}
        assert names == {
            f"affectnet-{split}.tfrecord-00000-of-00001"
            for split in builder.info.splits
        }, layout


def test_shards_without_an_example_are_taken_away(built, full, tmp_path):
    builder = build(full, tmp_path, num_shards=60)
    info = builder.info.splits["train"]
    assert 10 < info.num_shards < 30
    assert min(info.shard_lengths) > 0
    files = sorted(builder.data_path.glob("*train*"))
    assert len(files) == info.num_shards
    assert read_content(builder) == read_content(built["full"])
    assert len(list(builder.as_dataset("train[50%:]"))) == 14


def test_a_sample_is_a_part_of_the_whole(built, full, tmp_path):
    builder = build(full, tmp_path, max_examples_per_split=6)
    content, whole = read_content(builder), read_content(built["full"])
    assert content.items() <= whole.items()
    assert builder.info.splits["train"].num_examples == 6
    nothing = build(full, tmp_path / "none", max_examples_per_split=0)
    assert not nothing.info.splits


def test_another_file_format(built, full, tmp_path):
    builder = build(full, tmp_path, file_format="array_record")
    source = builder.as_data_source("train")
    assert {example["id"].decode() for example in source} == {
        name
        for name, row in read_content(built["full"]).items()
        if row[0] == "train"
    }


def test_configs_are_found_by_name(tmp_path, built):
    assert [config.name for config in Builder.BUILDER_CONFIGS] == ["size_96"]
    assert Builder.builder_configs.keys() == {"size_48", "size_96", "size_224"}
    for size in (48, 96, 224):
        builder = Builder(data_dir=tmp_path, config=f"size_{size}")
        assert builder.info.features["image"].shape == (size, size, 3)
    data_dir = built["full"].data_path.parents[2]
    read = tfds.builder("affectnet/size_96", data_dir=data_dir)
    assert len(read_content(read)) == len(read_content(built["full"]))


def test_folders_become_absolute_and_clouds_are_refused(tmp_path, monkeypatch):
    synthetic.write("full", tmp_path / "raw", {"train": [1] * 8}, seed=SEED)
    monkeypatch.chdir(tmp_path)
    builder = build("raw", "data", num_shards=30)
    assert len(read_content(builder)) == 10
    assert affectnet_dataset_builder.local_path("raw") == tmp_path / "raw"
    with pytest.raises(ValueError, match=r"gs://bucket/data: .* mounted"):
        affectnet_dataset_builder.local_path("gs://bucket/data")


def test_texts_are_found_and_the_version_is_the_newest():
    metadata = Builder.get_metadata()
    assert "researchers who have signed an agreement" in metadata.description
    assert "mollahosseini2017affectnet" in metadata.citation
    assert "ml.task.image-classification" in metadata.tags
    assert "training.csv" in Builder.MANUAL_DOWNLOAD_INSTRUCTIONS
    newest = max(Builder.RELEASE_NOTES, key=tfds.core.Version)
    assert newest == str(Builder.VERSION)


class AffectNetTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = Builder
    BUILDER_CONFIG_NAMES_TO_TEST = ("size_96", "size_48", "size_224")
    SPLITS = {"train": 28, "validation": 10}  # noqa: RUF012, TFDS's form

    @classmethod
    def setUpClass(cls):
        folder = tfds.testing.make_tmp_dir()
        cls.EXAMPLE_DIR = folder
        synthetic.write("full", folder, COUNTS, seed=SEED)
        super().setUpClass()

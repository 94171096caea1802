"""The FER-2013 builder: from each raw layout, in process and by command."""

import numpy as np
import pytest
import tensorflow_datasets as tfds

from fer_tfds import labels
from fer_tfds import synthetic
from fer_tfds.fer2013 import fer2013_dataset_builder
from tests.commands import command_line
from tests.fer_tfds.data_fixtures import COUNTS
from tests.fer_tfds.data_fixtures import SEED
from tests.fer_tfds.fer2013_builds import build

Builder = fer2013_dataset_builder.Builder


def read_content(builder):
    """Parsed content: shard bytes differ between two builds of one thing."""
    return {
        example["id"].decode(): (split, int(example["label"]), example["image"])
        for split in builder.info.splits
        for example in tfds.as_numpy(builder.as_dataset(split))
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Layout -> builder of the same faces."""
    root = tmp_path_factory.mktemp("built")
    builders = {}
    for layout in synthetic.DATASETS["fer2013"]:
        synthetic.write(layout, root / layout, COUNTS, seed=SEED)
        builders[layout] = build(root / layout, root / f"{layout}_data")
    return builders


def files_below(folder):
    """All files but the one in which TFDS names the default configuration."""
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and path.parent.name != ".config"
    ]


def test_content_is_what_was_drawn_in_the_same_order(built):
    drawn = synthetic.draw_records(COUNTS, SEED)
    contents = [read_content(built[layout]) for layout in ("archive", "csv")]
    assert list(contents[0]) == list(contents[1])
    for content in contents:
        assert sorted(content) == drawn.ids
        for index, name in enumerate(drawn.ids):
            split, label, image = content[name]
            assert (split, label) == (drawn.splits[index], drawn.labels[index])
            np.testing.assert_array_equal(image[:, :, 0], drawn.images[index])


def test_features_and_splits(built):
    info = built["csv"].info
    assert info.features["image"].shape == (48, 48, 1)
    assert info.features["image"].np_dtype == np.uint8
    names = tuple(info.features["label"].names)
    assert names == labels.native_names("fer2013")
    for builder in built.values():
        assert sum(s.num_examples for s in builder.info.splits.values()) == 28
    examples = {name: s.num_examples for name, s in info.splits.items()}
    assert examples == {"train": 14, "validation": 7, "test": 7}
    decoders = {"image": tfds.decode.SkipDecoding()}
    dataset = built["csv"].as_dataset("test", decoders=decoders)
    for example in tfds.as_numpy(dataset):
        assert example["image"].startswith(b"\x89PNG")


def test_prepared_data_is_read_without_our_code(built):
    data_dir = built["csv"].data_path.parents[1]
    builder = tfds.builder_from_directory(data_dir / "original" / "1.1.0")
    assert len(read_content(builder)) == 28


def test_texts_are_found_and_the_version_is_the_newest():
    metadata = Builder.get_metadata()
    assert metadata.description.startswith("FER-2013 holds 35,887 grey faces")
    assert "goodfellow2013challenges" in metadata.citation
    assert "ml.task.image-classification" in metadata.tags
    assert "fer2013.tar.gz" in Builder.MANUAL_DOWNLOAD_INSTRUCTIONS
    newest = max(Builder.RELEASE_NOTES, key=tfds.core.Version)
    assert newest == str(Builder.VERSION)


@pytest.mark.parametrize(
    ("absent", "message"),
    [
        ("expected_counts.json", "official counts of the challenge"),
        ("fer2013.csv", "no copy of FER-2013 in here"),
        ("*", "(?s)does not exist or is empty.*fer2013.tar.gz"),
    ],
)
def test_failed_build_leaves_nothing_behind(tmp_path, absent, message):
    synthetic.write("csv", tmp_path / "raw", COUNTS, seed=SEED)
    for path in (tmp_path / "raw").glob(absent):
        path.unlink()
    with pytest.raises(ValueError, match=message):
        build(tmp_path / "raw", tmp_path / "data")
    assert files_below(tmp_path / "data") == []
    assert not (tmp_path / "data" / "fer2013" / "original").exists()


def run_tfds_build(manual_dir, data_dir):
    folders = f"--manual_dir={manual_dir} --data_dir={data_dir}"
    return command_line.run(f"tfds build fer_tfds/fer2013 {folders}")


def test_command_builds_and_shows_the_counts(tmp_path):
    synthetic.write("archive", tmp_path, COUNTS, seed=SEED)
    data_dir = tmp_path / "data"
    done = run_tfds_build(tmp_path, data_dir)
    assert done.returncode == 0, done.stderr
    assert f"Checked: as many faces as in {tmp_path}" in done.stdout
    assert "  validation         1        1" in done.stdout
    last = done.stdout.rstrip().splitlines()[-1].strip()
    assert last.startswith("python -m trainer --flagfile=edge.flags")
    # The rest is what TFDS says before it imports the builder.
    assert done.stdout.count("INFO[") + done.stdout.count("WARNING[") == 1
    for noise in ("citation", "Unknown size", "examples/s"):
        assert noise not in done.stdout + done.stderr
    assert (data_dir / "fer2013/original/1.1.0/dataset_info.json").is_file()


def test_command_names_the_row_and_leaves_nothing_behind(tmp_path):
    synthetic.write("csv", tmp_path, COUNTS, seed=SEED)
    with (tmp_path / "fer2013.csv").open("a") as file:
        file.write("3,1 2 3,PrivateTest\n")
    data_dir = tmp_path / "data"
    done = run_tfds_build(tmp_path, data_dir)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    last_line = done.stderr.strip().splitlines()[-1]
    where = f"{tmp_path}/fer2013.csv, data row 29 (line 30): "
    assert last_line.startswith(f"error: {where}`pixels` must")
    assert last_line.endswith("build again.")
    assert files_below(data_dir) == []

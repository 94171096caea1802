"""Drawn faces, prepared by the real builder; made once per test process."""

import atexit
import functools
import pathlib
import shutil
import tempfile

# Images of each class.
COUNTS = {"train": 40, "validation": 8, "test": 6}


@functools.cache
def scratch() -> pathlib.Path:
    """A folder that goes when the test process ends."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="fer_tfds_tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@functools.cache
def data_dir() -> pathlib.Path:
    """Prepared data: 280 + 56 + 42 drawn faces, balanced over 7 classes."""
    from fer_tfds import synthetic

    counts = {split: [count] * 7 for split, count in COUNTS.items()}
    synthetic.write("csv", scratch() / "raw", counts, seed=0)
    _build("data", "original")
    return scratch() / "data"


@functools.cache
def data_dir_with_votes() -> pathlib.Path:
    """The same faces, prepared as `original` and, with votes, as `plus`."""
    from fer_tfds.drawing import ferplus
    from fer_tfds.sources.fer2013 import find

    data_dir()
    raw = scratch() / "raw"
    faces = find.find_source(raw).read()
    votes = ferplus.format_votes(faces, seed=0)
    (raw / "fer2013new.csv").write_bytes(votes)
    _build("data_with_votes", "original")
    _build("data_with_votes", "plus")
    return scratch() / "data_with_votes"


def _build(folder: str, config: str) -> None:
    import tensorflow_datasets as tfds

    from fer_tfds.fer2013 import fer2013_dataset_builder

    builder = fer2013_dataset_builder.Builder(
        data_dir=scratch() / folder, config=config
    )
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(
            manual_dir=scratch() / "raw"
        )
    )

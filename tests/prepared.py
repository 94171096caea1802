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
    import tensorflow_datasets as tfds

    from fer_tfds import synthetic
    from fer_tfds.fer2013 import fer2013_dataset_builder

    raw, data = scratch() / "raw", scratch() / "data"
    counts = {split: [count] * 7 for split, count in COUNTS.items()}
    synthetic.write_csv(raw, counts, seed=0)
    builder = fer2013_dataset_builder.Builder(data_dir=data)
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(manual_dir=raw)
    )
    return data

"""Test tiers: the default one, and `--run_slow` for real backbones."""

import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Tests stay on the CPU, so their figures are the same on every machine.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")


def pytest_addoption(parser):
    parser.addoption(
        "--run_slow", action="store_true", help="also run the slow tier"
    )


def pytest_collection_modifyitems(config, items):
    if config.getoption("--run_slow"):
        return
    skip = pytest.mark.skip(reason="slow tier: give --run_slow")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def prepared_data(tmp_path_factory):
    """Folder of prepared data: 140 + 42 + 42 drawn faces, balanced."""
    import tensorflow_datasets as tfds

    from fer_tfds import synthetic
    from fer_tfds.fer2013 import fer2013_dataset_builder

    raw = tmp_path_factory.mktemp("raw")
    counts = {"train": [20] * 7, "validation": [6] * 7, "test": [6] * 7}
    synthetic.write_csv(raw, counts, seed=0)
    data_dir = tmp_path_factory.mktemp("data")
    builder = fer2013_dataset_builder.Builder(data_dir=data_dir)
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(manual_dir=raw)
    )
    return str(data_dir)

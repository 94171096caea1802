"""Test tiers: the default one, and `--run_slow` for real backbones."""

import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
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
def prepared_data():
    """Folder of prepared data, as `tests.prepared` makes it."""
    from tests import prepared

    return str(prepared.data_dir())


@pytest.fixture(scope="session")
def prepared_votes():
    """The same with FER+ votes: fer2013/original and fer2013/plus."""
    from tests import prepared

    return str(prepared.data_dir_with_votes())

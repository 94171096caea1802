"""What the tests of readers share: drawn faces, in memory and as CSV."""

import pytest

from fer_tfds import synthetic
from tests.fer_tfds import data_fixtures as data


@pytest.fixture(scope="session")
def drawn():
    return synthetic.draw_records(data.COUNTS, data.SEED)


@pytest.fixture
def csv_dir(tmp_path):
    synthetic.write("csv", tmp_path, data.COUNTS, seed=data.SEED)
    return tmp_path

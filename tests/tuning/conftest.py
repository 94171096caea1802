"""What the tests of tuning share."""

import pytest

from tests.tuning import tuning_fixtures


@pytest.fixture(scope="session")
def finished():
    """A finished search: its options and what it found."""
    return tuning_fixtures.finished()

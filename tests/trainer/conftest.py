"""What the tests of training share."""

import pytest

from trainer.evaluation import charts


@pytest.fixture(autouse=True, scope="session")
def draw_coarsely():
    """Drawing takes the time; no test depends on the resolution."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(charts, "DOTS_PER_INCH", 30)
        yield

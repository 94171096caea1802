"""What the tests of `tuning` share: options, and a finished search.

The search is made once per test process and must not be changed by a test.
"""

import functools
import pathlib

from tests import prepared
from trainer.settings import settings as settings_lib
from tuning import options as options_lib
from tuning import results

TINY = {
    **{"backbone": "tiny_cnn", "batch_size": 28, "flip": True},
    **{"head_epochs": 2, "head_learning_rate": 0.003, "fine_tune_epochs": 1},
}
TUNE = ("head_depth", "head_width_1", "optimizer")


def make_options(out, *, values=(), **changes):
    """Options of a search of small heads on the drawn faces."""
    settings = settings_lib.from_flat(
        {
            **TINY,
            "data_dir": str(prepared.data_dir()),
            "feature_cache": str(prepared.scratch() / "feature_cache"),
            **dict(values),
        }
    )
    given = {"max_trials": 4, "confirm_seeds": 0, "tune": TUNE, **changes}
    return options_lib.SearchOptions(
        settings=settings,
        out=pathlib.Path(out),
        workdir="runs/tiny_tuned",
        **given,
    )


def make_trial(name, accuracy=None, **changes):
    """A completed trial, or a failed one without an accuracy."""
    if accuracy is None:
        return results.Trial(name, {}, status="failed", message="boom")
    metrics = {"accuracy": accuracy, "macro_f1": 0.1, "loss": 1 - accuracy}
    values = {"choice": "a", "rate": 0.01, **changes}
    return results.Trial(name, values, 0, "completed", metrics, 3, 1.25)


@functools.cache
def finished():
    """A finished search: its options and what it found."""
    from tuning import search

    out = prepared.scratch() / "searches" / "finished"
    options = make_options(out, confirm_seeds=1)
    return options, search.run_search(options)

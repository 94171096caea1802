"""Time of one trial of a head search, against the plain way.

  python -m benchmarks.head_trial

The quick way is that of `python -m tuning`: features of the frozen backbone
are computed once for a search, and a trial trains a head on them. The plain
way is a run of `python -m trainer` with the backbone in every epoch. Same
network, images and epochs. Compared are the epochs alone (`history.csv`) and
the whole trial; the features, which all trials of a search share, are a column
of their own.
"""

import argparse
import pathlib
import statistics
import tempfile
from collections.abc import Callable
from typing import Any

from benchmarks import drawn_data
from benchmarks import harness

MODULE = "benchmarks.head_trial"
NUM_IMAGES = 35_887  # as FER-2013
QUICK, PLAIN = "quick", "plain"
HEADER = (
    "network",
    "images",
    "epochs",
    "features once, s",
    "quick trial, s",
    "plain trial, s",
    "trial: times faster",
    "epochs alone: times faster",
)


def main(arguments: list[str] | None = None) -> None:
    """Measures and writes the table."""
    parser = harness.make_parser(__doc__)
    parser.set_defaults(repetitions=2)
    parser.add_argument(
        "--data_dir", help="of prepared FER-2013; drawn data if not given"
    )
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--backbone", default="resnet50")
    parser.add_argument("--train_split", default="train[:10%]")
    parser.add_argument("--scratch", type=pathlib.Path, default=harness.SCRATCH)
    harness.run_program(parser, measure, measure_alone, arguments=arguments)


def measure(options: argparse.Namespace) -> dict[str, str]:
    """Returns section of the page -> text."""
    data_dir = options.data_dir
    if not data_dir:
        data_dir = str(drawn_data.data_dir(NUM_IMAGES, options.scratch))
    values = {
        "backbone": options.backbone,
        "data_dir": data_dir,
        "train_split": options.train_split,
        "validation_split": "validation[:10%]",
        "test_split": "none",
        "head_epochs": options.epochs,
        "fine_tune_epochs": 0,
        "head_units": [64],
        "head_dropout": [0.2],
    }

    def way(name: str) -> Callable[[], dict[str, float]]:
        return lambda: harness.run_alone(MODULE, way=name, values=values)

    found = harness.in_turns(
        {QUICK: way(QUICK), PLAIN: way(PLAIN)}, options.repetitions
    )
    row = [options.backbone, options.train_split, options.epochs]
    return {"head_trial": harness.as_table(HEADER, [row + figures(found)])}


def figures(found: dict[str, list[dict[str, float]]]) -> list[Any]:
    """Returns the measured columns of the table."""

    def column(way: str, key: str) -> list[float]:
        return [turn[key] for turn in found[way]]

    keys = ("trial_seconds", "epochs_seconds")
    return [
        harness.digits(statistics.median(column(QUICK, "features_seconds"))),
        *(harness.spread(column(way, keys[0])) for way in (QUICK, PLAIN)),
        *(harness.ratios(column(PLAIN, k), column(QUICK, k)) for k in keys),
    ]


def measure_alone(way: str, values: dict[str, Any]) -> dict[str, float]:
    """Runs one trial: `features_seconds`, `trial_seconds`, `epochs_seconds`."""
    import dataclasses
    import time

    from trainer import runtime
    from trainer.data import prepared
    from trainer.settings import settings as settings_lib
    from tuning import features as features_lib
    from tuning import trials

    settings = settings_lib.from_flat(values)
    strategy = runtime.configure(settings.training)
    history = []
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        if way == QUICK:
            splits = prepared.load_splits(settings.data)
            features = features_lib.get_features(
                settings,
                splits,
                strategy,
                num_passes=0,
                cache=pathlib.Path(folder) / "cache",
            )
            train = trials.make_head_training(features, splits, strategy)
        else:
            plain = dataclasses.replace(settings.training, reuse_features=False)
            settings = dataclasses.replace(settings, training=plain)
            train = trials.train_whole
        features_seconds = time.monotonic() - started

        def train_and_keep(*arguments: Any) -> list[dict[str, Any]]:
            history.extend(train(*arguments))
            return history

        trial = trials.run_trial(
            pathlib.Path(folder) / "0", settings, {}, train_call=train_and_keep
        )
    return {
        "features_seconds": features_seconds,
        "trial_seconds": trial.seconds,
        "epochs_seconds": sum(row["seconds"] for row in history),
    }


if __name__ == "__main__":
    harness.run_stoppable(main)

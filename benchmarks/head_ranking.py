"""Whether a search ranks heads as the trainer does, and how much sooner.

  python -m benchmarks.head_ranking --out=head_ranking.json DIR

takes the folder of a finished search of heads, trains some of its trials
again the plain way (`python -m trainer --noreuse_features`, every image
through the backbone in every epoch), and compares figures, ranks and times.
"""

import argparse
import dataclasses
import json
import pathlib
import sys
import time

import numpy as np

from trainer import files
from trainer import run_folder
from trainer.settings import settings as settings_lib
from tuning import results
from tuning import trials


def main(arguments: list[str] | None = None) -> int:
    """Runs the comparison; returns the exit code."""
    options = _parse_arguments(arguments)
    order = results.ranked(
        results.read_trials(options.search / results.TRIALS), "accuracy"
    )
    if len(order) < 2:
        print(f"error: {options.search} has no two trials", file=sys.stderr)
        return 1
    rows = []
    for trial in choose(order, options.trials):
        rows.append(_compare(options.search, trial, options.work))
        print(json.dumps(rows[-1]), flush=True)
    table = {"spearman": spearman(rows), "trials": rows}
    files.write_text(options.out, json.dumps(table, indent=2) + "\n")
    print(f"Spearman's rank correlation: {table['spearman']:.3f}")
    return 0


def choose(order: list, count: int) -> list:
    """Returns so many trials, evenly over the ranks, best and worst too."""
    places = np.linspace(0, len(order) - 1, min(count, len(order)))
    return [order[place] for place in np.unique(places.round().astype(int))]


def spearman(rows: list[dict]) -> float:
    """Returns the rank correlation of both ways' accuracies, in [-1, 1]."""
    ranks = [
        _ranks(np.array([row[way] for row in rows]))
        for way in ("quick_accuracy", "plain_accuracy")
    ]
    return float(np.corrcoef(*ranks)[0, 1])


def _ranks(values):
    """Ranks from 0; equal values share the mean of theirs."""
    _, group = np.unique(values, return_inverse=True)
    places = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return (np.bincount(group, places) / np.bincount(group))[group]


def _compare(search, trial, work):
    stored = search / results.TRIALS / trial.name / run_folder.SETTINGS
    settings = settings_lib.from_json(stored.read_text())
    plain = dataclasses.replace(
        settings,
        training=dataclasses.replace(
            settings.training, fine_tune_epochs=0, reuse_features=False
        ),
    )
    folder = work / trial.name
    files.write_text(folder / run_folder.SETTINGS, plain.to_json())
    started = time.monotonic()
    history = trials.train_whole(plain, folder)
    figures = trials.kept_epoch(history, plain.training.selection_metric)
    return {
        "trial": trial.name,
        "quick_accuracy": trial.figures["accuracy"],
        "plain_accuracy": figures["accuracy"],
        "quick_seconds": trial.seconds,
        "plain_epochs_seconds": sum(row["seconds"] for row in history),
        "plain_seconds": time.monotonic() - started,
    }


def _parse_arguments(arguments):
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.head_ranking", description=__doc__
    )
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument(
        "--trials", type=int, default=5, help="how many to train again"
    )
    parser.add_argument(
        "--work",
        type=pathlib.Path,
        default=pathlib.Path("runs/head_ranking"),
        help="folder of the plain runs",
    )
    parser.add_argument("search", type=pathlib.Path, metavar="DIR")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

"""From which probability on a model's answer is to be trusted.

  python -m benchmarks.confidence --data_dir=DIR --results=docs/results.md

Chooses, on the validation images that a model was not trained on, the least
probability from which on enough answers are right, and says how many images
stay without an answer then. What is chosen stands in `edge.model_file`. Never
looks at a test split: the probability is a choice.
"""

import argparse
import pathlib
import sys
from typing import NamedTuple

import numpy as np

from benchmarks import harness
from benchmarks import released_models
from edge import model_file
from edge.classifier import Classifier
from trainer.data import prepared
from trainer.evaluation import intervals
from trainer.settings.model_and_data import DataSettings

SECTION = "confidence"
HEADER = (
    "model",
    "images, right of all",
    "least probability",
    "right of what is answered (95%)",
    "unsure",
    "in use",
)
LEAST_RIGHT, STEPS = 0.8, 50


class Choice(NamedTuple):
    """What a least probability gives.

    Attributes:
      least: the probability.
      right: how many answers from there on are right.
      answered: of how many.
    """

    least: float
    right: int
    answered: int


def choose(
    confidences: np.ndarray, is_right: np.ndarray, least_right: float
) -> Choice:
    """Chooses the least probability in steps of 1 / STEPS.

    Args:
      confidences: float [n] in [0, 1], of each image's best label.
      is_right: bool [n], whether that is its label.
      least_right: fraction of the answers that must be right.

    Raises:
      ValueError: no probability gives that.
    """
    for least in np.arange(STEPS + 1) / STEPS:
        answered = confidences >= least
        right = int((is_right & answered).sum())
        if answered.any() and right >= least_right * answered.sum():
            return Choice(float(least), right, int(answered.sum()))
    raise ValueError(f"no answers are right in {least_right:.0%}")


def table_row(
    name: str,
    split: prepared.Split,
    classifier: Classifier,
    *,
    least_right: float,
) -> list[str]:
    """Returns the cells of a model."""
    rows = classifier.predict(split.images)
    is_right = rows.argmax(axis=1) == split.labels
    least, right, answered = choose(rows.max(axis=1), is_right, least_right)
    low, high = intervals.wilson_interval(right, answered)
    return [
        f"`{name}`",
        f"{len(rows):,}, {is_right.mean():.1%}",
        f"{least:.2f}",
        f"{right / answered:.1%} ({low:.1%} to {high:.1%})",
        f"{1 - answered / len(rows):.1%}",
        f"{classifier.min_confidence:.2f}",
    ]


def make_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--data_dir", help="of prepared FER-2013")
    add("--model", nargs="+", default=["edge", "pocket"])
    add("--least_right", type=float, default=LEAST_RIGHT)
    add("--results", type=pathlib.Path, help="Markdown file")
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Prints the table; with --results also puts it between its markers."""
    options = make_parser().parse_args(arguments)
    data = DataSettings(data_dir=options.data_dir)
    rows = []
    try:
        for name in options.model:
            path = pathlib.Path(model_file.choose_model(name))
            split = prepared.load_split(data, released_models.held_out(path))
            row = table_row(
                path.stem,
                split,
                Classifier(path),
                least_right=options.least_right,
            )
            rows.append(row)
    except ValueError as error:
        sys.exit(f"confidence: {error}")
    table = harness.as_table(HEADER, rows)
    print(table)
    if options.results:
        harness.write_section(options.results, SECTION, table)


if __name__ == "__main__":
    harness.run_stoppable(main)

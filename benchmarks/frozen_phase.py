"""Phase 1 on features computed once, against the plain way.

  python -m benchmarks.frozen_phase --data_dir=DIR --epochs 5 20

Trains the same head on the same frozen network through the `trainer` command,
with features computed once and with the backbone run in every epoch, by turns
(A B A B), each in a process of its own. Compared is the time of phase 1,
features included, start of the process and final evaluation left out. The
ratio can be no larger than the number of epochs.
"""

import argparse
import csv
import pathlib
import sys
import tempfile
from collections.abc import Callable

from benchmarks import drawn_data
from benchmarks import harness
from trainer import run_folder

NUM_IMAGES = 35_887  # as FER-2013
HEADER = (
    "network",
    "images",
    "epochs",
    "plain, s",
    "features once, s",
    "times faster",
    "same accuracy",
)


def main(arguments: list[str] | None = None) -> None:
    """Measures and writes the table."""
    parser = harness.make_parser(__doc__)
    parser.set_defaults(repetitions=2)
    parser.add_argument(
        "--data_dir", help="of prepared FER-2013; drawn data if not given"
    )
    parser.add_argument("--epochs", type=int, nargs="+", default=[5])
    parser.add_argument("--backbone", default="resnet50")
    parser.add_argument("--train_split", default="train[:50%]")
    parser.add_argument("--scratch", type=pathlib.Path, default=harness.SCRATCH)
    harness.run_program(parser, measure, arguments=arguments)


def measure(options: argparse.Namespace) -> dict[str, str]:
    """Returns section of the page -> text."""
    if not options.data_dir:
        options.data_dir = drawn_data.data_dir(NUM_IMAGES, options.scratch)
    rows = []
    for epochs in options.epochs:

        def way(
            quick: bool, epochs: int = epochs
        ) -> Callable[[], tuple[float, str]]:
            return lambda: run_phase(options, epochs, quick)

        found = harness.in_turns(
            {"plain": way(False), "features once": way(True)},
            options.repetitions,
        )
        plain, quick = found.values()
        rows.append(table_row(options, epochs, plain=plain, quick=quick))
    return {"frozen_phase": harness.as_table(HEADER, rows)}


def run_phase(
    options: argparse.Namespace, epochs: int, quick: bool
) -> tuple[float, str]:
    """Trains once: seconds of phase 1, and the last validation accuracy."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-m", "trainer", f"--workdir={folder}/run"),
            f"--backbone={options.backbone}",
            f"--data_dir={options.data_dir}",
            f"--train_split={options.train_split}",
            # Few, since the final evaluation is not what is measured.
            "--validation_split=validation[:3%]",
            "--test_split=none",
            f"--head_epochs={epochs}",
            "--fine_tune_epochs=0",
            f"--reuse_features={quick}",
        ]
        harness.run_watched(command)
        history = pathlib.Path(folder) / "run" / run_folder.HISTORY
        rows = list(csv.DictReader(history.open(encoding="utf-8")))
    seconds = sum(float(row["seconds"]) for row in rows)
    return seconds, f"{float(rows[-1]['val_accuracy']):.4f}"


def table_row(
    options: argparse.Namespace,
    epochs: int,
    *,
    plain: list[tuple[float, str]],
    quick: list[tuple[float, str]],
) -> list:
    """A row from (seconds, accuracy) of each turn of both ways."""
    times = [[seconds for seconds, _ in turns] for turns in (plain, quick)]
    same = len({accuracy for _, accuracy in [*plain, *quick]}) == 1
    return [
        options.backbone,
        options.train_split,
        epochs,
        *map(harness.spread, times),
        harness.ratios(*times),
        "yes" if same else "no",
    ]


if __name__ == "__main__":
    harness.run_stoppable(main)

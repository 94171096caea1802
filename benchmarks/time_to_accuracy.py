"""How long each recipe takes to a validation accuracy, from the command on.

  python -m benchmarks.time_to_accuracy --recipes fast.flags edge.flags \
    --target=65 --results=docs/results.md

One recipe after the other runs as it is typed, on the same machine, and is
stopped after the epoch that gets there. The clock starts with the command: it
has loading, reading the data and every validation in it. A recipe is a single
run, so the figure moves with the seed. Nothing is tested on.
"""

import argparse
import csv
import pathlib
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

from benchmarks import harness
from benchmarks import pages
from trainer import run_folder

SECTION = "time_to_accuracy"
HEADER = ("recipe", "minutes to it", "epochs", "best so far", "time, of all")


class Reached(NamedTuple):
    """How a run went.

    Attributes:
      seconds: from the command to the end of its last epoch.
      epochs: how many were trained.
      best: its best validation accuracy, in percent.
      is_there: whether that is the target or more.
    """

    seconds: float
    epochs: int
    best: float
    is_there: bool


def main(arguments: list[str] | None = None) -> None:
    """Prints the table; with --results also puts it between its marks."""
    pages.run_page(make_parser(), measure, SECTION, arguments=arguments)


def make_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--recipes", nargs="+", default=["fast.flags", "edge.flags"])
    add("--target", type=float, default=65.0, help="percent of validation")
    add("--data_dir", help="of prepared data; default: that of TFDS")
    add("--results", type=pathlib.Path, help="Markdown file")
    return parser


def measure(options: argparse.Namespace) -> str:
    """Returns the table, with the machine that it was measured on.

    Raises:
      ValueError: a recipe's command failed.
    """
    extra = [f"--data_dir={options.data_dir}"] if options.data_dir else []
    found = {}
    for recipe in options.recipes:
        found[recipe] = run_until(recipe, options.target, extra)
        print(f"{recipe}: {found[recipe]}", file=sys.stderr, flush=True)
    return (
        f"{harness.machine_line()} To {options.target:g}% of validation:\n\n"
        + as_table(found)
    )


def run_until(recipe: str, target: float, extra: list[str]) -> Reached:
    """Trains until an epoch is as good as the target, or to the end.

    Args:
      recipe: a flagfile.
      target: percent of validation.
      extra: flags after it.

    Raises:
      ValueError: the command failed; holds the end of what it wrote.
    """
    with tempfile.TemporaryDirectory() as scratch:
        workdir = pathlib.Path(scratch, "run")
        log = pathlib.Path(scratch, "log")
        command = [sys.executable, "-m", "trainer", f"--flagfile={recipe}"]
        command += [f"--workdir={workdir}", "--test_split=none", *extra]
        started = time.monotonic()
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=harness.ROOT, stdout=output, stderr=output
            )
        try:
            reached = _watch(process, workdir, target, started=started)
        finally:
            # What it has found is read; its checkpoints go with the folder.
            process.kill()
            process.wait()
        if reached is None:
            raise ValueError(
                f"{recipe} ended with {process.returncode}:\n"
                f"{log.read_text('utf-8', errors='replace')[-2000:]}"
            )
        return reached


def as_table(found: dict[str, Reached]) -> str:
    """Returns Markdown: each recipe against the slowest that got there."""
    there = [each.seconds for each in found.values() if each.is_there]
    rows = []
    for recipe, each in found.items():
        minutes, share = f"{each.seconds / 60:.1f}", "-"
        if each.is_there:
            share = harness.digits(each.seconds / max(there))
        else:
            minutes = f"not in {minutes}"
        best = f"{each.best:.1f}%"
        rows.append([f"`{recipe}`", minutes, each.epochs, best, share])
    return harness.as_table(HEADER, rows)


def _watch(
    process: subprocess.Popen,
    workdir: pathlib.Path,
    target: float,
    *,
    started: float,
) -> Reached | None:
    """Waits for the target or the end; None where the command failed."""
    reached, has_ended = Reached(0.0, 0, 0.0, False), False
    while not has_ended and not reached.is_there:
        time.sleep(harness.SECONDS_BETWEEN_LOOKS)
        # First the end, then the epochs: so the last one is not missed.
        has_ended = process.poll() is not None
        scores = _scores(workdir / run_folder.HISTORY)
        if len(scores) > reached.epochs:
            best = max(scores)
            seconds = time.monotonic() - started
            reached = Reached(seconds, len(scores), best, best >= target)
    return None if process.poll() else reached


def _scores(path: pathlib.Path) -> list[float]:
    """Validation accuracy after each epoch so far, in percent."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [
            100 * float(row["val_accuracy"]) for row in csv.DictReader(file)
        ]


if __name__ == "__main__":
    harness.run_stoppable(main)

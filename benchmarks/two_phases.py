"""Writes what each phase of a run gave into the table of docs/results.md.

  python -m benchmarks.two_phases --workdir=runs/densenet \
    --readme=docs/results.md

Every figure is read from the run's own files. A run that is not there, or not
finished, keeps the row that it has on the page.
"""

import argparse
import csv
import json
import pathlib

from benchmarks import harness
from trainer import run_folder
from trainer.settings import settings as settings_lib

SECTION = "two_phases"
HEADER = (
    "run",
    "weights at the start",
    "epochs, hours",
    "validation, head alone",
    "validation, fine-tuned",
    "test (95% interval)",
)
NOT_RUN = "not run here"


def main(arguments: list[str] | None = None) -> None:
    """Prints the table; with --readme also puts it between its markers."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--workdir", nargs="+", type=pathlib.Path, required=True
    )
    parser.add_argument("--readme", type=pathlib.Path)
    options = parser.parse_args(arguments)
    page = options.readme.read_text("utf-8") if options.readme else ""
    rows = [
        table_row(workdir)
        if (workdir / run_folder.METRICS).is_file()
        else row_on_page(page, workdir.name)
        for workdir in options.workdir
    ]
    table = harness.as_table(HEADER, rows)
    print(table)
    if options.readme:
        harness.write_section(options.readme, SECTION, table)


def table_row(workdir: pathlib.Path) -> list[str]:
    """Returns the cells of a finished run."""
    settings = settings_lib.from_json(
        (workdir / run_folder.SETTINGS).read_text("utf-8")
    )
    with open(workdir / run_folder.HISTORY, encoding="utf-8") as file:
        history = list(csv.DictReader(file))
    hours = sum(float(row["seconds"]) for row in history) / 3600
    phases = {
        phase: [row for row in history if row["phase"] == phase]
        for phase in ("head", "fine_tune")
    }
    counts = " + ".join(str(len(rows)) for rows in phases.values() if rows)
    return [
        f"`{workdir.name}`",
        settings.model.weights,
        f"{counts}, {hours:.1f} h",
        *(_best(rows) for rows in phases.values()),
        _test(workdir),
    ]


def row_on_page(page: str, name: str) -> list[str]:
    """Returns the cells that a page has for a run; those of none if none."""
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] == f"`{name}`" and len(cells) == len(HEADER):
            return cells
    return [f"`{name}`", NOT_RUN] + ["-"] * (len(HEADER) - 2)


def _best(rows: list[dict[str, str]]) -> str:
    """The best epoch of a phase is the one it hands on."""
    figures = [float(row["val_accuracy"]) for row in rows]
    return f"{max(figures):.2%}" if figures else "-"


def _test(workdir: pathlib.Path) -> str:
    figures = json.loads((workdir / run_folder.METRICS).read_text("utf-8"))
    if "test" not in figures:
        return "not scored"
    test = figures["test"]
    low, high = test["accuracy_interval"]
    return f"{test['accuracy']:.2%} ({low:.2%} to {high:.2%})"


if __name__ == "__main__":
    harness.run_stoppable(main)

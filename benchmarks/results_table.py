"""Writes the results table of docs/results.md from finished, exported runs.

  python -m benchmarks.results_table --workdir=runs/edge \
    --readme=docs/results.md

Every figure is read from the run's own files, but for the TFLite files: they
are scored here, through the device runtime, on validation and test.
"""

import argparse
import csv
import dataclasses
import json
import pathlib
from collections.abc import Sequence
from typing import Any

from benchmarks import harness
from edge import Classifier
from trainer import run_folder
from trainer.data import prepared
from trainer.evaluation import metrics
from trainer.settings import settings as settings_lib

SECTION = "results"
HEADER = (
    "run, file",
    "data",
    "epochs, hours",
    "size",
    "same answer as trained",
    "validation accuracy",
    "test accuracy (95% interval)",
    "test macro-F1",
)
TFLITE_FILES = ("model_float32.tflite", "model_int8.tflite")


def main() -> None:
    """Prints the table; with --readme also puts it between its markers."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--workdir", nargs="+", required=True)
    parser.add_argument("--readme", type=pathlib.Path)
    parser.add_argument("--data_dir", help="default: that of the run")
    options = parser.parse_args()
    rows = []
    for workdir in options.workdir:
        rows += table_rows(pathlib.Path(workdir), options.data_dir)
    table = harness.as_table(HEADER, rows)
    print(table)
    if options.readme:
        harness.write_section(options.readme, SECTION, table)


def table_rows(workdir: pathlib.Path, data_dir: str | None) -> list[list[str]]:
    """Returns the rows of one run: as trained, then each TFLite file."""
    settings = settings_lib.from_json(
        (workdir / run_folder.SETTINGS).read_text("utf-8")
    )
    figures = json.loads((workdir / run_folder.METRICS).read_text("utf-8"))
    manifest = json.loads((workdir / run_folder.MANIFEST).read_text("utf-8"))
    of_run = [manifest["data"]["name"], _duration(workdir)]
    path = workdir / run_folder.EXPORT / "model.keras"
    rows = [_row(path, of_run, figures, agreement="-")]
    data = settings.data
    if data_dir:
        data = dataclasses.replace(data, data_dir=data_dir)
    splits = {
        part: prepared.load_split(data, data.splits[part])
        for part in ("validation", "test")
    }
    agreement = _agreements(workdir)
    for name in TFLITE_FILES:
        path = workdir / run_folder.EXPORT / name
        scored = _score(path, splits, data.class_names)
        rows.append(_row(path, of_run, scored, agreement=agreement[name]))
    return rows


def _score(
    path: pathlib.Path,
    splits: dict[str, prepared.Split],
    names: Sequence[str],
) -> dict[str, Any]:
    classifier = Classifier(path)
    return {
        name: metrics.evaluate_probabilities(
            split.labels, classifier.probabilities(split.images), names
        )
        for name, split in splits.items()
    }


def _row(
    path: pathlib.Path,
    of_run: list[str],
    figures: dict[str, Any],
    *,
    agreement: str,
) -> list[str]:
    test = figures["test"]
    low, high = test["accuracy_interval"]
    return [
        f"{path.parent.parent.name}, `{path.name}`",
        *of_run,
        f"{path.stat().st_size / 1000:,.0f} KB",
        agreement,
        f"{figures['validation']['accuracy']:.2%}",
        f"{test['accuracy']:.2%} ({low:.2%} to {high:.2%})",
        f"{test['macro_f1']:.2%}",
    ]


def _duration(workdir: pathlib.Path) -> str:
    with open(workdir / run_folder.HISTORY, encoding="utf-8") as file:
        seconds = [float(row["seconds"]) for row in csv.DictReader(file)]
    return f"{len(seconds)}, {sum(seconds) / 3600:.1f} h"


def _agreements(workdir: pathlib.Path) -> dict[str, str]:
    report = json.loads(
        (workdir / run_folder.EXPORT / run_folder.PARITY).read_text()
    )
    return {
        row["artefact"]: f"{row['agreement']:.2%}"
        for row in report["artefacts"]
    }


if __name__ == "__main__":
    harness.run_stoppable(main)

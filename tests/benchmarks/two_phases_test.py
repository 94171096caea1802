"""Tests of benchmarks/two_phases.py."""

import csv
import json
import pathlib
import shutil

import pytest

from benchmarks import two_phases
from tests.export import export_fixtures

FIELDS = ("epoch", "phase", "val_accuracy", "seconds")
EPOCHS = [
    (1, "head", 0.21, 1800),
    (2, "head", 0.25, 1800),
    (3, "head", 0.24, 1800),
    (4, "fine_tune", 0.35, 3600),
]


@pytest.fixture
def workdir(tmp_path):
    """A finished run, whose two phases are made up."""
    target = tmp_path / "deep"
    shutil.copytree(export_fixtures.workdir(), target)
    with open(target / "history.csv", "w", newline="") as file:
        csv.writer(file).writerows([FIELDS, *EPOCHS])
    return target


def change_metrics(workdir, **values):
    path = workdir / "metrics.json"
    metrics = json.loads(path.read_text())
    for part, figures in values.items():
        if figures is None:
            del metrics[part]
        else:
            metrics[part].update(figures)
    path.write_text(json.dumps(metrics))


def test_a_row_tells_the_best_epoch_of_each_phase(workdir):
    found = {"accuracy": 0.4, "accuracy_interval": [0.38, 0.42]}
    change_metrics(workdir, test=found)
    assert two_phases.table_row(workdir) == [
        "`deep`",
        "none",
        "3 + 1, 2.5 h",
        "25.00%",
        "35.00%",
        "40.00% (38.00% to 42.00%)",
    ]


def test_a_run_without_a_phase_or_a_test_says_so(workdir):
    change_metrics(workdir, test=None)
    with open(workdir / "history.csv", "w", newline="") as file:
        csv.writer(file).writerows([FIELDS, EPOCHS[-1]])
    row = two_phases.table_row(workdir)
    assert row[2:] == ["1, 1.0 h", "-", "35.00%", "not scored"]


def test_readme_has_a_place_for_what_make_densenet_measured(tmp_path):
    page = tmp_path / "results.md"
    shutil.copy(pathlib.Path(__file__).parents[2] / "docs" / "results.md", page)
    before = page.read_text()
    missing = [str(tmp_path / name) for name in ("densenet_random", "densenet")]
    two_phases.main(["--workdir", *missing, f"--readme={page}"])
    assert page.read_text() == before


def test_a_run_that_is_not_there_keeps_its_row(workdir, tmp_path, capsys):
    readme = tmp_path / "page.md"
    known = "| `known` | none | 1, 0.1 h | - | 20.00% | not scored |"
    readme.write_text(
        f"a\n<!-- two_phases -->\nold\n{known}\n<!-- /two_phases -->\nb\n"
    )
    folders = [workdir, tmp_path / "known", tmp_path / "missing"]
    two_phases.main(["--workdir", *map(str, folders), f"--readme={readme}"])
    first, begin, *table, end, last = readme.read_text().splitlines()
    assert (first, last) == ("a", "b")
    assert begin + end == "<!-- two_phases --><!-- /two_phases -->"
    assert table[2].startswith("| `deep` | none | 3 + 1, 2.5 h |")
    assert table[3:] == [
        known,
        "| `missing` | not run here | - | - | - | - |",
    ]
    assert capsys.readouterr().out.splitlines() == table

import json
import shutil

import pytest

from benchmarks import results_table
from tests.export import export_fixtures


@pytest.fixture
def workdir(tmp_path):
    """A finished run with its export, to be changed at will."""
    target = tmp_path / "tiny"
    shutil.copytree(export_fixtures.workdir(), target)
    shutil.copytree(export_fixtures.export_folder(), target / "export")
    return target


def test_rows_hold_the_figures_of_the_run_and_of_each_file(workdir):
    rows = results_table.table_rows(workdir, None)
    metrics = json.loads((workdir / "metrics.json").read_text())
    trained = f"{metrics['test']['accuracy']:.2%} ("
    names = ("model.keras", "model_float32.tflite", "model_int8.tflite")
    assert [row[0] for row in rows] == [f"tiny, `{name}`" for name in names]
    for name, row in zip(names, rows, strict=True):
        assert row[1] == "fer2013/original/1.1.0"
        assert row[2].startswith("12, ")
        assert len(row) == len(results_table.HEADER)
        if name != "model_int8.tflite":
            assert row[6].startswith(trained)
    assert rows[1][4] == "100.00%"


def test_a_tflite_file_is_scored_and_not_taken_on_trust(workdir):
    before = results_table.table_rows(workdir, None)
    for name in ("float32", "int8"):
        path = workdir / "export" / f"model_{name}.tflite"
        other = "int8" if name == "float32" else "float32"
        shutil.copy(
            export_fixtures.export_folder() / f"model_{other}.tflite", path
        )
    after = results_table.table_rows(workdir, None)
    # Sizes tell that the files were swapped; so must what they answered.
    assert before[1][3] == after[2][3]
    assert before[2][5:] == after[1][5:]

"""Tests of benchmarks/compression.py: each figure is that of its file."""

import gzip
import shutil

import pytest

from benchmarks import compression
from tests.export import export_fixtures


def test_rows_are_measured_on_the_files(tmp_path):
    source = export_fixtures.export_folder()
    accuracies = {"model_float32.tflite": 0.75, "model_int8.tflite": 0.625}
    for name in accuracies:
        shutil.copy(source / name, tmp_path)
    export_fixtures.write_parity(tmp_path, accuracies)
    rows = compression.table_rows([tmp_path])
    assert [row[0] for row in rows] == [f"`{name}`" for name in accuracies]
    for row, (name, accuracy) in zip(rows, accuracies.items(), strict=True):
        content = (tmp_path / name).read_bytes()
        assert row[1] == f"{len(content) / 1000:,.0f}"
        zipped = len(gzip.compress(content, mtime=0))
        assert row[2] == f"{zipped / 1000:,.0f}"
        assert row[5] == f"{accuracy:.2%}"
    assert {len(row) for row in rows} == {len(compression.COLUMNS)}


def test_a_file_counts_once(tmp_path, monkeypatch):
    source = export_fixtures.export_folder()
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        shutil.copy(source / "model_int8.tflite", tmp_path / folder)
        shutil.copy(source / "parity.json", tmp_path / folder)
    monkeypatch.setattr(
        compression.latency,
        "run_alone",
        lambda path, threads: {"median_ms": 1.0, "p95_ms": 2.0},
    )
    rows = compression.table_rows([tmp_path / "one", tmp_path / "two"])
    assert len(rows) == 1
    assert rows[0][-1] == "1.00 (2.00)"


def test_no_files_say_what_to_type(tmp_path):
    with pytest.raises(ValueError, match="--compress=qat"):
        compression.table_rows([tmp_path])

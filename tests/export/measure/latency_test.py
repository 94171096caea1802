"""Tests of export/measure/latency.py and what measures in its own process."""

import json
import shutil

import pytest

from export.measure import latency
from export.measure import latency_chart
from tests.commands import command_line
from tests.export import export_fixtures

ACCURACIES = {"model_float32.tflite": 0.75, "model_int16x8.tflite": 0.625}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report on the float32 and the int16x8 file."""
    folder = tmp_path_factory.mktemp("latency")
    source = export_fixtures.export_folder()
    for name in ACCURACIES:
        shutil.copy(source / name, folder)
    export_fixtures.write_parity(folder, ACCURACIES)
    found = latency.benchmark(folder)
    latency.write(folder, found)
    assert json.loads((folder / "latency.json").read_text()) == found
    return found


def test_every_file_is_measured(report):
    assert [row["file"] for row in report["files"]] == list(ACCURACIES)
    for row in report["files"]:
        for threads in ("one_thread", "all_threads"):
            times = row[threads]
            assert 0 < times["median_ms"] <= times["p95_ms"] < 1000
            assert times["median_ms"] < times["first_answer_ms"]
        assert row["accuracy"] == ACCURACIES[row["file"]]
        layers = row["layers"]
        total = sum(layer["multiply_accumulates"] for layer in layers)
        assert total == row["multiply_accumulates"] > 1e6


def test_what_is_delegated_is_told_and_memory_is_the_runtimes_alone(report):
    float32, int16x8 = report["files"]
    assert float32["not_delegated"] == []
    assert float32["delegated"] == sum(float32["operators"].values())
    # XNNPACK has no kernels of 16 bits.
    assert int16x8["delegated"] == 0
    assert len(int16x8["not_delegated"]) == sum(int16x8["operators"].values())
    """The parent holds TensorFlow, several hundred megabytes of it."""
    peaks = [row["one_thread"]["peak_memory_mb"] for row in report["files"]]
    assert all(20 < peak < 200 for peak in peaks)


def test_the_delegate_takes_what_lies_between_its_ends():
    operators = [
        ("QUANTIZE", [0], [1]),
        ("CONV_2D", [1, 10], [2]),
        ("SOFTMAX", [2], [3]),
        ("QUANTIZE", [3], [4]),
        ("DELEGATE", [1, 10], [3]),
    ]
    assert latency._not_delegated(operators) == ["QUANTIZE", "QUANTIZE"]


def test_the_table_and_the_picture_hold_every_file(report):
    table = latency.as_table(report).splitlines()
    assert len(table) == 5
    assert len({line.count("|") for line in table[1:]}) == 1
    for line, accuracy in zip(table[3:], ACCURACIES.values(), strict=True):
        assert f"{accuracy:.2%}" in line
    without = [{**row, "accuracy": None} for row in report["files"]]
    assert "| - |" in latency.as_table({**report, "files": without})
    for rows in (report["files"], without):
        assert latency_chart.draw(rows)[:4] == b"\x89PNG"


def test_a_folder_without_files_and_a_file_that_does_not_run(tmp_path):
    with pytest.raises(latency.LatencyError, match="export --tflite"):
        latency.benchmark(tmp_path)
    path = tmp_path / "model_int8.tflite"
    path.write_bytes(b"nothing")
    with pytest.raises(latency.LatencyError, match=r"model_int8\.tflite"):
        latency.run_alone(path, 1)


def test_the_measuring_process_loads_no_tensorflow():
    statement = "import export.measure.latency_child"
    assert not command_line.loaded_after(statement, "tensorflow", "keras")

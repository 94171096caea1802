"""Each real backbone through training and export, on drawn faces."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(*arguments):
    result = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr[-3000:]


@pytest.mark.slow
@pytest.mark.parametrize(
    "backbone", ["plain_cnn", "mobilenetv2", "densenet121", "densenet169"]
)
def test_both_phases_and_the_float_artefacts(backbone, prepared_data, tmp_path):
    workdir = tmp_path / "run"
    run(
        "trainer",
        f"--backbone={backbone}",
        f"--data_dir={prepared_data}",
        f"--workdir={workdir}",
        "--head_units=16",
        "--head_dropout=0.2",
        "--head_epochs=1",
        "--fine_tune_epochs=1",
        "--batch_size=56",
    )
    # After ten steps from random weights int8 need not agree; floats must.
    run(
        "export",
        f"--workdir={workdir}",
        "--tflite",
        "--parity_images=28",
        "--calibration_images=28",
        "--int8_agreement=0",
        "--accuracy_loss_points=100",
    )
    report = json.loads((workdir / "export" / "parity.json").read_text())
    assert len(report["artefacts"]) == 6
    for row in report["artefacts"]:
        if "int8" not in row["artefact"]:
            assert row["largest_probability_difference"] < 1e-4

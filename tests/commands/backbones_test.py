"""Each real backbone through training and export, on drawn faces."""

import json

import pytest

from tests.commands.command_line import python


@pytest.mark.slow
@pytest.mark.parametrize(
    "backbone", ["plain_cnn", "mobilenetv2", "densenet121", "densenet169"]
)
def test_both_phases_and_every_artefact(backbone, prepared_data, tmp_path):
    workdir = tmp_path / "run"
    trained = python(
        *("-m", "trainer"),
        f"--backbone={backbone}",
        f"--data_dir={prepared_data}",
        f"--workdir={workdir}",
        "--head_units=16",
        "--head_dropout=0.2",
        "--head_epochs=1",
        "--fine_tune_epochs=1",
        "--batch_size=56",
    )
    assert trained.returncode == 0, trained.stderr[-3000:]
    exported = python(
        *("-m", "export"),
        f"--workdir={workdir}",
        "--tflite",
        "--parity_images=28",
        "--calibration_images=28",
    )
    # After ten steps from random weights all classes are about as likely, so
    # int8 may well change answers and the gate close; floats may not.
    reports = [workdir / "export/parity.json", workdir / "parity_failed.json"]
    found = [path for path in reports if path.exists()]
    assert len(found) == 1, exported.stderr[-3000:]
    rows = json.loads(found[0].read_text())["artefacts"]
    assert len(rows) == 6
    for row in rows:
        limit = 0.1 if "int8" in row["artefact"] else 1e-4
        assert row["largest_probability_difference"] < limit

"""Tests of export/quantisation_debug.py: it points at the layer at fault."""

import csv
import dataclasses

import keras
import pytest

from export import quantisation_debug
from tests.export import export_fixtures
from trainer.models import build_model


@pytest.fixture(scope="module")
def rows():
    """With one weight so large that its layer's range is lost on the rest."""
    run = export_fixtures.run()
    model = build_model(run.settings, len(run.class_names), keras)
    model.set_weights(run.model.get_weights())
    layer = model.get_layer("logits")
    kernel, bias = layer.get_weights()
    bias[0] = 5000
    layer.set_weights([kernel, bias])
    images = export_fixtures.calibration().images[:20]
    return quantisation_debug.measure(
        dataclasses.replace(run, model=model), images
    )


def test_every_computed_tensor_has_a_row_and_the_spoilt_one_stands_out(rows):
    operators = {row["operator"] for row in rows}
    assert {"CONV_2D", "FULLY_CONNECTED", "SOFTMAX"} <= operators
    steps = [row["steps_off"] for row in rows]
    assert steps == sorted(steps, reverse=True)
    assert steps[0] > 0
    coarsest = max(rows, key=lambda row: row["scale"])
    assert "logits" in coarsest["tensor"]


def test_the_table_is_written_whole(rows, tmp_path):
    path = tmp_path / "debug.csv"
    quantisation_debug.write_table(path, rows)
    with path.open() as file:
        stored = list(csv.DictReader(file))
    assert [row["tensor"] for row in stored] == [row["tensor"] for row in rows]
    text = quantisation_debug.as_table(rows, most=3)
    assert len(text.splitlines()) == 4
    assert rows[0]["tensor"] in text

"""What export/gate.py says of models that have learned too little."""

import dataclasses

import numpy as np
import pytest

from export import agreement
from export import exporter
from export import gate
from tests.export import export_fixtures
from tests.export.export_fixtures import options
from trainer import checkpoints
from trainer import run_folder

INT8 = {"tflite": True, "recipes": ("int8",), "parity_images": 28}


def fails_int8(measured, *_, **__):
    return ["agreement: made to fail"] if measured["kind"] == "int8" else []


def with_weights(workdir, change):
    """Changes the last layer in a run's file, as if it had been trained so."""
    model = checkpoints.load_for_inference(workdir).model
    layer = model.get_layer("logits")
    layer.set_weights(change(*layer.get_weights()))
    model.save_weights(workdir / run_folder.BEST_WEIGHTS)
    (workdir / run_folder.PREDICTIONS).unlink()


def only_happy(kernel, bias):
    return [0 * kernel, np.eye(7)[3]]


def hesitant(kernel, bias):
    return [kernel / 50, bias / 50]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (only_happy, "it answers `happy` to every image"),
        (hesitant, "leaves 28 of 28 images open"),
    ],
)
def test_the_training_is_named_as_the_cause(
    workdir, change, why, monkeypatch, capsys
):
    with_weights(workdir, change)
    monkeypatch.setattr(agreement, "_failures", fails_int8)
    with pytest.raises(exporter.ExportError) as caught:
        exporter.export_run(options(workdir, **INT8))
    said = str(caught.value)
    assert "did not pass the gate (agreement: made to fail)" in said
    assert "The cause is the training: the " in said
    assert why in said
    assert "more --fine_tune_epochs (now 12)" in said
    assert "int16x8" not in said
    assert "worst tensors" not in capsys.readouterr().out
    assert not (workdir / gate.DEBUG_TABLE).exists()


def test_what_a_library_says_of_such_a_model_comes_second():
    trained = {"warning": "the model has learned nothing: it ..."}
    found = gate.Gate(export_fixtures.run(), None, None, trained)
    with (
        pytest.raises(exporter.ExportError, match=r"^the model has"),
        gate.explain_untrained(found),
    ):
        raise RuntimeError("the interpreter could not prepare node 3")
    decent = dataclasses.replace(found, trained={"warning": None})
    with (
        pytest.raises(RuntimeError, match=r"^the interpreter"),
        gate.explain_untrained(decent),
    ):
        raise RuntimeError("the interpreter could not prepare node 3")

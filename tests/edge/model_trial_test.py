"""Tests of edge/model_trial.py: models that bring a process down."""

import os
import time

import numpy as np
import pytest
from tensorflow.lite.python import schema_py_generated as schema

import edge
from edge import model_trial
from tests.edge import brightness
from tests.edge import mutated_models


def astray(content):
    """The model, with an operator that asks for a tensor that is not there."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    model.subgraphs[0].operators[0].inputs = np.array([99], np.int32)
    return mutated_models.pack(model, len(content))


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (lambda: os.kill(os.getpid(), 11), "breaks down"),
        (lambda: len(bytearray(2**30)), "breaks down"),
        (lambda: [None for _ in iter(int, 1)], "2 s for a picture|breaks down"),
    ],
    ids=["dies", "memory", "endless"],
)
def test_a_trial_that_dies_is_one_line(monkeypatch, work, words):
    """Whatever LiteRT does in the copy, this process stays."""

    def harmful(*_, **__):
        work()

    monkeypatch.setattr(model_trial, "Network", harmful)
    monkeypatch.setattr(model_trial, "_may_be_copied", lambda: True)
    path = brightness.model_path("uint8")
    started = time.process_time()
    with pytest.raises(edge.ModelFileError) as caught:
        edge.Classifier(path)
    assert any(word in str(caught.value) for word in words.split("|"))
    assert time.process_time() - started < 1


@pytest.mark.parametrize("is_copied", [True, False])
def test_both_kinds_of_trial_say_the_same(tmp_path, monkeypatch, is_copied):
    monkeypatch.setattr(model_trial, "_may_be_copied", lambda: is_copied)
    monkeypatch.chdir(tmp_path)
    base = mutated_models.Base(brightness.model_path("uint8").read_bytes())
    edge.Classifier(brightness.model_path("uint8"))
    (tmp_path / "m").write_bytes(base.join(astray(base.model)))
    with pytest.raises(edge.ModelFileError, match="cannot use m: LiteRT does"):
        edge.Classifier("m")


def test_shipped_models_need_no_trial(monkeypatch):
    monkeypatch.setattr(model_trial, "attempt", None)
    for name in ("edge", "pocket"):
        edge.Classifier(name)

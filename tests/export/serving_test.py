"""Tests of export/serving.py: TensorFlow Serving's layout, served."""

import base64
import json
import os
import pickle
import re
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from export import parity
from export import serving
from tests.commands.command_line import BIN
from tests.commands.command_line import ROOT
from tests.commands.command_line import python
from tests.export import export_fixtures

# Asks as the server does: a graph, fed and fetched by the names that the
# signature gives its tensors. Nothing of Keras is there.
ASK = """
import pickle
import sys
sys.modules["keras"] = sys.modules["tf_keras"] = None
import numpy
import tensorflow
v1 = tensorflow.compat.v1
with open(sys.argv[2], "rb") as file:
    signature, values = pickle.load(file)
with v1.Session(graph=tensorflow.Graph()) as session:
    loaded = v1.saved_model.load(session, ["serve"], sys.argv[1])
    stated = loaded.signature_def[signature]
    (fetched,) = [each.name for each in stated.outputs.values()]
    fed = {stated.inputs[name].name: values[name] for name in values}
    numpy.save(sys.argv[3], session.run(fetched, fed))
"""
CURL = """#!/bin/sh
test "$1" = -d && test "$3" = localhost:8501/v1/models/fer:predict
test -s "${2#@}" && echo "${2#@}" >> asked.txt
"""


def publish(root, name="fer"):
    return serving.publish(export_fixtures.export_folder(), root, name)


def test_versions_count_up_and_old_ones_stay(tmp_path):
    assert publish(tmp_path / "models") == tmp_path / "models" / "fer" / "1"
    assert publish(tmp_path / "models").name == "2"
    (tmp_path / "models" / "fer" / "10").mkdir()
    assert publish(tmp_path / "models").name == "11"
    names = {path.name for path in (tmp_path / "models" / "fer").iterdir()}
    assert names == {"1", "2", "10", "11"}


def test_a_version_holds_the_model_and_says_what_it_is(tmp_path):
    folder = publish(tmp_path)
    assert (folder / "saved_model.pb").is_file()
    assert (folder / "variables" / "variables.index").is_file()
    labels = (folder / "assets.extra" / "labels.txt").read_text()
    assert tuple(labels.splitlines()) == export_fixtures.CLASSES
    assert (folder / "assets.extra" / "metadata.json").is_file()


def test_a_fresh_process_without_keras_serves_both_signatures(tmp_path):
    version = publish(tmp_path / "models")
    # The script looks for `saved_model` in a folder.
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "saved_model").symlink_to(version)
    served = tmp_path / "served"
    export_fixtures.check_fresh_process(export_fixtures.SERVE, served, tmp_path)


def documented():
    """The lines of docs/devices.md that ask a server."""
    text = (ROOT / "docs" / "devices.md").read_text(encoding="utf-8")
    return re.search(r"```\n(# one request.*?)```", text, re.S)[1]


def as_served(body):
    """Signature and tensors of a request, by the rules of the server.

    An object with the one key `b64` stands for bytes, anywhere in it.
    """

    def decode(value):
        if set(value) == {"b64"}:
            return base64.b64decode(value["b64"], validate=True)
        return value

    request = json.loads(body, object_hook=decode)
    inputs = request.pop("inputs")
    signature = request.pop("signature_name", "serving_default")
    assert not request
    return signature, {name: np.array(inputs[name]) for name in inputs}


def ask(version, body, scratch):
    """What a version answers to a request."""
    (scratch / "asked.pickle").write_bytes(pickle.dumps(as_served(body)))
    names = [version, scratch / "asked.pickle", scratch / "answer.npy"]
    done = python("-c", ASK, *names, folder=scratch)
    assert done.returncode == 0, done.stderr
    return np.load(scratch / "answer.npy")


def test_the_documented_requests_are_answered_by_both_signatures(
    folder, tmp_path
):
    shutil.copy(folder / "golden" / "input_3.png", folder / "FACE.png")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "curl").write_text(CURL)
    (tmp_path / "bin" / "curl").chmod(0o755)
    path = f"{tmp_path / 'bin'}:{BIN}:{os.environ['PATH']}"
    subprocess.run(
        ["bash", "-e", "-c", documented()],
        cwd=folder,
        env={**os.environ, "PATH": path},
        check=True,
    )
    asked = (folder / "asked.txt").read_text().split()
    assert asked == ["bytes.json", "pixels.json"]
    version = serving.publish(folder, tmp_path / "models", "fer")
    answers = [ask(version, (folder / n).read_bytes(), tmp_path) for n in asked]
    images = np.load(folder / "golden" / "inputs.npy")
    live = parity.live_model(export_fixtures.run())(images)
    np.testing.assert_allclose(answers[0], live[3:4], atol=1e-5)
    np.testing.assert_allclose(answers[1], live, atol=1e-5)


def test_the_bytes_of_a_phone_are_taken_as_they_lie(folder, tmp_path):
    """As the documents say: EXIF is for the client."""
    upright = Image.open(folder / "golden" / "input_3.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # To be turned by a quarter.
    answers = []
    for name, options in (("plain", {}), ("turned", {"exif": exif})):
        path = tmp_path / f"{name}.jpg"
        upright.save(path, quality=95, **options)
        encoded = base64.b64encode(path.read_bytes()).decode()
        request = {
            "signature_name": "image_bytes",
            "inputs": {"encoded": [{"b64": encoded}]},
        }
        version = folder / "saved_model"
        answers.append(ask(version, json.dumps(request), tmp_path))
    np.testing.assert_array_equal(*answers)


@pytest.mark.parametrize("name", ["", "../up", "a b", ".hidden", "a/b"])
def test_names_that_are_no_folder_are_refused_and_of_a_file(tmp_path, name):
    with pytest.raises(serving.ServingError, match="serving_name"):
        publish(tmp_path, name)
    assert not list(tmp_path.iterdir())
    (tmp_path / "fer").write_text("mine")
    with pytest.raises(serving.ServingError, match="is a file"):
        publish(tmp_path)


def test_a_copy_that_fails_leaves_no_version(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(serving.shutil, "copy", fail)
    with pytest.raises(OSError, match="disk full"):
        publish(tmp_path)
    assert not list((tmp_path / "fer").iterdir())

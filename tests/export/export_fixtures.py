"""What the tests of `export` share: a finished run, and its export.

Each is made once per test process and must not be changed by a test.
"""

import dataclasses
import functools
import json
import pathlib
import shutil

import numpy as np

from fer_tfds import labels as taxonomy
from tests import prepared
from tests.commands.command_line import python

CLASSES = taxonomy.class_names("fer2013")
SIZE = 48


def make_settings(**changes):
    """Settings of the tiny test network on the drawn faces."""
    from trainer.settings import settings

    values = {
        "backbone": "tiny_cnn",
        "data_dir": str(prepared.data_dir()),
        "fine_tune_epochs": 12,
        "fine_tune_learning_rate": 0.01,
        "schedule": "one_cycle",
        "batch_size": 28,
        "seed": 1,
        **changes,
    }
    return settings.from_flat(values)


@functools.cache
def workdir() -> pathlib.Path:
    """A finished run that tells the drawn faces apart."""
    from trainer import train

    folder = prepared.scratch() / "runs" / "tiny"
    figures = train.train_and_evaluate(make_settings(), folder)
    assert not figures["validation"]["collapsed"]
    return folder


def copy_workdir(folder: pathlib.Path) -> pathlib.Path:
    """A copy of the finished run, `runs/tiny`, that a test may change."""
    return shutil.copytree(workdir(), folder / "runs" / "tiny")


@functools.cache
def run():
    """The finished run, loaded for inference."""
    from trainer import checkpoints

    return checkpoints.load_for_inference(workdir())


@functools.cache
def export_folder() -> pathlib.Path:
    """Everything that `python -m export --tflite` writes for the run.

    With every recipe, not only those of the default, and no temperature: what
    the files answer is compared with `run`.
    """
    from export import choices
    from export import exporter

    folder = prepared.scratch() / "export"
    every = {"tflite": True, "recipes": choices.RECIPES, "calibrate": False}
    return exporter.export_run(options(workdir(), out=folder, **every))


def options(folder: pathlib.Path, **changes):
    """Options to export a run."""
    from export import exporter

    return exporter.ExportOptions(workdir=folder, **changes)


def names(folder: pathlib.Path) -> set[str]:
    """What is in a folder."""
    return {path.name for path in folder.iterdir()}


def write_tflite(folder: pathlib.Path, *recipes: str, io="uint8", model=None):
    """Writes .tflite files of the run, or of another network in its place."""
    from export import artifacts
    from export import tflite

    described = dataclasses.replace(run(), model=model or run().model)
    tflite.write_tflite_files(
        described,
        folder,
        calibration(),
        metadata=artifacts.describe(described),
        recipes=recipes,
        io=io,
    )


def write_parity(folder: pathlib.Path, accuracies: dict[str, float]) -> None:
    """Writes a parity report of the export, with other accuracies."""
    report = json.loads((export_folder() / "parity.json").read_text())
    for row in report["artefacts"]:
        row["accuracy"] = accuracies.get(row["artefact"])
    (folder / "parity.json").write_text(json.dumps(report))


def validation():
    """The validation split of the prepared data."""
    from trainer.data import prepared as records

    return records.load_split(make_settings().data, "validation")


def calibration():
    """A calibration list of the 56 validation images."""
    from export import representative_data as calibration

    return calibration.choose(validation(), len(CLASSES), count=400)


# TensorFlow itself imports Keras where it finds it, so it is made not to.
SERVE = """
import sys
sys.modules["keras"] = sys.modules["tf_keras"] = None
import numpy
import tensorflow
served = tensorflow.saved_model.load(sys.argv[1] + "/saved_model").signatures
images = numpy.load(sys.argv[2])
pixels = tensorflow.constant(images, tensorflow.float32)
encoded = tensorflow.stack([tensorflow.io.encode_png(i) for i in images])
by_pixels = served["serving_default"](pixels=pixels)["probabilities"]
by_bytes = served["image_bytes"](encoded=encoded)["probabilities"]
assert not any(name.startswith("keras.") for name in sys.modules)
assert abs(by_pixels.numpy() - by_bytes.numpy()).max() < 1e-6
numpy.save(sys.argv[3], by_pixels.numpy())
"""


def check_fresh_process(code, folder, scratch):
    """Runs one of the scripts and compares it with the live model."""
    from export import parity

    images = validation().images[:14]
    np.save(scratch / "images.npy", images)
    arrays = [scratch / "images.npy", scratch / "answers.npy"]
    done = python("-c", code, folder, *arrays, folder=scratch)
    assert done.returncode == 0, done.stderr
    live = parity.live_model(run())(images)
    answers = np.load(scratch / "answers.npy")
    np.testing.assert_allclose(answers, live, atol=1e-5)

"""SavedModel, Keras files, labels and metadata of a finished run.

Writes into a folder it is given and nothing else: the TFLite files, the
parity gate and the moving into place are other modules' work.
"""

import contextlib
import dataclasses
import importlib.metadata
import json
import logging
import pathlib
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from export import choices
from export import keras_dialect
from export import tflite_recipes
from trainer.checkpoints import FinishedRun
from trainer.data import preprocessing
from trainer.settings.settings import Settings

SAVED_MODEL = "saved_model"
KERAS = "model.keras"
H5 = "model.h5"
ARCHITECTURE = "model.json"
# The oldest Keras that each loads in.
LEAST_KERAS = {KERAS: "3.3", H5: "2.15", ARCHITECTURE: "2.15"}
LABELS = "labels.txt"
METADATA = choices.METADATA

PIXELS_SIGNATURE = tflite_recipes.PIXELS_SIGNATURE
BYTES_SIGNATURE = "image_bytes"

LIBRARIES = ("tensorflow", "keras", "numpy", "ai-edge-litert")


def write_keras_files(run: FinishedRun, folder: pathlib.Path) -> None:
    """Writes `model.keras`, `model.h5`, and `model.json` without weights.

    The last is for those who load the architecture first:
    `keras.models.model_from_json(text)`, then `load_weights("model.h5")`. What
    loads where: `keras_dialect`.
    """
    # In this order: saving as HDF5 drops the optimizer from the compile
    # configuration, and a later .keras would come back with another one.
    run.model.save(folder / KERAS)
    keras_dialect.make_keras_lean(folder / KERAS, run.model)
    with _without_legacy_warning():
        run.model.save(folder / H5)
    keras_dialect.make_h5_classic(folder / H5, run.model)
    described = keras_dialect.classic_architecture(run.model)
    text = json.dumps(described, indent=2) + "\n"
    (folder / ARCHITECTURE).write_text(text, encoding="utf-8")


def write_saved_model(run: FinishedRun, folder: pathlib.Path) -> None:
    """Writes `saved_model/`, which needs no Keras to be served.

    Its signatures both give `probabilities`, float32 [n, K]:
      serving_default: `pixels`, float32 [n, S, S, C], raw, in [0, 255].
      image_bytes: `encoded`, string [n], PNG or JPEG files of any size.
    """
    server = _Server(run)
    tf.saved_model.save(
        server,
        str(folder / SAVED_MODEL),
        signatures={
            PIXELS_SIGNATURE: server.classify_pixels,
            BYTES_SIGNATURE: server.classify_bytes,
        },
    )


def write_fixed_batch_model(run: FinishedRun, folder: pathlib.Path) -> None:
    """Writes a SavedModel that takes exactly one image, for conversion.

    Its `serving_default` is float32 [1, S, S, C] -> float32 [1, K].
    """
    server = _Server(run)
    pixels = tf.TensorSpec([1, *_input_shape(run)], tf.float32, name="pixels")
    one = tf.function(server.predict, input_signature=[pixels])
    tf.saved_model.save(server, str(folder), signatures={PIXELS_SIGNATURE: one})


def write_labels(run: FinishedRun, folder: pathlib.Path) -> None:
    """Writes `labels.txt`: one class name a line, in output order."""
    text = "".join(f"{name}\n" for name in run.class_names)
    (folder / LABELS).write_text(text, encoding="utf-8")


def write_metadata(folder: pathlib.Path, metadata: dict[str, Any]) -> None:
    """Writes `metadata.json`."""
    text = json.dumps(metadata, indent=2) + "\n"
    (folder / METADATA).write_text(text, encoding="utf-8")


def describe(run: FinishedRun) -> dict[str, Any]:
    """Returns what a client must know of the model, in plain JSON values."""
    data = run.settings.data
    return {
        "image_size": data.image_size,
        "channels": data.channels,
        "pixel_range": [0, 255],
        "layout": "NHWC",
        "preparation": (
            "grey = 0.2989 R + 0.587 G + 0.114 B when channels is 1; "
            "antialiased bilinear resize to a square; no normalisation, "
            "the model does it"
        ),
        "labels": list(run.class_names),
        "data": run.manifest.get("data", {}),
        "libraries": {
            name: importlib.metadata.version(name) for name in LIBRARIES
        },
        "least_keras": LEAST_KERAS,
        "trained_with": {
            "libraries": run.manifest.get("libraries", {}),
            "commit": run.manifest.get("commit"),
        },
        "settings": portable(run.settings),
    }


class _Server(tf.Module):
    """The model as plain TensorFlow: variables and functions, no Keras.

    model.export() stores every variable twice, and a Keras object inside the
    module hides its variables from the TFLite converter.
    """

    def __init__(self, run: FinishedRun):
        super().__init__()
        model, data = run.model, run.settings.data
        self.model_variables = [v.value for v in model.variables]

        def predict(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"probabilities": model(pixels, training=False)}

        def prepare(encoded: tf.Tensor) -> tf.Tensor:
            return preprocessing.prepare_image(
                preprocessing.decode_image(encoded),
                size=data.image_size,
                channels=data.channels,
            )

        def predict_bytes(encoded: tf.Tensor) -> dict[str, tf.Tensor]:
            images = tf.map_fn(prepare, encoded, fn_output_signature=tf.uint8)
            images = tf.ensure_shape(images, [None, *_input_shape(run)])
            return predict(tf.cast(images, tf.float32))

        pixels = tf.TensorSpec([None, *_input_shape(run)], name="pixels")
        encoded = tf.TensorSpec([None], tf.string, name="encoded")
        self.predict = predict
        self.classify_pixels = tf.function(predict, input_signature=[pixels])
        self.classify_bytes = tf.function(
            predict_bytes, input_signature=[encoded]
        )


def _input_shape(run: FinishedRun) -> tuple[int, int, int]:
    data = run.settings.data
    return data.image_size, data.image_size, data.channels


def portable(settings: Settings) -> dict[str, dict[str, Any]]:
    """Returns settings, by group, without the folders of this machine."""
    groups = dataclasses.asdict(settings)
    groups["data"].pop("data_dir", None)
    if groups["model"]["weights"] not in ("none", "imagenet"):
        path = pathlib.PurePath(groups["model"]["weights"])
        groups["model"]["weights"] = path.name
    groups["target"]["distill_from"] = [
        pathlib.PurePath(folder).name
        for folder in groups["target"]["distill_from"]
    ]
    return groups


@contextlib.contextmanager
def _without_legacy_warning() -> Iterator[None]:
    """Keras advises against HDF5 at every save; here it is asked for."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)

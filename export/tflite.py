"""TensorFlow Lite files for devices, by named recipe.

  float32  as trained; the largest, for checking and for phones
  int8     full integer: uint8 pixels in, uint8 probabilities out. A quarter
           of the size; accuracy may suffer, which the parity gate measures

Both take a batch of exactly 1. The int8 file answers in steps of 1/256,
which is all that its softmax computes, and no operation of it needs floating
point: microcontrollers and integer accelerators run all of it.

The only module that knows the converter. It never runs a model: that is
`edge.classifier`, which also reads the labels and the metadata added here.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import sys
import tempfile
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from edge import classifier as runtime
from export import artifacts
from export import calibration
from trainer.checkpoints import Run

# Zip entries carry a date; a fixed one keeps the bytes equal from run to run.
ZIP_DATE = (1980, 1, 1, 0, 0, 0)
LOG_LINES_SHOWN = 20


class ConversionError(ValueError):
    """The converter failed, or made something else than was asked for."""


def float32(saved_model: str, images: np.ndarray) -> bytes:
    """Converts without quantisation; `images` are not needed.

    Returns:
      A model of float32 [1, S, S, C] in [0, 255] -> float32 [1, K].
    """
    del images
    return _converter(saved_model).convert()


def int8(saved_model: str, images: np.ndarray) -> bytes:
    """Converts to integers throughout.

    Args:
      saved_model: folder of a SavedModel of fixed batch 1.
      images: uint8 [n, S, S, C], the calibration pictures.

    Returns:
      A model of uint8 [1, S, S, C] raw pixels -> uint8 [1, K], a probability
      in steps of 1/256.
    """
    converter = _converter(saved_model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [image[np.newaxis].astype(np.float32)] for image in images
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.uint8
    converter.inference_output_type = tf.uint8
    return converter.convert()


RECIPES: dict[str, Callable[[str, np.ndarray], bytes]] = {
    "float32": float32,
    "int8": int8,
}
# Recipes that the parity gate holds to the bounds of quantised files.
QUANTISED = ("int8",)


def file_name(recipe: str) -> str:
    """Returns the name of the file that a recipe writes."""
    return f"model_{recipe}.tflite"


def write_tflite_files(
    run: Run,
    folder: pathlib.Path,
    chosen: calibration.Calibration,
    metadata: dict[str, Any],
) -> dict[str, dict[str, Any]]:
    """Writes one checked `.tflite` for each recipe.

    Args:
      run: the trained model.
      folder: where the files go.
      chosen: the calibration pictures.
      metadata: what every file carries inside, besides its own recipe.

    Returns:
      `{file name: what is recorded of it}`.

    Raises:
      ConversionError: a conversion failed or fell back to float operations.
    """
    records = {}
    with tempfile.TemporaryDirectory() as scratch:
        saved_model = pathlib.Path(scratch) / "fixed_batch"
        log = pathlib.Path(scratch) / "converter.log"
        with _output_to(log):
            artifacts.write_fixed_batch_model(run, saved_model)
        for recipe, convert in RECIPES.items():
            content = _convert(convert, str(saved_model), chosen.images, log)
            path = folder / file_name(recipe)
            records[path.name] = _record(recipe, chosen)
            path.write_bytes(content)
            append_metadata(
                path, run.class_names, {**metadata, **records[path.name]}
            )
            check(path, recipe)
    return records


def append_metadata(
    path: pathlib.Path, labels: tuple[str, ...], metadata: dict[str, Any]
) -> None:
    """Adds labels and metadata to a `.tflite`, as a zip at its end."""
    content = path.read_bytes()
    metadata = {
        **metadata,
        "model_bytes": len(content),
        "model_sha256": hashlib.sha256(content).hexdigest(),
    }
    members = {
        runtime.LABELS_MEMBER: "".join(f"{name}\n" for name in labels),
        runtime.METADATA_MEMBER: json.dumps(metadata, indent=2) + "\n",
    }
    with zipfile.ZipFile(path, "a") as archive:
        for name, text in members.items():
            info = zipfile.ZipInfo(name, ZIP_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, text)


def check(path: pathlib.Path, recipe: str) -> None:
    """Loads a file as a device would and compares it with its recipe.

    Raises:
      ConversionError: an int8 file holds float tensors, or does not take raw
        pixels.
    """
    # Without the delegate the tensors are those of the file, untouched.
    model = runtime.Classifier(path, use_xnnpack=False)
    if recipe != "int8":
        return
    not_integer = [
        f"{name} {dtype}"
        for name, dtype in model.tensor_types().items()
        if not np.issubdtype(dtype, np.integer)
    ]
    if not_integer:
        raise ConversionError(
            f"{path.name} is not full integer: {len(not_integer)} tensors "
            f"fell back, first {not_integer[0]}. An operation of this network "
            "has no integer kernel; choose another backbone"
        )
    expected = (np.dtype(np.uint8), (1.0, 0))
    received = (model.input_dtype, model.input_quantization)
    if received != expected:
        raise ConversionError(
            f"{path.name} does not take raw pixels: input type and (scale, "
            f"zero point) are {received}, not {expected}"
        )


def _record(recipe, chosen):
    record = {"recipe": recipe, "batch": 1, **_TENSORS[recipe]}
    if recipe in QUANTISED:
        record["calibration"] = chosen.summary()
    return record


_TENSORS = {
    "float32": {"input": "float32 0..255", "output": "float32 0..1"},
    "int8": {"input": "uint8 0..255", "output": "uint8 in steps of 1/256"},
}


def _converter(saved_model):
    return tf.lite.TFLiteConverter.from_saved_model(
        saved_model, signature_keys=[artifacts.PIXELS_SIGNATURE]
    )


def _convert(convert, saved_model, images, log):
    try:
        with _output_to(log):
            return convert(saved_model, images)
    except Exception as error:  # The converter raises many unrelated kinds.
        lines = log.read_text(errors="replace").splitlines()
        raise ConversionError(
            f"the {convert.__name__} conversion failed: {error}\n"
            "The converter's last lines:\n  "
            + "\n  ".join(lines[-LOG_LINES_SHOWN:])
        ) from error


@contextlib.contextmanager
def _output_to(log: pathlib.Path):
    """Sends standard output and error to a file, C++ code's included.

    The converter prints whole variable listings, which nobody asked for.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    saved = os.dup(1), os.dup(2)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            for descriptor, number in zip(saved, (1, 2), strict=True):
                os.dup2(descriptor, number)
                os.close(descriptor)

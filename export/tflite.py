"""`.tflite` files for devices: converted by recipe, described, checked.

Each file carries its labels and its metadata as a zip at its end, and is
loaded back as a device would load it before anything is said of it. The
recipes themselves are in `export.tflite_recipes`; no image is classified
here: that is `export.parity`.
"""

import functools
import hashlib
import json
import pathlib
import tempfile
import zipfile
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np

from edge import classifier as runtime
from export import artifacts
from export import representative_data
from export import shared_vectors
from export import tflite_recipes
from trainer import console
from trainer.checkpoints import FinishedRun

# Zip entries carry a date; a fixed one keeps the bytes equal from run to run.
ZIP_DATE = (1980, 1, 1, 0, 0, 0)
LOG_LINES_SHOWN = 20


class ConversionError(ValueError):
    """The converter failed, or made something else than was asked for."""


def file_name(recipe: str, variant: str = "") -> str:
    """Returns the name of the file that a recipe writes.

    Example: `file_name("int8", "prune")` is `model_prune_int8.tflite`.
    """
    return "_".join(filter(None, ("model", variant, recipe))) + ".tflite"


def write_tflite_files(
    run: FinishedRun,
    folder: pathlib.Path,
    chosen: representative_data.Calibration,
    *,
    metadata: dict[str, Any],
    recipes: Sequence[str],
    io: str,
    variant: str = "",
) -> dict[str, dict[str, Any]]:
    """Writes one checked `.tflite` for each recipe.

    Args:
      run: the trained model.
      folder: where the files go.
      chosen: the calibration images.
      metadata: what every file carries inside, besides its own recipe.
      recipes: of `choices.RECIPES`.
      io: input and output dtype of an integer file, of `choices.IO_TYPES`.
      variant: name of the compression that changed the weights, if any.

    Returns:
      `{file name: what is recorded of it}`.

    Raises:
      ConversionError: a conversion failed or fell back to float operations.
    """
    records = {}
    with tempfile.TemporaryDirectory() as scratch:
        saved_model = pathlib.Path(scratch) / "fixed_batch"
        log = pathlib.Path(scratch) / "converter.log"
        with console.output_to(log, 1, 2):
            artifacts.write_fixed_batch_model(run, saved_model)
        for recipe in recipes:
            convert = functools.partial(
                tflite_recipes.RECIPES[recipe],
                str(saved_model),
                chosen.images,
                io,
            )
            content = _convert(convert, recipe, log)
            name = file_name(recipe, variant)
            records[name] = describe(recipe, io, chosen, variant=variant)
            write_checked(
                folder / name,
                content,
                run.class_names,
                metadata={**metadata, **records[name]},
            )
    return records


def describe(
    recipe: str,
    io: str,
    chosen: representative_data.Calibration,
    *,
    variant: str = "",
) -> dict[str, Any]:
    """Returns what is recorded of a file, besides what its model is."""
    record = {"recipe": recipe, "batch": 1}
    record |= tflite_recipes.describe_input_and_output(recipe, io)
    if variant:
        record["compression"] = variant
    if recipe in tflite_recipes.CALIBRATED:
        record["io"] = io
        record["calibration"] = chosen.summary()
    return record


def write_checked(
    path: pathlib.Path,
    content: bytes,
    labels: tuple[str, ...],
    *,
    metadata: dict[str, Any],
) -> None:
    """Writes a converted model with its metadata, and checks it.

    Raises:
      ConversionError: it is not what its recipe promises.
    """
    path.write_bytes(shared_vectors.share_vectors(content))
    append_metadata(path, labels, metadata)
    check(path)


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


def check(path: pathlib.Path) -> None:
    """Loads a file as a device would and compares it with its recipe.

    Raises:
      ConversionError: the tensors are not of the types that the recipe of
        its metadata promises, or an int8 file does not take raw pixels.
    """
    # Without the delegate the tensors are those of the file, untouched.
    model = runtime.Classifier(path, use_xnnpack=False)
    recipe = model.metadata["recipe"]
    kinds = {name: np.dtype(t) for name, t in model.tensor_types().items()}
    if recipe in tflite_recipes.CALIBRATED:
        _check_integer(path, model, kinds)
    wanted = _SIGNS.get(recipe)
    if wanted and wanted not in kinds.values():
        raise ConversionError(
            f"{path.name} holds no {wanted} tensor: nothing of this network "
            f"was large enough for `{recipe}`; choose another recipe"
        )


def _check_integer(
    path: pathlib.Path, model: runtime.Classifier, kinds: dict[str, np.dtype]
) -> None:
    """No float tensor but input and output, and raw pixels there."""
    io, recipe = model.metadata["io"], model.metadata["recipe"]
    floats = [
        f"{name} {kind}"
        for name, kind in kinds.items()
        if not np.issubdtype(kind, np.integer)
    ]
    if len(floats) > (2 if io == "float32" else 0):
        raise ConversionError(
            f"{path.name} is not full integer: {len(floats)} tensors "
            f"fell back, first {floats[0]}. An operation of this network "
            "has no integer kernel; choose another backbone"
        )
    if recipe != "int8":
        return
    expected = (np.dtype(io), _RAW_PIXELS[io])
    received = (model.input_dtype, model.input_quantization)
    if received != expected:
        raise ConversionError(
            f"{path.name} does not take raw pixels: input type and (scale, "
            f"zero point) are {received}, not {expected}"
        )


# (scale, zero point) with which an int8 file's input is the pixel itself, or
# the pixel less 128; float has none.
_RAW_PIXELS = {"uint8": (1.0, 0), "int8": (1.0, -128), "float32": (0.0, 0)}
# A type of tensor without which a recipe has done nothing.
_SIGNS = {
    "float16": np.dtype(np.float16),
    "dynamic": np.dtype(np.int8),
    "int16x8": np.dtype(np.int16),
}


def _convert(
    convert: Callable[[], bytes], recipe: str, log: pathlib.Path
) -> bytes:
    try:
        # The converter prints whole variable listings, which nobody asked for.
        with console.output_to(log, 1, 2):
            return convert()
    except Exception as error:  # The converter raises many unrelated kinds.
        lines = log.read_text(errors="replace").splitlines()
        raise ConversionError(
            f"the {recipe} conversion failed: {error}\n"
            "The converter's last lines:\n  "
            + "\n  ".join(lines[-LOG_LINES_SHOWN:])
        ) from error

"""An int8 file as C: array, header, golden vectors, a check and an example.

For TensorFlow Lite for Microcontrollers (TFLM), which has no file system and
registers each operator by name. Refuses what TFLM cannot run. States no arena
size that was not measured.
"""

import pathlib
from typing import Any

import numpy as np

from edge.classifier import Classifier
from export import golden
from export.measure import flatbuffer
from export.microcontroller import c_sources
from export.microcontroller import tflm

FOLDER = "microcontroller"
# Operator -> the method that registers it. Source: github.com/tensorflow/
# tflite-micro, tensorflow/lite/micro/micro_mutable_op_resolver.h at commit
# 933f830139560b2f9a47b5418439350c728a796f: those that classifiers use.
TFLM_OPERATORS = {
    "ADD": "AddAdd",
    "AVERAGE_POOL_2D": "AddAveragePool2D",
    "CONCATENATION": "AddConcatenation",
    "CONV_2D": "AddConv2D",
    "DEPTHWISE_CONV_2D": "AddDepthwiseConv2D",
    "DEQUANTIZE": "AddDequantize",
    "ELU": "AddElu",
    "EXPAND_DIMS": "AddExpandDims",
    "FULLY_CONNECTED": "AddFullyConnected",
    "HARD_SWISH": "AddHardSwish",
    "LEAKY_RELU": "AddLeakyRelu",
    "LOGISTIC": "AddLogistic",
    "MAXIMUM": "AddMaximum",
    "MAX_POOL_2D": "AddMaxPool2D",
    "MEAN": "AddMean",
    "MINIMUM": "AddMinimum",
    "MUL": "AddMul",
    "PACK": "AddPack",
    "PAD": "AddPad",
    "PADV2": "AddPadV2",
    "PRELU": "AddPrelu",
    "QUANTIZE": "AddQuantize",
    "RELU": "AddRelu",
    "RELU6": "AddRelu6",
    "RESHAPE": "AddReshape",
    "SHAPE": "AddShape",
    "SOFTMAX": "AddSoftmax",
    "SQUEEZE": "AddSqueeze",
    "STRIDED_SLICE": "AddStridedSlice",
    "SUB": "AddSub",
    "TANH": "AddTanh",
    "TRANSPOSE": "AddTranspose",
}


class MicrocontrollerError(ValueError):
    """TFLM cannot run the file; the text says what can."""


def write(path: pathlib.Path) -> dict[str, Any]:
    """Writes `microcontroller/` beside an int8 `.tflite`.

    Args:
      path: the file.

    Returns:
      What was found: `file`, `model_bytes`, `operators`, `arena_bytes` (None
      when it could not be measured) and `arena_note`.

    Raises:
      MicrocontrollerError: the file is not full integer, holds an operator
        that TFLM does not have, or predicts otherwise there.
    """
    model = Classifier(path, use_xnnpack=False)
    content = path.read_bytes()[: model.metadata["model_bytes"]]
    operators = check(path.name, content, model.metadata["recipe"])
    inputs, outputs = _golden_vectors(model)
    arena, note = _run_in_tflm(path.name, content, inputs, outputs=outputs)
    folder = path.parent / FOLDER
    folder.mkdir()
    values = {
        **_describe(path.name, content, model),
        **_golden_values(inputs, outputs),
        "registrations": [TFLM_OPERATORS[name] for name in operators],
        "arena": arena,
    }
    for name, text in c_sources.render(values).items():
        (folder / name).write_text(text, encoding="utf-8")
    return {
        "file": path.name,
        "model_bytes": len(content),
        "operators": operators,
        "arena_bytes": arena,
        "arena_note": note,
    }


def check(name: str, content: bytes, recipe: str) -> list[str]:
    """Compares a file's operators with those that TFLM registers.

    Returns:
      The names of its operators, each once, sorted.

    Raises:
      MicrocontrollerError: it is no int8 file, or TFLM lacks one.
    """
    if recipe != "int8":
        raise MicrocontrollerError(
            f"{name} is `{recipe}`, and microcontrollers need full integers: "
            "give --recipes=int8"
        )
    operators = sorted({op.name for op in flatbuffer.read_operators(content)})
    missing = [op for op in operators if op not in TFLM_OPERATORS]
    if missing:
        raise MicrocontrollerError(
            f"{name} needs {', '.join(missing)}, which TFLM does not have; "
            "train --backbone=plain_cnn or mobilenetv2 for microcontrollers"
        )
    return operators


def _run_in_tflm(
    name: str, content: bytes, inputs: np.ndarray, *, outputs: np.ndarray
) -> tuple[int | None, str]:
    """Runs the golden vectors in TFLM, where it is installed.

    Returns:
      Bytes of the arena, or None; and how that came about, in words.
    """
    try:
        measured = tflm.run(content, inputs)
    except tflm.TflmError as error:
        return None, f"not measured: {error}"
    steps = np.abs(measured.predictions.astype(int) - outputs.astype(int))
    difference = steps.max() / 256
    if difference > golden.TOLERANCE["int8"]:
        raise MicrocontrollerError(
            f"{name} predicts a golden image in TFLM by {difference:.3f} "
            f"otherwise than in LiteRT; {golden.TOLERANCE['int8']} is allowed"
        )
    return measured.arena_bytes, (
        f"{measured.arena_bytes:,} bytes, measured with {tflm.PACKAGE}, whose "
        f"predictions of the golden images differ by at most {difference:.3f}"
    )


def checksum(content: bytes) -> int:
    """32-bit FNV-1a; source: draft-eastlake-fnv, section 4.

    Small enough for a microcontroller to compute at start.
    """
    value = 0x811C9DC5
    for byte in content:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def _describe(name: str, content: bytes, model: Classifier) -> dict[str, Any]:
    """What the templates say of the model."""
    return {
        "file": name,
        "length": len(content),
        "checksum": f"0x{checksum(content):08x}",
        "model_rows": c_sources.as_rows(content),
        "size": model.image_size,
        "channels": model.channels,
        "labels": model.labels,
        "classes": len(model.labels),
        "dtype": "uint8" if model.input_dtype == np.uint8 else "int8",
    }


def _golden_values(inputs: np.ndarray, outputs: np.ndarray) -> dict[str, Any]:
    """What the templates say of the golden vectors."""
    return {
        "count": len(inputs),
        "input_bytes": inputs[0].size,
        "input_length": inputs.nbytes,
        "input_rows": c_sources.as_rows(inputs.tobytes()),
        "output_length": outputs.nbytes,
        "output_rows": c_sources.as_rows(outputs.tobytes()),
        "tolerance": round(256 * golden.TOLERANCE["int8"]),
    }


def _golden_vectors(model: Classifier) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and outputs as the file's own bytes: what a client copies."""
    images = golden.draw_images(model.image_size, model.channels)
    probabilities = model.probabilities(images)
    outputs = np.rint(probabilities * 256).clip(0, 255).astype(np.uint8)
    if model.input_dtype == np.uint8:
        return images, outputs
    # A pixel less 128 is the same byte with its highest bit turned.
    return tuple(
        (values ^ np.uint8(0x80)).view(np.int8) for values in (images, outputs)
    )

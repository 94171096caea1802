"""Golden vectors: ten images and what each file must predict of them.

A client in any language sends these pixels and compares: a wrong channel
order, a transposed image, a normalisation too many or another label order
shows at once. The images are drawn here; none shows a person. They carry no
claim about accuracy.
"""

import json
import pathlib
from typing import Any

import numpy as np
from PIL import Image

from edge.classifier import Classifier

GOLDEN = "golden"
INPUTS = "inputs.npy"
EXPECTED = "expected.json"
# Kernels of other processors round otherwise: one step of 1/256 in int8, and
# what was seen between XNNPACK and the built-in kernels.
TOLERANCE = {"int8": 0.06, "int16x8": 0.02, "dynamic": 0.05, "float16": 0.005}
FLOAT_TOLERANCE = 0.001


def draw_images(size: int, channels: int) -> np.ndarray:
    """Draws the ten images; the same ones every time.

    Args:
      size: height and width, in pixels.
      channels: 1 for grey, 3 for RGB.

    Returns:
      uint8 [10, size, size, channels] in [0, 255]: black, white, a gradient
      to the right, one downwards, a fine pattern, noise, and four faces.
    """
    ramp = np.linspace(0, 255, size)
    rows, columns = np.meshgrid(ramp, ramp, indexing="ij")
    noise = np.random.default_rng(0).uniform(0, 255, [size, size])
    checks = 255.0 * (np.indices([size, size]).sum(axis=0) // 3 % 2)
    planes = [rows * 0, rows * 0 + 255, columns, rows, checks, noise]
    planes += [_face(size, smile) for smile in (-1.0, -0.3, 0.3, 1.0)]
    grey = np.stack(planes)[..., np.newaxis]
    # Channels that differ, so that BGR for RGB is no longer unseen.
    weights = np.linspace(1.0, 0.4, channels)
    return np.rint(grey * weights).astype(np.uint8)


def write(folder: pathlib.Path) -> dict[str, Any]:
    """Writes `golden/` for every `.tflite` in the folder of an export.

    Returns:
      The content of `golden/expected.json`: `inputs`, the image files in
      order, and for each file its labels, probabilities and tolerance.
    """
    target = folder / GOLDEN
    target.mkdir()
    expected: dict[str, Any] = {"inputs": [], "files": {}}
    images = None
    for path in sorted(folder.glob("*.tflite")):
        # The built-in kernels are the reference of the file format.
        model = Classifier(path, use_xnnpack=False)
        images = draw_images(model.image_size, model.channels)
        expected["files"][path.name] = {
            "labels": list(model.labels),
            "input_type": str(model.input_dtype),
            "input_scale_and_zero_point": list(model.input_quantization),
            "tolerance": TOLERANCE.get(
                model.metadata["recipe"], FLOAT_TOLERANCE
            ),
            "probabilities": model.probabilities(images).tolist(),
        }
    if images is None:
        raise ValueError(f"no .tflite in {folder}; give --tflite")
    np.save(target / INPUTS, images)
    for index, image in enumerate(images):
        name = f"input_{index}.png"
        plane = image[..., 0] if image.shape[-1] == 1 else image
        Image.fromarray(plane).save(target / name)
        expected["inputs"].append(name)
    text = json.dumps(expected, indent=1) + "\n"
    (target / EXPECTED).write_text(text, encoding="utf-8")
    return expected


def _face(size: int, smile: float) -> np.ndarray:
    """Float [size, size]: an oval with eyes and a mouth, lit from the left."""
    axis = np.linspace(-1, 1, size)
    y, x = np.meshgrid(axis, axis, indexing="ij")
    plane = np.full([size, size], 40.0)
    plane = np.where((x / 0.7) ** 2 + (y / 0.9) ** 2 < 1, 190 - 40 * x, plane)
    for side in (-0.3, 0.3):
        eye = (x - side) ** 2 + (y + 0.25) ** 2 < 0.012
        plane = np.where(eye, 30, plane)
    mouth = 0.45 + smile * (0.1 - x**2)
    is_mouth = (np.abs(y - mouth) < 0.05) & (np.abs(x) < 0.35)
    return np.where(is_mouth, 50, plane)

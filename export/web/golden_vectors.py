"""Golden vectors for the page: what LiteRT predicts here, to the last bit.

With XNNPACK, which LiteRT.js runs too: integer files give equal bits in a
browser. The page compares when it is opened with `?check`.
"""

import pathlib
from typing import Any

from edge.classifier import Classifier
from export import golden


def write(model: pathlib.Path, folder: pathlib.Path) -> dict[str, Any]:
    """Writes the pixels that a model takes, and returns what it predicts.

    Args:
      model: a model file.
      folder: where the pixels go, as bytes in the order of an array
        [n, size, size, channels].

    Returns:
      `inputs`, the file's name, `probabilities` for each image, and the
      `tolerance` between this machine and a browser.
    """
    classifier = Classifier(model)
    images = golden.draw_images(classifier.image_size, classifier.channels)
    name = f"{model.stem}.bin"
    (folder / name).write_bytes(images.tobytes())
    return {
        "inputs": f"{folder.name}/{name}",
        "probabilities": classifier.probabilities(images).tolist(),
        "tolerance": _tolerance(classifier),
    }


def _tolerance(classifier: Classifier) -> float:
    recipe = classifier.metadata.get("recipe")
    if recipe == "int8":
        return 0.0
    return golden.TOLERANCE.get(recipe, golden.FLOAT_TOLERANCE)

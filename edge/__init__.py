"""The device runtime: a `.tflite` file and a picture -> labelled probabilities.

Needs LiteRT, numpy and Pillow; OpenCV only to find faces and to read videos.
Never imports TensorFlow or Keras, nor anything else of the project: labels
and sizes travel inside the model file. Each name is loaded when it is first
used, so that the command can look at its arguments first.
"""

import importlib
from typing import Any

_MODULES = {
    "Classifier": "edge.classifier",
    "ModelFileError": "edge.model_file",
    "PictureError": "edge.pictures",
    "prepare_picture": "edge.pictures",
    "read_picture": "edge.pictures",
}
__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'edge' has no attribute '{name}'")
    return getattr(importlib.import_module(_MODULES[name]), name)

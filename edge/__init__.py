"""The device runtime: a `.tflite` file and a picture -> labelled probabilities.

Needs LiteRT, numpy and Pillow. Never imports TensorFlow or Keras, nor
anything else of the project: labels and sizes travel inside the model file.
"""

from edge.classifier import Classifier
from edge.classifier import ModelFileError
from edge.pictures import PictureError
from edge.pictures import prepare_picture
from edge.pictures import read_picture

__all__ = [
    "Classifier",
    "ModelFileError",
    "PictureError",
    "prepare_picture",
    "read_picture",
]

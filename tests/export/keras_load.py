"""Loads Keras files in whatever Keras is there; a program, not a test.

  python keras_load.py keras|tf_keras FOLDER...

Each folder holds the files of an export, `images.npy` and `expected.npy`.
Prints a line of JSON: folder -> file -> largest difference, or what went wrong.
"""

import importlib
import json
import os
import pathlib
import sys

import numpy as np

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"


def load(keras, folder, name):
    """The model of a file, with its weights."""
    if name != "model.json":
        return keras.models.load_model(str(folder / name), compile=False)
    model = keras.models.model_from_json((folder / name).read_text())
    model.load_weights(str(folder / "model.h5"))
    return model


def difference(keras, folder, name):
    """Largest difference from the expected answers, or an error's text."""
    try:
        model = load(keras, folder, name)
        answers = model.predict(np.load(folder / "images.npy"), verbose=0)
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:300]
    expected = np.load(folder / "expected.npy")
    if np.shape(answers) != expected.shape:
        return f"shape {np.shape(answers)}"
    return float(np.abs(answers - expected).max())


if __name__ == "__main__":
    keras = importlib.import_module(sys.argv[1])
    found = {
        folder: {
            name: difference(keras, pathlib.Path(folder), name)
            for name in ("model.h5", "model.json", "model.keras")
        }
        for folder in sys.argv[2:]
    }
    print(json.dumps([keras.__version__, found]))

"""Answers for drawn faces, one after the other, in a process of its own.

  python -m benchmarks.device_child MODEL FACES STARTED

prints one line of JSON. MODEL is a `.tflite`, which our device runtime answers
with, or `fer`: the package of that name answers, in the environment of this
process. FACES is a .npy file, uint8 [n, 48, 48]; STARTED is the time, in
seconds since the epoch, at which the parent began to start this process.
Nothing is imported but what answers: all else would be most of the memory and
of the first second.
"""

import json
import sys
import time
from collections.abc import Callable

import numpy as np

from export.measure.peak_memory import peak_memory_mb

PACKAGE = "fer"
WARM_UP = 20


def measure(model: str, faces: str, started: float) -> dict[str, float]:
    """Times the first answer, then one face after the other.

    Returns:
      `first_answer_ms` from the start of the process, `face_ms` (median, with
      scaling the face to what the model takes) and `peak_memory_mb`.
    """
    answer = package_answers() if model == PACKAGE else our_predictions(model)
    drawn = np.load(faces)
    answer(drawn[0])
    first = 1000 * (time.time() - started)
    for face in drawn[:WARM_UP]:
        answer(face)
    times = []
    for face in drawn:
        before = time.perf_counter()
        answer(face)
        times.append(1000 * (time.perf_counter() - before))
    return {
        "first_answer_ms": first,
        "face_ms": float(np.median(times)),
        "peak_memory_mb": peak_memory_mb(),
    }


def our_predictions(model: str) -> Callable:
    """Returns what answers for a face uint8 [48, 48] with our runtime."""
    from edge.classifier import Classifier

    return Classifier(model).classify


def package_answers() -> Callable:
    """The same with the package, which is told where the face is."""
    from fer.fer import FER

    package = FER()

    def answer(face: np.ndarray) -> dict[str, float]:
        # It takes pictures of three channels.
        picture = np.repeat(face[:, :, np.newaxis], 3, axis=2)
        (found,) = package.detect_emotions(picture, [(0, 0, *face.shape)])
        return found["emotions"]

    return answer


if __name__ == "__main__":
    print(json.dumps(measure(*sys.argv[1:3], float(sys.argv[3]))))

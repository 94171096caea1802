"""Answers for drawn faces with one `.tflite`, in a process of its own.

  python -m benchmarks.device_child MODEL FACES STARTED

prints one line of JSON. FACES is a .npy file, uint8 [n, 48, 48]; STARTED is the
time, in seconds since the epoch, at which the parent began to start this
process. Imports the device runtime alone: anything else would be most of the
memory and of the first second.
"""

import json
import sys
import time

import numpy as np

from edge.classifier import Classifier
from export.latency_child import peak_memory_mb

WARM_UP = 20


def measure(model: str, faces: str, started: float) -> dict[str, float]:
    """Times the first answer, then one face after the other.

    Returns:
      `first_answer_ms` from the start of the process, `face_ms` (median, with
      scaling the face to what the model takes) and `peak_memory_mb`.
    """
    classifier = Classifier(model)
    drawn = np.load(faces)
    classifier.classify(drawn[0])
    first = 1000 * (time.time() - started)
    for face in drawn[:WARM_UP]:
        classifier.classify(face)
    times = []
    for face in drawn:
        before = time.perf_counter()
        classifier.classify(face)
        times.append(1000 * (time.perf_counter() - before))
    return {
        "first_answer_ms": first,
        "face_ms": float(np.median(times)),
        "peak_memory_mb": peak_memory_mb(),
    }


if __name__ == "__main__":
    print(json.dumps(measure(*sys.argv[1:3], float(sys.argv[3]))))

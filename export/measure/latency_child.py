"""Measures one `.tflite` in a process of its own, as a device would run it.

  python -m export.measure.latency_child MODEL THREADS STARTED

prints one line of JSON. STARTED is the time, in seconds since the epoch, at
which the parent began to start this process. Imports the device runtime alone:
TensorFlow would be most of the memory and of the first second.
"""

import json
import sys
import time
from collections.abc import Callable

import numpy as np

from edge.classifier import Classifier
from export.measure.peak_memory import peak_memory_mb

WARM_UP, RUNS = 20, 300
# Slow models get fewer runs, so that a table takes a minute and not an hour.
MOST_SECONDS, FEWEST_RUNS = 10.0, 30


def measure(model: str, threads: int, started: float) -> dict:
    """Times the first prediction, then many.

    Args:
      model: path of the file.
      threads: CPU threads for one prediction.
      started: when the process was started, in seconds since the epoch.

    Returns:
      `first_answer_ms` from the start of the process, `median_ms` and
      `p95_ms` of one image, `runs`, and `peak_memory_mb` of the process.
    """
    classifier = Classifier(model, num_threads=threads)
    shape = [1, *[classifier.image_size] * 2, classifier.channels]
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    classifier.probabilities(image)
    first = 1000 * (time.time() - started)
    times = _time(lambda: classifier.probabilities(image))
    return {
        "first_answer_ms": first,
        "median_ms": float(np.median(times)),
        "p95_ms": float(np.percentile(times, 95)),
        "runs": len(times),
        "peak_memory_mb": peak_memory_mb(),
    }


def _time(predict: Callable[[], np.ndarray]) -> list[float]:
    """Milliseconds of each of up to RUNS predictions."""
    for _ in range(WARM_UP):
        predict()
    times, begin = [], time.perf_counter()
    while len(times) < RUNS:
        before = time.perf_counter()
        predict()
        after = time.perf_counter()
        times.append(1000 * (after - before))
        if after - begin > MOST_SECONDS and len(times) >= FEWEST_RUNS:
            break
    return times


if __name__ == "__main__":
    model_path, num_threads, start = sys.argv[1:]
    print(json.dumps(measure(model_path, int(num_threads), float(start))))

"""Tries model files in a process of its own: reads paths, writes JSON.

Says what became of each file, the processor seconds it took, and how many MiB
this process and those it started have needed at most.
"""

import json
import os
import resource
import sys

import numpy as np

from edge import classifier
from export.measure import peak_memory


def answer(path: str) -> str:
    """`answered`, or how the file was refused."""
    try:
        model = classifier.Classifier(path)
        shape = [3, model.image_size, model.image_size, model.channels]
        noise = np.random.default_rng().integers(0, 256, shape, np.uint8)
        for images in (noise, noise[:1] * 0, noise[:1] * 0 + 255):
            found = model.probabilities(images)
            assert found.shape == (len(images), len(model.labels))
            assert np.isfinite(found).all()
    except classifier.ModelFileError as error:
        return str(error)
    return "answered"


def seconds() -> float:
    """Processor time of this process and of those that it waited for."""
    return sum(os.times()[:4])


def most_megabytes() -> float:
    """Peak of this process, and of the trials that it waited for."""
    trials = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return max(peak_memory.peak_memory_mb(), trials)


if __name__ == "__main__":
    for line in sys.stdin:
        before = seconds()
        result = {"said": answer(line.rstrip("\n"))}
        result["seconds"] = seconds() - before
        result["megabytes"] = most_megabytes()
        print(json.dumps(result), flush=True)

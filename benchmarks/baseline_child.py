"""The package fer, as it comes, on photographs: find, cut, answer.

  python -m benchmarks.baseline_child PATHS

PATHS is a JSON list of picture files. Prints one line: a list with `boxes`,
`label` (of the largest; None without one) and `ms` for each. Runs in an
environment that fer is installed in, so it imports little else.
"""

import json
import pathlib
import sys
import time
from collections.abc import Callable

import numpy as np

from edge.pictures import read_picture


def answer_all(paths: list[str], detect: Callable) -> list[dict]:
    """Answers for pictures.

    Args:
      paths: picture files.
      detect: `FER.detect_emotions`: uint8 [H, W, 3] (BGR) -> faces, each with
        `box` (left, top, width, height) and `emotions` (label -> score).
    """
    return [_answer(read_picture(path), detect) for path in paths]


def _answer(picture: np.ndarray, detect: Callable) -> dict:
    colours = np.broadcast_to(picture, (*picture.shape[:2], 3))
    given = np.ascontiguousarray(colours[..., ::-1])
    start = time.perf_counter()
    found = detect(given)
    ms = 1000 * (time.perf_counter() - start)
    boxes = [[int(side) for side in face["box"]] for face in found]
    label = None
    if found:
        largest = max(found, key=lambda face: face["box"][2] * face["box"][3])
        label = max(largest["emotions"], key=largest["emotions"].get)
    return {"boxes": boxes, "label": label, "ms": ms}


if __name__ == "__main__":
    from fer.fer import FER

    listed = json.loads(pathlib.Path(sys.argv[1]).read_text("utf-8"))
    print(json.dumps(answer_all(listed, FER().detect_emotions)))

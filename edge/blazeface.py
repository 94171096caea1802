"""BlazeFace: the faces in an image, found by LiteRT alone.

Two networks of MediaPipe (Apache-2.0), `short` for faces near the camera and
`back` for smaller ones, after Bazarevsky et al., BlazeFace (arXiv 1907.05047).
Decodes what they predict; which image is searched in which tiles, and what
becomes of the boxes, is the business of `edge.search`.
"""

import functools
from typing import NamedTuple

import numpy as np
from ai_edge_litert import interpreter as litert

from edge import quiet

# Anchors for each cell of the feature maps, as in MediaPipe's graphs
# (ssd_anchors_calculator, face_detection_short_range and _back).
ANCHORS_PER_CELL = (2, 6)
NUM_ANCHORS = 896
# Centre and size of the box, then six points of the face (eyes, nose, mouth,
# ears), which are not used: faces are cut out as they stand.
VALUES_PER_ANCHOR = 16
# A sigmoid beyond this is 0 or 1 in float32, and exp must not overflow.
MAX_LOGIT = 80.0


class Found(NamedTuple):
    """Faces in an image, one row each.

    Attributes:
      boxes: float32 [n, 4], left, top, width and height in pixels.
      scores: float32 [n] in (0, 1).
    """

    boxes: np.ndarray
    scores: np.ndarray

    def take(self, rows: np.ndarray) -> "Found":
        """Returns the faces that an index or a mask selects."""
        return Found(self.boxes[rows], self.scores[rows])


class BlazeFace:
    """One of the two networks.

    Attributes:
      size: height and width of its input, in pixels: 128 or 256.
    """

    def __init__(self, content: bytes, num_threads: int = 1):
        """Loads it.

        Args:
          content: the `.tflite` file.
          num_threads: CPU threads.

        Raises:
          ValueError: it is no such network.
        """
        with quiet.without_info_lines():
            self._interpreter = litert.Interpreter(
                model_content=content, num_threads=num_threads
            )
            self._interpreter.allocate_tensors()
        (taken,) = self._interpreter.get_input_details()
        given = self._interpreter.get_output_details()
        shapes = {tuple(detail["shape"][1:]): detail for detail in given}
        wanted = {(NUM_ANCHORS, VALUES_PER_ANCHOR), (NUM_ANCHORS, 1)}
        if set(shapes) != wanted or taken["shape"][1] not in (128, 256):
            raise ValueError(f"its tensors are {sorted(shapes)}")
        self.size = int(taken["shape"][1])
        self._input = taken["index"]
        self._values = shapes[NUM_ANCHORS, VALUES_PER_ANCHOR]["index"]
        self._logits = shapes[NUM_ANCHORS, 1]["index"]

    def find(self, window: np.ndarray, least_score: float) -> Found:
        """Finds the faces in one window; a face may be found several times.

        Args:
          window: uint8 [h, w, 3] (RGB), h and w at most `size`; what is
            missing to a square counts as black.
          least_score: in (0, 1); what scores less is left out.

        Returns:
          The faces, in pixels of the window.
        """
        square = np.full([1, self.size, self.size, 3], -1.0, np.float32)
        place = square[0, : window.shape[0], : window.shape[1]]
        np.multiply(window, np.float32(1 / 127.5), out=place)
        place -= 1
        self._interpreter.set_tensor(self._input, square)
        self._interpreter.invoke()
        values = self._interpreter.get_tensor(self._values)[0]
        logits = self._interpreter.get_tensor(self._logits)[0, :, 0]
        rows = np.flatnonzero(logits >= np.log(least_score / (1 - least_score)))
        boxes = decode(values[rows], anchors(self.size)[rows])
        return Found(boxes, sigmoid(logits[rows]))


@functools.cache
def anchors(size: int) -> np.ndarray:
    """Returns the anchors' centres, float32 [896, 2] (x, y), in pixels.

    Args:
      size: of the input: 128 (strides 8 and 16) or 256 (16 and 32).
    """
    centres = []
    for cells, count in zip((16, 8), ANCHORS_PER_CELL, strict=True):
        along = (np.arange(cells, dtype=np.float32) + 0.5) * (size / cells)
        grid = np.stack(np.meshgrid(along, along), axis=-1).reshape(-1, 2)
        centres.append(np.repeat(grid, count, axis=0))
    return np.concatenate(centres)


def decode(values: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """The boxes that a network predicts.

    Args:
      values: float32 [n, 16], as the network gives them.
      centres: float32 [n, 2], of its anchors.

    Returns:
      float32 [n, 4]: left, top, width and height in input pixels.
    """
    sizes = values[:, 2:4]
    corners = values[:, :2] + centres - sizes / 2
    return np.concatenate([corners, sizes], axis=1)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Logits float32 [n] -> scores float32 [n] in (0, 1)."""
    return 1 / (1 + np.exp(-np.clip(logits, -MAX_LOGIT, MAX_LOGIT)))

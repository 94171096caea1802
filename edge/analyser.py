"""One picture or frame -> the faces in it, each with its probabilities.

Puts detector, crops, classifier and tracks together; reads no file and writes
none.
"""

import dataclasses

import numpy as np

from edge import boxes
from edge.boxes import Box
from edge.classifier import Classifier
from edge.faces import FRAME_PX
from edge.faces import PICTURE_PX
from edge.faces import Detector
from edge.pictures import prepare_picture
from edge.tracks import Tracker

# A picture of up to this many times the model's input on both sides is
# taken as one face crop: data sets of crops are of that size, and a face
# somewhere in so small a picture would be too small to judge.
CROP_UP_TO = 2


@dataclasses.dataclass(frozen=True)
class Face:
    """A face and what it shows.

    Attributes:
      number: from 1; in a video the same for the same face.
      box: where, in pixels of the picture.
      probabilities: label -> probability, most probable first.
    """

    number: int
    box: Box
    probabilities: dict[str, float]


class Analyser:
    """Answers for the faces of a picture."""

    def __init__(
        self,
        classifier: Classifier,
        detector: Detector | None,
        margin: float = 0.0,
    ):
        """Keeps its parts.

        Args:
          classifier: answers for a crop.
          detector: finds the faces; None takes each picture as one face.
          margin: what is added around a face, see `boxes.square`.
        """
        self._classifier = classifier
        self._detector = detector
        self._margin = margin

    def analyse(
        self,
        picture: np.ndarray,
        tracker: Tracker | None = None,
        seconds: float = 0.0,
    ) -> list[Face]:
        """Finds the faces and answers for each.

        Args:
          picture: uint8 [H, W, 1] or [H, W, 3] (RGB).
          tracker: numbers and smooths; None for a picture that stands alone.
          seconds: when the picture was taken, for the tracker.

        Returns:
          The faces, from left to right.
        """
        search_px = PICTURE_PX if tracker is None else FRAME_PX
        found, crops = self._find(picture, search_px)
        size, channels = self._classifier.image_size, self._classifier.channels
        prepared = [prepare_picture(crop, size, channels) for crop in crops]
        if tracker is None and not found:
            return []
        shape = [0, size, size, channels]
        images = np.stack(prepared) if found else np.zeros(shape, np.uint8)
        answers = self._classifier.probabilities(images)
        numbered = list(enumerate(answers, start=1))
        if tracker is not None:
            numbered = tracker.update(seconds, found, answers)
        return [
            Face(number, box, self._classifier.rank(row))
            for box, (number, row) in zip(found, numbered, strict=True)
        ]

    def _find(self, picture, search_px):
        """Boxes, and for each the pixels that are classified."""
        if self._detector is None:
            return [boxes.whole(picture)], [picture]
        found = self._detector.find(picture, search_px)
        return found, [boxes.crop(picture, box, self._margin) for box in found]


def is_crop(picture: np.ndarray, image_size: int) -> bool:
    """Whether a picture is so small that it is taken as one face crop."""
    return max(picture.shape[:2]) <= CROP_UP_TO * image_size

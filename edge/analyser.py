"""One picture or frame -> the faces in it, each with its probabilities.

Puts detector, crops, classifier and tracks together; reads no file and writes
none.
"""

import dataclasses
import itertools

import numpy as np

from edge import boxes
from edge.boxes import Box
from edge.boxes import CropRule
from edge.classifier import Classifier
from edge.detector import CROPS
from edge.detector import Detector
from edge.tracks import Tracker

# A picture of at most so many pixels on its longer side in which no face is
# found is taken whole: data sets of crops are of that size.
CROP_UP_TO_PX = 256
# Grey levels between the darkest and the brightest pixel, below which a crop
# shows nothing to judge.
LEAST_CONTRAST = 4


@dataclasses.dataclass(frozen=True)
class Face:
    """A face and what it shows.

    Attributes:
      number: from 1; in a video the same for the same face.
      box: where, in pixels of the picture.
      probabilities: label -> probability, most probable first.
      is_found: by a detector; otherwise it is the whole picture.
      is_sure: whether the best label is probable enough to be an answer.
    """

    number: int
    box: Box
    probabilities: dict[str, float]
    is_found: bool = True
    is_sure: bool = True

    @property
    def best(self) -> tuple[str, float]:
        """The most probable label, and its probability."""
        return next(iter(self.probabilities.items()))


class Analyser:
    """Answers for the faces of a picture."""

    def __init__(
        self,
        classifier: Classifier,
        detector: Detector | None,
        rule: CropRule | None = None,
        *,
        least_px: int | None = None,
        min_confidence: float | None = None,
    ):
        """Keeps its parts.

        Args:
          classifier: answers for a crop.
          detector: finds the faces; None takes each picture as one face.
          rule: what is cut out around a face; None is the detector's own.
          least_px: size down to which faces are looked for; None is the
            detector's own.
          min_confidence: a face whose best label is less probable is unsure;
            None is the model's own.
        """
        self._classifier = classifier
        self._detector = detector
        self._rule = rule
        self._least_px = least_px
        self._min_confidence = min_confidence
        if min_confidence is None:
            self._min_confidence = classifier.min_confidence

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
          The faces, from left to right; those whose pixels are all of one
          grey level are left out.
        """
        found, is_found = self._find(picture, tracker)
        crops = [self._cut(picture, box, is_found) for box in found]
        shown = [shows_something(crop) for crop in crops]
        found = list(itertools.compress(found, shown))
        crops = list(itertools.compress(crops, shown))
        if tracker is None and not found:
            return []
        answers = self._classifier.predict(crops)
        numbered = list(enumerate(answers, start=1))
        if tracker is not None:
            numbered = tracker.update(seconds, found, answers)
        return [
            Face(
                number,
                box,
                self._classifier.rank(row),
                is_found=is_found,
                is_sure=bool(row.max() >= self._min_confidence),
            )
            for box, (number, row) in zip(found, numbered, strict=True)
        ]

    def crop(self, picture: np.ndarray, face: Face) -> np.ndarray:
        """The pixels that were judged: uint8 [h, w, 1] or [h, w, 3]."""
        return self._cut(picture, face.box, face.is_found)

    def _find(
        self, picture: np.ndarray, tracker: Tracker | None
    ) -> tuple[list[Box], bool]:
        """Boxes, and whether a detector found them."""
        if self._detector is None:
            return [boxes.whole(picture)], False
        if tracker is not None:
            found = self._detector.find(
                picture, self._least_px, is_frame=True, known=tracker.known()
            )
            return found, True
        found = self._detector.find(picture, self._least_px)
        if not found and max(picture.shape[:2]) <= CROP_UP_TO_PX:
            return [boxes.whole(picture)], False
        return found, True

    def _cut(self, picture: np.ndarray, box: Box, is_found: bool) -> np.ndarray:
        if not is_found:
            return picture
        rule = self._rule or CROPS[self._detector.name]
        return boxes.crop(picture, box, rule)


def shows_something(crop: np.ndarray) -> bool:
    """Whether a crop has more than one grey level, noise aside."""
    return int(crop.max()) - int(crop.min()) >= LEAST_CONTRAST

"""What a face detector is, and what belongs to each of them.

A detector only finds boxes: no crop, no classification, no tracking. It serves
one thread.
"""

from collections.abc import Iterable
from collections.abc import Sequence

import numpy as np

from edge.boxes import Box
from edge.boxes import CropRule

# Smaller faces, as a fraction of the longer side, are not looked for: with
# Haar they are mostly false alarms, and BlazeFace takes its time for them.
SMALLEST_FACE = {"blazeface": 1 / 40, "haar": 1 / 20, "yunet": 0.0}
# What is cut out around each detector's boxes: the table in docs/results.md.
CROPS = {
    "blazeface": CropRule(margin=0.2, up=0.1),
    "haar": CropRule(margin=0.1),
    "yunet": CropRule(margin=0.0),
}


class Detector:
    """Finds faces in pictures of any size.

    Attributes:
      name: "blazeface", "haar" or "yunet".
    """

    name = ""

    def find(
        self,
        picture: np.ndarray,
        least_px: int | None = None,
        *,
        is_frame: bool = False,
        known: Sequence[Box] | None = None,
    ) -> list[Box]:
        """Finds the faces in a picture.

        Args:
          picture: uint8 [H, W, 1] or [H, W, 3] (RGB), at least one pixel.
          least_px: smaller faces, in pixels, are not looked for; None is
            `smallest(picture)`.
          is_frame: of a video: what takes longer than a frame is left out.
          known: faces of the frame before. Where they are given, small faces
            may be looked for near them alone.

        Returns:
          Boxes in pixels of `picture`, from left to right.
        """
        found = self._search(picture, least_px, is_frame=is_frame, known=known)
        return sorted(box for box in found if box.width > 0 and box.height > 0)

    def smallest(self, picture: np.ndarray) -> int:
        """Returns the size down to which faces are looked for, in pixels."""
        return round(max(picture.shape[:2]) * SMALLEST_FACE[self.name])

    def _search(
        self,
        picture: np.ndarray,
        least_px: int | None,
        *,
        is_frame: bool,
        known: Sequence[Box] | None,
    ) -> Iterable[Box]:
        """Boxes in pixels of a picture, in any order."""
        raise NotImplementedError

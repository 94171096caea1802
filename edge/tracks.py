"""The same face from frame to frame: stable numbers, calm probabilities.

Numpy alone; knows boxes, times and probabilities, and no picture.
"""

import dataclasses
import math

import numpy as np

from edge.boxes import Box
from edge.boxes import overlap

# Boxes are compared at twice their size, so that a face that moved by up to
# four fifths of its width since the last frame is still the same one.
GROWN, SAME_FACE = 2, 0.4
# A face that was not seen for longer gets a new number when it comes back.
FORGET_AFTER_S = 1.0
# A new small face is found after so many frames at most.
SEARCH_EVERY = 8


@dataclasses.dataclass
class _Track:
    number: int
    box: Box
    seen_s: float
    probabilities: np.ndarray


class Tracker:
    """Numbers faces and averages their probabilities over time.

    The average is exponential: what lies `smoothing_s` back counts 1/e of
    what is new, whatever the frame rate. A face's first answer stands as it
    is, and 0 switches the averaging off.
    """

    def __init__(self, smoothing_s: float):
        if not smoothing_s >= 0 or math.isinf(smoothing_s):
            raise ValueError(
                "`smoothing_s` must be 0 or more seconds; received "
                f"{smoothing_s}"
            )
        self._smoothing_s = smoothing_s
        self._tracks: list[_Track] = []
        self._next_number = 1
        self._updates = 0

    def known(self) -> list[Box] | None:
        """Returns where the faces of the last second were seen last.

        None, in the first frame and in one of `SEARCH_EVERY`, stands for
        "look everywhere again".
        """
        if self._updates % SEARCH_EVERY == 0:
            return None
        return [track.box for track in self._tracks]

    def update(
        self, seconds: float, boxes: list[Box], probabilities: np.ndarray
    ) -> list[tuple[int, np.ndarray]]:
        """Takes the faces of the next frame.

        Args:
          seconds: when the frame was taken; never decreases.
          boxes: n faces.
          probabilities: float32 [n, K] in [0, 1].

        Returns:
          For each box its number, from 1, and float32 [K] averaged.
        """
        self._updates += 1
        self._tracks = [
            track
            for track in self._tracks
            if seconds - track.seen_s <= FORGET_AFTER_S
        ]
        known = self._match(boxes)
        answers = []
        for index, box in enumerate(boxes):
            track = known.get(index)
            if track is None:
                track = self._begin(seconds, box, probabilities[index])
            else:
                self._continue(
                    track, seconds, box, probabilities=probabilities[index]
                )
            answers.append((track.number, track.probabilities))
        return answers

    def _match(self, boxes: list[Box]) -> dict[int, _Track]:
        """Box index -> track, the best overlaps first."""
        pairs = [
            (overlap(_grown(track.box), _grown(box)), -track.number, index)
            for track in self._tracks
            for index, box in enumerate(boxes)
        ]
        tracks = {track.number: track for track in self._tracks}
        known = {}
        for shared, negative, index in sorted(pairs, reverse=True):
            if shared < SAME_FACE:
                break
            if -negative in tracks and index not in known:
                known[index] = tracks.pop(-negative)
        return known

    def _begin(
        self, seconds: float, box: Box, probabilities: np.ndarray
    ) -> _Track:
        track = _Track(self._next_number, box, seconds, probabilities)
        self._next_number += 1
        self._tracks.append(track)
        return track

    def _continue(
        self,
        track: _Track,
        seconds: float,
        box: Box,
        *,
        probabilities: np.ndarray,
    ) -> None:
        weight = 1.0
        if self._smoothing_s > 0:
            weight -= math.exp(-(seconds - track.seen_s) / self._smoothing_s)
        old = track.probabilities
        track.probabilities = old + np.float32(weight) * (probabilities - old)
        track.box, track.seen_s = box, seconds


def _grown(box: Box) -> Box:
    """The box around the same centre, `GROWN` times as large."""
    width, height = box.width * (GROWN - 1), box.height * (GROWN - 1)
    return Box(
        box.left - width // 2,
        box.top - height // 2,
        box.width + width,
        box.height + height,
    )

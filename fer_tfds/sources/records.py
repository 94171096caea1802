"""What every reader of raw data returns, and the error that it raises.

Plain numpy in memory; this module neither reads nor writes files.
"""

import dataclasses

import numpy as np

SPLITS = ("train", "validation", "test")


class SourceError(ValueError):
    """Raw data that cannot be used: says where, what, and what to do next."""


@dataclasses.dataclass(frozen=True)
class FaceRecords:
    """Faces with their labels, one entry per face in every field.

    Attributes:
        images: uint8 [n, 48, 48], grey levels 0 to 255.
        labels: int64 [n], native label ids.
        splits: n names out of `SPLITS`.
        ids: n names, stable from one reading to the next and unique.
    """

    images: np.ndarray
    labels: np.ndarray
    splits: list[str]
    ids: list[str]

    def indices_of(self, split: str) -> np.ndarray:
        """Positions of a split's faces, int64 [m], in the raw data's order."""
        return np.flatnonzero(np.array(self.splits) == split)


def count_classes(
    records: FaceRecords, num_classes: int
) -> dict[str, list[int]]:
    """Counts the faces: split name -> one count for each label id."""
    return {
        split: np.bincount(
            records.labels[records.indices_of(split)], minlength=num_classes
        ).tolist()
        for split in SPLITS
    }

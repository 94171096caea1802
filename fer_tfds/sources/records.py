"""What every reader of raw data returns, and the error that it raises.

Plain numpy in memory; this module neither reads nor writes files.
"""

import dataclasses

import numpy as np

from fer_tfds import labels

SPLITS = ("train", "validation", "test")

# What copies call the folder of a split, in lower case.
SPLIT_OF_FOLDER = {
    "train": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}

IMAGE_SIZE_PX = 48

# About seven times FER-2013, so that memory has a bound whatever is read.
MAX_FACES = 250_000


class SourceError(ValueError):
    """Raw data that cannot be used: says where, what, and what to do next.

    Names of files may hold bytes that are no text, and codes that move a
    terminal's cursor; in the message these are escaped.
    """

    def __init__(self, message: str):
        super().__init__("".join(map(_escape, message)))


def _escape(character: str) -> str:
    if character == "\n" or character.isprintable():
        return character
    return ascii(character)[1:-1]


@dataclasses.dataclass(frozen=True)
class FaceRecords:
    """Faces with their labels, one entry per face in every field.

    Attributes:
        images: uint8 [n, 48, 48], grey levels 0 to 255.
        labels: int64 [n], native label ids.
        splits: n names out of `SPLITS`.
        ids: n names, stable from one reading to the next and unique.
        split_names: the splits which this form of the raw data tells apart.
        class_names: of the labels, in the order of their ids.
    """

    images: np.ndarray
    labels: np.ndarray
    splits: list[str]
    ids: list[str]
    split_names: tuple[str, ...] = SPLITS
    class_names: tuple[str, ...] = labels.class_names("fer2013")

    def indices_of(self, split: str) -> np.ndarray:
        """Positions of a split's faces, int64 [m], in the raw data's order."""
        return np.flatnonzero(np.array(self.splits) == split)

    def take(self, positions: list[int]) -> "FaceRecords":
        """The faces at these positions, in this order."""
        return dataclasses.replace(
            self,
            images=self.images[positions],
            labels=self.labels[positions],
            splits=[self.splits[position] for position in positions],
            ids=[self.ids[position] for position in positions],
        )


class FaceCollector:
    """Gathers faces one by one, each pixel held in memory once.

    Args:
        source: how errors call what is read, usually a path.
    """

    def __init__(self, source: str):
        self._source = source
        self._pixels = bytearray()
        self._labels: list[int] = []
        self._splits: list[str] = []
        self._ids: list[str] = []

    def __len__(self) -> int:
        return len(self._ids)

    def add(
        self, image: np.ndarray, *, label: int, split: str, name: str
    ) -> None:
        """Adds a face, uint8 [48, 48].

        Raises:
            SourceError: there are more faces than any copy has.
        """
        if len(self) == MAX_FACES:
            raise SourceError(
                f"{self._source}: more than {MAX_FACES:,} faces, which no copy "
                "of the data set has. Use the original data."
            )
        self._pixels += image.tobytes()
        self._labels.append(label)
        self._splits.append(split)
        self._ids.append(name)

    def records(self, split_names: tuple[str, ...] = SPLITS) -> FaceRecords:
        """All faces, in the order in which they were added."""
        shape = (len(self), IMAGE_SIZE_PX, IMAGE_SIZE_PX)
        return FaceRecords(
            images=np.frombuffer(self._pixels, np.uint8).reshape(shape),
            labels=np.array(self._labels, np.int64),
            splits=self._splits,
            ids=self._ids,
            split_names=split_names,
        )


def count_classes(
    records: FaceRecords, num_classes: int
) -> dict[str, list[int]]:
    """Counts the faces: split name -> one count for each label id."""
    return {
        split: np.bincount(
            records.labels[records.indices_of(split)], minlength=num_classes
        ).tolist()
        for split in records.split_names
    }

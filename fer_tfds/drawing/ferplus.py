"""Drawn votes on drawn faces, in the form of FER+'s `fer2013new.csv`."""

import csv
import io

import numpy as np

from fer_tfds import labels
from fer_tfds.sources.fer2013.csv_rows import SPLIT_OF_USAGE
from fer_tfds.sources.fer2013.ferplus import NAMES
from fer_tfds.sources.fer2013.ferplus import NOT_A_FACE
from fer_tfds.sources.records import FaceRecords

_NUM_VOTERS = 10

# How sure ten voters are of an expression; in FER+ half of the faces have a
# majority of eight or more.
_SURE_OF_EXPRESSION = 0.8

# Of so many faces one is voted no face, and one leaves the voters at odds.
_NOT_A_FACE_EVERY = 40
_UNCLEAR_EVERY = 10

_USAGE_OF_SPLIT = {split: usage for usage, split in SPLIT_OF_USAGE.items()}


def draw_votes(label_ids: np.ndarray, seed: int) -> np.ndarray:
    """Draws ten votes for each face.

    Args:
        label_ids: int [n], FER-2013 label ids from 0 to 6.
        seed: any integer that is not negative.

    Returns:
        int64 [n, 10]: votes for each name of FER+; every row sums to 10. Most
        are for the face's own expression.
    """
    canonical = [
        labels.canonical_name(name) for name in labels.class_names("ferplus")
    ]
    columns = np.array(
        [canonical.index(name) for name in labels.class_names("fer2013")]
    )[np.asarray(label_ids)]
    rng = np.random.default_rng(seed)
    slip = (1 - _SURE_OF_EXPRESSION) / (len(NAMES) - 1)
    votes = np.empty((len(columns), len(NAMES)), np.int64)
    for index, column in enumerate(columns):
        chances = np.full(len(NAMES), slip)
        chances[column] = _SURE_OF_EXPRESSION
        if index % _UNCLEAR_EVERY == _UNCLEAR_EVERY - 1:
            chances[:] = 1 / len(NAMES)
        votes[index] = rng.multinomial(_NUM_VOTERS, chances)
    votes[_NOT_A_FACE_EVERY - 1 :: _NOT_A_FACE_EVERY] = 0
    votes[_NOT_A_FACE_EVERY - 1 :: _NOT_A_FACE_EVERY, NOT_A_FACE] = _NUM_VOTERS
    return votes


def format_votes(records: FaceRecords, seed: int) -> bytes:
    """The content of `fer2013new.csv` for these faces.

    As in the real file, the name of what is no face is empty.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["Usage", "Image name", *NAMES[:NOT_A_FACE], "NF"])
    votes = draw_votes(records.labels, seed)
    for index, (split, row) in enumerate(
        zip(records.splits, votes, strict=True)
    ):
        name = "" if row[NOT_A_FACE] else f"fer{index:07d}.png"
        writer.writerow([_USAGE_OF_SPLIT[split], name, *row.tolist()])
    return text.getvalue().encode()

"""The files of every raw layout of AffectNet, with drawn faces in them.

Yields names and contents; `synthetic_affectnet` writes them. The same seed
gives the same bytes.
"""

import io
import itertools
from collections.abc import Iterator
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fer_tfds import labels
from fer_tfds.drawing.photos import Photographer
from fer_tfds.drawing.photos import to_jpeg
from fer_tfds.sources.affectnet import arrays
from fer_tfds.sources.affectnet import full

Files = Iterator[tuple[str, bytes]]

# As the copies have them.
ARRAYS_PX = 224
KAGGLE_PX = 96

TABLES = {"train": "training.csv", "validation": "validation.csv"}
IMAGES_FOLDER = "Manually_Annotated_Images"
FOLDER_OF_SPLIT = {"train": "train", "validation": "val", "test": "test"}

# Names under which Kaggle's copies have the classes, by official id.
CLASS_FOLDERS = (
    "neutral",
    "happy",
    "sad",
    "surprise",
    "fear",
    "disgust",
    "anger",
    "contempt",
)

# One in so many pictures lies in the folder of another class.
_DISAGREES_EVERY = 10

# The release spreads its pictures over some thousand folders.
_NUM_FOLDERS = 50

_LANDMARKS = ";".join(f"{100 + 3 * i}.5;{90 + 2 * i}.25" for i in range(68))


class Item(NamedTuple):
    """A face: the number is that of its picture, and of its file."""

    split: str
    label: int
    number: int


def list_items(counts: dict[str, list[int]], seed: int) -> list[Item]:
    """Which faces there are, classes mixed within each split.

    Args:
        counts: split name -> how many of each native label id.
        seed: any integer that is not negative.
    """
    rng = np.random.default_rng(seed)
    items = []
    for split, row in counts.items():
        for label in rng.permutation(np.repeat(np.arange(len(row)), row)):
            items.append(Item(split, int(label), len(items)))
    return items


def full_files(items: list[Item], seed: int, broken_fraction: float) -> Files:
    """Photographs, and two CSV files; broken rows are added among the good."""
    photographer = Photographer(seed)
    rows = {item.split: [] for item in items}
    breakages = itertools.cycle(_BREAKAGES)
    num_broken = 0
    for index, item in enumerate(items, start=1):
        row, jpeg = _full_row(photographer, item, f"{item.number:06d}")
        rows[item.split].append(",".join(row))
        yield f"{IMAGES_FOLDER}/{row[0]}", jpeg
        if round(index * broken_fraction) > num_broken:
            num_broken += 1
            name = f"{item.number:06d}_broken"
            row, jpeg = next(breakages)(*_full_row(photographer, item, name))
            rows[item.split].append(",".join(row))
            if jpeg is not None:
                yield f"{IMAGES_FOLDER}/{row[0]}", jpeg
    for split, lines in rows.items():
        # The release's validation.csv has none.
        header = [",".join(full.COLUMNS)] if split == "train" else []
        yield TABLES[split], "\n".join([*header, *lines, ""]).encode()


def array_files(items: list[Item], seed: int) -> Files:
    """Cropped faces, each with annotations in files of its own."""
    photographer = Photographer(seed)
    folders = {s: f for f, s in arrays.SPLIT_OF_FOLDER.items()}
    for item in items:
        folder = folders[item.split]
        face = photographer.draw_face(item.label, item.number, ARRAYS_PX)
        yield f"{folder}/images/{item.number}.jpg", to_jpeg(face)
        valence, arousal = scores(item.number)
        # Copies have texts or numbers in them.
        for suffix, value in (
            ("exp", np.array(str(item.label))),
            ("val", np.array(valence, np.float32)),
            ("aro", np.array(str(arousal))),
        ):
            buffer = io.BytesIO()
            np.save(buffer, value)
            name = f"{folder}/annotations/{item.number}_{suffix}.npy"
            yield name, buffer.getvalue()


def table_files(items: list[Item], seed: int) -> Files:
    """Class folders with `labels.csv`; some faces lie in a wrong folder."""
    photographer = Photographer(seed)
    lines = [",".join(("", "pth", "label", "relFCs"))]
    for item in items:
        is_wrong = item.number % _DISAGREES_EVERY == 0
        folder = CLASS_FOLDERS[(item.label + is_wrong) % len(CLASS_FOLDERS)]
        name = f"{folder}/image{item.number:07d}.jpg"
        face = photographer.draw_face(item.label, item.number, KAGGLE_PX)
        yield name, to_jpeg(face)
        label = CLASS_FOLDERS[item.label]
        lines.append(f"{item.number},{name},{label},0.8258")
    yield "labels.csv", "\n".join([*lines, ""]).encode()


def folder_files(
    items: list[Item], seed: int, class_names: Sequence[str]
) -> Files:
    """Folders of splits with folders of classes, called as is given."""
    photographer = Photographer(seed)
    for item in items:
        face = photographer.draw_face(item.label, item.number, KAGGLE_PX)
        folder = f"{FOLDER_OF_SPLIT[item.split]}/{class_names[item.label]}"
        yield f"{folder}/image{item.number:07d}.jpg", to_jpeg(face)


def scores(number: int) -> tuple[float, float]:
    """Valence and arousal of a picture; every seventh is not annotated."""
    if number % 7 == 0:
        return -2.0, -2.0
    return round(((number * 37) % 200 - 100) / 100, 4), number % 10 / 10


def _full_row(
    photographer: Photographer, item: Item, name: str
) -> tuple[list[str], bytes]:
    photo, box = photographer.draw_photo(item.label, item.number)
    path = f"{item.number % _NUM_FOLDERS}/{name}.jpg"
    place = list(map(str, box))
    if item.label == labels.native_names("affectnet").index("no-face"):
        place = ["NULL"] * 4
    valence, arousal = scores(item.number)
    row = [
        path,
        *place,
        _LANDMARKS,
        str(item.label),
        str(valence),
        str(arousal),
    ]
    return row, to_jpeg(photo)


def _without_file(row: list[str], jpeg: bytes) -> tuple[list[str], None]:
    return row, None


def _cut_short(row: list[str], jpeg: bytes) -> tuple[list[str], bytes]:
    return row, jpeg[: len(jpeg) // 3]


def _without_path(row: list[str], jpeg: bytes) -> tuple[list[str], None]:
    return ["NULL", *row[1:]], None


def _without_box(row: list[str], jpeg: bytes) -> tuple[list[str], bytes]:
    return [row[0], *["NULL"] * 4, *row[5:]], jpeg


def _box_outside(row: list[str], jpeg: bytes) -> tuple[list[str], bytes]:
    return [row[0], "5000", *row[2:]], jpeg


def _unknown_label(row: list[str], jpeg: bytes) -> tuple[list[str], bytes]:
    return [*row[:6], "99", *row[7:]], jpeg


def _cut_row(row: list[str], jpeg: bytes) -> tuple[list[str], None]:
    return row[:4], None


# Each kind of damage that a reader must survive.
_BREAKAGES = (
    _without_file,
    _cut_short,
    _without_path,
    _without_box,
    _box_outside,
    _unknown_label,
    _cut_row,
)

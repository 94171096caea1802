"""Synthetic AffectNet: the files of every raw layout.

For tests, the quickstart and measurements: AffectNet itself may not be shipped
or sampled. What is written says in `affectnet.json` that it is synthetic, and
how many examples a build must give.
"""

import functools
import io
import itertools
import math
import zipfile
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fer_tfds import labels
from fer_tfds.drawing.layouts import Counts
from fer_tfds.drawing.layouts import Files
from fer_tfds.drawing.layouts import Layout
from fer_tfds.drawing.layouts import pack_zip
from fer_tfds.drawing.photos import Photographer
from fer_tfds.drawing.photos import to_jpeg
from fer_tfds.sources.affectnet import arrays
from fer_tfds.sources.affectnet import full
from fer_tfds.sources.affectnet.records import NO_FACE
from fer_tfds.sources.affectnet.settings import FILE_NAME
from fer_tfds.sources.records import SPLITS

_NUM_EXPRESSIONS = len(labels.class_names("affectnet"))
_NUM_LABELS = len(labels.native_names("affectnet"))

# What marks a folder as ours: real data is never overwritten.
_NOTE = "Drawn faces, not AffectNet."

# As the copies have them.
_ARRAYS_PX = 224
_KAGGLE_PX = 96

TABLES = {"train": "training.csv", "validation": "validation.csv"}
IMAGES_FOLDER = "Manually_Annotated_Images"
_FOLDER_OF_SPLIT = {"train": "train", "validation": "val", "test": "test"}

# Names under which Kaggle's copies have the classes, by official id.
_CLASS_FOLDERS = (
    "neutral",
    "happy",
    "sad",
    "surprise",
    "fear",
    "disgust",
    "anger",
    "contempt",
)

# One in so many images lies in the folder of another class.
_DISAGREES_EVERY = 10

# The release spreads its images over some thousand folders.
_NUM_FOLDERS = 50

_LANDMARKS = ";".join(f"{100 + 3 * i}.5;{90 + 2 * i}.25" for i in range(68))


class Item(NamedTuple):
    """A face: the number is that of its image, and of its file."""

    split: str
    label: int
    number: int


def list_items(counts: Counts, seed: int) -> list[Item]:
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


def full_files(
    counts: Counts, seed: int, broken_fraction: float = 0.0
) -> Files:
    """Photographs of mixed sizes, and two CSV files.

    Args:
        counts: split name -> how many of each native label id.
        seed: any integer that is not negative.
        broken_fraction: share of rows that are added with something wrong, of
            each kind that a reader must survive.
    """
    rows: dict[str, list[str]] = {}
    for split, row, jpeg in _full_rows(counts, seed, broken_fraction):
        rows.setdefault(split, []).append(",".join(row))
        if jpeg is not None:
            yield f"{IMAGES_FOLDER}/{row[0]}", jpeg
    for split, lines in rows.items():
        # The release's validation.csv has none.
        header = [",".join(full.COLUMNS)] if split == "train" else []
        yield TABLES[split], "\n".join([*header, *lines, ""]).encode()


def array_files(counts: Counts, seed: int) -> Files:
    """Cropped faces, each with annotations in files of its own."""
    folders = {s: f for f, s in arrays.SPLIT_OF_FOLDER.items()}
    for item, jpeg in _draw_faces(counts, seed, _ARRAYS_PX):
        folder = folders[item.split]
        yield f"{folder}/images/{item.number}.jpg", jpeg
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


def table_files(counts: Counts, seed: int) -> Files:
    """Class folders with `labels.csv`; some faces lie in a wrong folder."""
    lines = [",pth,label,relFCs"]
    for item, jpeg in _draw_faces(counts, seed, _KAGGLE_PX):
        is_wrong = item.number % _DISAGREES_EVERY == 0
        folder = _CLASS_FOLDERS[(item.label + is_wrong) % len(_CLASS_FOLDERS)]
        name = f"{folder}/image{item.number:07d}.jpg"
        yield name, jpeg
        label = _CLASS_FOLDERS[item.label]
        lines.append(f"{item.number},{name},{label},0.8258")
    yield "labels.csv", "\n".join([*lines, ""]).encode()


def folder_files(
    counts: Counts, seed: int, class_names: Sequence[str] = _CLASS_FOLDERS
) -> Files:
    """Folders of splits with folders of classes, called as is given."""
    for item, jpeg in _draw_faces(counts, seed, _KAGGLE_PX):
        folder = f"{_FOLDER_OF_SPLIT[item.split]}/{class_names[item.label]}"
        yield f"{folder}/image{item.number:07d}.jpg", jpeg


def _draw_faces(
    counts: Counts, seed: int, size_px: int
) -> Iterator[tuple[Item, bytes]]:
    photographer = Photographer(seed)
    for item in list_items(counts, seed):
        face = photographer.draw_face(item.label, item.number, size_px)
        yield item, to_jpeg(face)


def scores(number: int) -> tuple[float, float]:
    """Valence and arousal of an image; every seventh is not annotated."""
    if number % 7 == 0:
        return -2.0, -2.0
    return round(((number * 37) % 200 - 100) / 100, 4), number % 10 / 10


def _full_rows(
    counts: Counts, seed: int, broken_fraction: float
) -> Iterator[tuple[str, list[str], bytes | None]]:
    """Split, row and file of each photograph, broken ones among the good."""
    photographer = Photographer(seed)
    breakages = itertools.cycle(_BREAKAGES)
    for item in list_items(counts, seed):
        name = f"{item.number:06d}"
        yield item.split, *_full_row(photographer, item, name)
        before, after = item.number, item.number + 1
        if round(after * broken_fraction) > round(before * broken_fraction):
            row = _full_row(photographer, item, f"{name}_broken")
            yield item.split, *next(breakages)(*row)


def _full_row(
    photographer: Photographer, item: Item, name: str
) -> tuple[list[str], bytes]:
    photo, box = photographer.draw_photo(item.label, item.number)
    path = f"{item.number % _NUM_FOLDERS}/{name}.jpg"
    place = list(map(str, box))
    if item.label == NO_FACE:
        place = ["NULL"] * 4
    numbers = map(str, (item.label, *scores(item.number)))
    return [path, *place, _LANDMARKS, *numbers], to_jpeg(photo)


# Each kind of damage that a reader must survive: row and file -> what they
# become.
_BREAKAGES = (
    lambda row, jpeg: (row, None),  # the file is absent
    lambda row, jpeg: (row, jpeg[: len(jpeg) // 3]),  # the file is cut
    lambda row, jpeg: (["NULL", *row[1:]], None),  # no path
    lambda row, jpeg: ([row[0], *["NULL"] * 4, *row[5:]], jpeg),  # no box
    lambda row, jpeg: ([row[0], "5000", *row[2:]], jpeg),  # a box outside
    lambda row, jpeg: ([*row[:6], "99", *row[7:]], jpeg),  # no such label
    lambda row, jpeg: (row[:4], None),  # the row is cut
)


def _release(counts: Counts) -> Counts:
    """The release's splits; one in twenty is added of each missing label."""
    _check(counts)
    return {
        s: [*row, *[math.ceil(sum(row) / 20)] * (_NUM_LABELS - len(row))]
        for s, row in counts.items()
        if s in TABLES
    }


def _expressions(counts: Counts, splits: Iterable[str] = SPLITS) -> Counts:
    """What a layout without the last three labels has of the counts."""
    _check(counts)
    return {
        s: list(counts[s][:_NUM_EXPRESSIONS]) for s in splits if s in counts
    }


def _check(counts: Counts) -> None:
    for row in counts.values():
        if len(row) not in (_NUM_EXPRESSIONS, _NUM_LABELS) or min(row) < 0:
            raise ValueError(
                f"`counts` must give {_NUM_EXPRESSIONS} or {_NUM_LABELS} "
                "counts for a split, by official label id. Received: "
                f"{row!r}."
            )


def _note(counts: Counts, **settings: dict) -> dict:
    expected = {}
    for split, row in counts.items():
        if sum(row):
            shown = row[:NO_FACE]  # what shows no face gives no example
            expected[split] = [*shown, *[0] * (_NUM_LABELS - len(shown))]
    return {"note": _NOTE, "expected_counts": expected, **settings}


# All that the layouts write into their folder; the mark goes last.
_OURS = (
    "archive.zip",
    "labels.csv",
    IMAGES_FOLDER,
    *TABLES.values(),
    *_FOLDER_OF_SPLIT.values(),
    *_CLASS_FOLDERS,
    *arrays.SPLIT_OF_FOLDER,
    FILE_NAME,
)
_IN_ORDER = sorted(_CLASS_FOLDERS)
_NUMBERS = [str(_IN_ORDER.index(name)) for name in _CLASS_FOLDERS]

_layout = functools.partial(
    Layout,
    names=_OURS,
    select=_expressions,
    mark=FILE_NAME,
    note=_note,
    proof=_NOTE,
)
_pack = functools.partial(
    pack_zip, below="archive/AffectNet/", compression=zipfile.ZIP_STORED
)
_train = functools.partial(_expressions, splits=("train",))

LAYOUTS: dict[str, Layout] = {
    "full": _layout(files=full_files, select=_release),
    "affectnet8": _layout(files=array_files),
    "kaggle_csv": _layout(files=table_files, select=_train),
    "kaggle_csv_zip": _layout(files=table_files, select=_train, pack=_pack),
    "class_folders": _layout(files=folder_files),
    "class_folders_zip": _layout(files=folder_files, pack=_pack),
    "numbered_folders": _layout(
        files=functools.partial(folder_files, class_names=_NUMBERS),
        note=functools.partial(_note, class_names=dict(enumerate(_IN_ORDER))),
    ),
}

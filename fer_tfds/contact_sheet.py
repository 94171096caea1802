"""A picture of the images in question: one band for each kind of defect.

Draws what `fer_tfds.audit` counts, so that a person can judge it by eye. The
sheet shows real people and belongs to whoever has the data: never publish it.
"""

from collections.abc import Callable
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from PIL import ImageDraw

from fer_tfds import cleaning
from fer_tfds import labels
from fer_tfds.sources.fer2013 import ferplus
from fer_tfds.sources.records import FaceRecords

_NAMES = labels.class_names("fer2013")

# Lengths in pixels of the sheet.
_FACE = 72
_GAP = 6
_LINE = 12
_COLUMNS = 16
_ROWS_PER_BAND = 2
_CELL_WIDTH = _FACE + _GAP
_CELL_HEIGHT = _FACE + 2 * _LINE + _GAP
_TITLE_HEIGHT = 24
_INK = 0
_PAPER = 255


class _Band(NamedTuple):
    """A titled part of the sheet: (position of a face, caption of it)."""

    title: str
    cells: list[tuple[int, str]]


def write(
    path: Path, records: FaceRecords, votes: ferplus.Votes | None
) -> None:
    """Writes the sheet as PNG.

    Args:
        path: the file to write.
        records: all faces.
        votes: the FER+ votes on them; None leaves those bands out.
    """
    bands = list(_repeat_bands(records))
    if votes is not None:
        bands.extend(_vote_bands(records, votes))
    height = sum(_band_height(band) for band in bands)
    sheet = Image.new("L", (_COLUMNS * _CELL_WIDTH + _GAP, height), _PAPER)
    top = 0
    for band in bands:
        _draw_band(sheet, top, band, images=records.images)
        top += _band_height(band)
    sheet.save(path, "PNG")


def _repeat_bands(records: FaceRecords) -> Iterable[_Band]:
    groups = cleaning.find_groups(records.images)
    constant = cleaning.is_constant(records.images)
    conflict = cleaning.has_conflict(groups, records.labels) & ~constant
    is_train = np.array(records.splits) == "train"
    leaks = (
        cleaning.stands_in(records, groups, ["train"])
        & cleaning.stands_in(records, groups, ["test"])
        & ~constant
    )
    repeats = is_train & (
        np.bincount(groups[is_train], minlength=len(groups))[groups] > 2
    )
    yield _band(records, "One constant grey", np.flatnonzero(constant))
    yield _band(
        records,
        "One image, several labels",
        _by_group(groups, np.flatnonzero(conflict)),
    )
    yield _band(
        records,
        "In train and in test",
        _by_group(groups, np.flatnonzero(leaks)),
    )
    yield _band(
        records,
        "Three times or more in train",
        _by_group(groups, np.flatnonzero(repeats & ~constant)),
    )


def _vote_bands(records: FaceRecords, votes: ferplus.Votes) -> Iterable[_Band]:
    shares = votes.shares
    winners = votes.labels
    canonical = [labels.canonical_name(n) for n in ferplus.NAMES[:8]]
    own = np.array([canonical.index(name) for name in _NAMES])[records.labels]
    order = np.argsort(-shares.max(axis=1), kind="stable")
    against = order[(winners[order] != own[order]) & (winners[order] < 8)]
    no_face = order[winners[order] == ferplus.NOT_A_FACE]

    def caption(index: int) -> str:
        percent = round(100 * shares[index].max())
        return f"{ferplus.NAMES[winners[index]]} {percent}%"

    yield _band(
        records,
        "FER+ has another label, surest first",
        against,
        second_line=caption,
    )
    yield _band(records, "FER+: not a face", no_face, second_line=caption)


def _by_group(groups: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Puts identical images side by side."""
    return indices[np.argsort(groups[indices], kind="stable")]


def _band(
    records: FaceRecords,
    title: str,
    indices: np.ndarray,
    *,
    second_line: Callable[[int], str] | None = None,
) -> _Band:
    shown = indices[: _COLUMNS * _ROWS_PER_BAND]
    second_line = second_line or (lambda index: records.splits[index])
    names = records.class_names
    cells = [
        (index, f"{names[records.labels[index]]}\n{second_line(index)}")
        for index in shown
    ]
    return _Band(f"{title}: {len(indices):,} images, {len(shown)} shown", cells)


def _band_height(band: _Band) -> int:
    rows = -(-len(band.cells) // _COLUMNS)
    return _TITLE_HEIGHT + rows * _CELL_HEIGHT


def _draw_band(
    sheet: Image.Image, top: int, band: _Band, *, images: np.ndarray
) -> None:
    draw = ImageDraw.Draw(sheet)
    draw.text((_GAP, top + _GAP), band.title, fill=_INK)
    for place, (index, caption) in enumerate(band.cells):
        row, column = divmod(place, _COLUMNS)
        left = _GAP + column * _CELL_WIDTH
        upper = top + _TITLE_HEIGHT + row * _CELL_HEIGHT
        face = Image.fromarray(images[index]).resize((_FACE, _FACE))
        sheet.paste(face, (left, upper))
        draw.text((left, upper + _FACE), caption, fill=_INK, font_size=10)

"""FER-2013 as CSV: one row per face, the pixels as decimal text.

Reads any text stream with the columns `emotion`, `pixels` and `Usage`, in any
order and with any separator. It never guesses: the first row that is not
exactly right is an error.
"""

import functools
import io
from collections.abc import Iterator
from typing import IO
from typing import NamedTuple
from typing import TextIO

import numpy as np

from fer_tfds import labels
from fer_tfds.sources.dialects import split_cells
from fer_tfds.sources.dialects import split_header
from fer_tfds.sources.records import IMAGE_SIZE_PX
from fer_tfds.sources.records import FaceCollector
from fer_tfds.sources.records import FaceRecords
from fer_tfds.sources.records import SourceError

_NUM_PIXELS = IMAGE_SIZE_PX * IMAGE_SIZE_PX

COLUMNS = ("emotion", "pixels", "Usage")

# The challenge's own words for its three parts. PublicTest fed the public
# leaderboard, PrivateTest decided the contest.
SPLIT_OF_USAGE = {
    "Training": "train",
    "PublicTest": "validation",
    "PrivateTest": "test",
}

# A header is a few dozen characters; a longer first line is something else.
_MAX_HEADER_CHARS = 4096
# 2,304 values of three digits with a blank each, and two short cells.
_MAX_ROW_CHARS = 16_384
_REPLACE_FILE = (
    "Repair the row, or get a fresh copy of the file and build again."
)


class _Row(NamedTuple):
    pixels: np.ndarray
    label: int
    split: str


def looks_like_faces(head: bytes) -> bool:
    """Whether a file that begins with `head` is a FER-2013 CSV file.

    Two of the three columns are enough, so that a file which lacks one is
    reported as such instead of being overlooked.
    """
    return len(_columns_in_head(head)) >= 2


def has_all_columns(head: bytes) -> bool:
    """Whether a file that begins with `head` has all columns of FER-2013."""
    return len(_columns_in_head(head)) == len(COLUMNS)


def read_faces(stream: IO[bytes], source: str) -> FaceRecords:
    """Reads and checks every row.

    Args:
        stream: the CSV file's bytes, from its beginning.
        source: how errors call the file, usually its path.

    Returns:
        The faces in file order, with ids `row_00000`, `row_00001` and so on,
        counting data rows from 0.

    Raises:
        SourceError: a missing column or a malformed row; names the data row
            and the line, both counted from 1 (the header is line 1).
    """
    # Universal newlines and utf-8-sig: copies exist with CRLF and with a BOM.
    text = io.TextIOWrapper(stream, "utf-8-sig", errors="replace")
    names, separator = split_header(text.readline(_MAX_HEADER_CHARS))
    columns = _find_columns(names, source)
    faces = FaceCollector(source)
    for row in _read_rows(text, columns, source, separator=separator):
        faces.add(
            row.pixels,
            label=row.label,
            split=row.split,
            name=f"row_{len(faces):05d}",
        )
    if not len(faces):
        raise SourceError(
            f"{source}: there is a header but not one data row. Get a complete "
            "copy of the file and build again."
        )
    return faces.records()


def _columns_in_head(head: bytes) -> dict[str, int]:
    first_line = (head[:_MAX_HEADER_CHARS].splitlines() or [b""])[0]
    if b"\0" in first_line:
        return {}  # a plain tar with such a file in it begins like one
    cells, _ = split_header(first_line.decode("utf-8-sig", "replace"))
    return _columns_by_name(cells)


def _columns_by_name(names: list[str]) -> dict[str, int]:
    lowered = [name.lower() for name in names]
    return {
        column: lowered.index(column.lower())
        for column in COLUMNS
        if column.lower() in lowered
    }


def _find_columns(names: list[str], source: str) -> dict[str, int]:
    columns = _columns_by_name(names)
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        raise SourceError(
            f"{source}, line 1: column {', '.join(map(repr, missing))} is "
            f"missing. Needed: {','.join(COLUMNS)}. Found: "
            f"{','.join(names)[:200]!r}. Use the complete fer2013.csv of the "
            "challenge."
        )
    return columns


def _read_rows(
    text: TextIO, columns: dict[str, int], source: str, *, separator: str
) -> Iterator[_Row]:
    row_number = 0
    # One character more than allowed tells a line that is too long.
    lines = iter(functools.partial(text.readline, _MAX_ROW_CHARS + 1), "")
    for line_number, line in enumerate(lines, start=2):
        cells = split_cells(line, separator)
        if not any(cells):
            continue  # copies that went through an editor end in blank rows
        row_number += 1
        try:
            _check_length(line)
            yield _parse_row(cells, columns)
        except ValueError as error:
            raise SourceError(
                f"{source}, data row {row_number} (line {line_number}): "
                f"{error} {_REPLACE_FILE}"
            ) from None


def _check_length(line: str) -> None:
    if len(line) > _MAX_ROW_CHARS:
        raise ValueError(
            f"it is longer than {_MAX_ROW_CHARS:,} characters, which no face "
            "of 48x48 pixels needs."
        )


def _parse_row(cells: list[str], columns: dict[str, int]) -> _Row:
    if len(cells) <= max(columns.values()):
        raise ValueError(
            f"it has {len(cells)} of {max(columns.values()) + 1} columns; the "
            "file may have been cut short."
        )
    return _Row(
        label=_parse_label(cells[columns["emotion"]]),
        split=_parse_usage(cells[columns["Usage"]]),
        pixels=_parse_pixels(cells[columns["pixels"]]),
    )


def _parse_label(cell: str) -> int:
    names = labels.class_names("fer2013")
    if not (cell.isascii() and cell.isdigit()) or int(cell) >= len(names):
        raise ValueError(
            f"`emotion` must be an integer from 0 to {len(names) - 1}. "
            f"Received: {cell[:40]!r}."
        )
    return int(cell)


def _parse_usage(cell: str) -> str:
    if cell not in SPLIT_OF_USAGE:
        raise ValueError(
            f"`Usage` must be one of {', '.join(SPLIT_OF_USAGE)}. "
            f"Received: {cell[:40]!r}."
        )
    return SPLIT_OF_USAGE[cell]


_DROP_DIGITS_AND_BLANKS = str.maketrans("", "", "0123456789 ")


def _parse_pixels(cell: str) -> np.ndarray:
    # Only digits and blanks may reach numpy's reader: it stops at anything
    # else without an error. It was the fastest of the five ways tried.
    strange = cell.translate(_DROP_DIGITS_AND_BLANKS)
    if strange or not cell:
        raise ValueError(
            "`pixels` must be integers separated by blanks. Received: "
            f"{strange[:20]!r} among them."
            if strange
            else "`pixels` is empty."
        )
    pixels = np.fromstring(cell, dtype=np.int64, sep=" ")
    if pixels.size != _NUM_PIXELS:
        raise ValueError(
            f"`pixels` must hold {_NUM_PIXELS:,} values. Received: "
            f"{pixels.size:,}."
        )
    if pixels.max() > 255:
        position = int(np.argmax(pixels > 255))
        raise ValueError(
            "`pixels` must be from 0 to 255. Received: "
            f"{pixels[position]} as value {position + 1}."
        )
    return pixels.astype(np.uint8).reshape(IMAGE_SIZE_PX, IMAGE_SIZE_PX)

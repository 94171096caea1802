"""Pictures with a CSV file that says what they show.

The columns may be called as people call them; a file with a column for the
path and one for the label is taken for such a table.
"""

import csv
import io
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path

from edge import crops
from fer_tfds.sources.dialects import split_header
from fer_tfds.sources.image_folder.class_folders import split_of
from fer_tfds.sources.image_folder.records import Labelled
from fer_tfds.sources.image_folder.records import Source
from fer_tfds.sources.records import SourceError

COLUMNS = {
    "path": ("path", "file", "filename", "file_name", "image", "picture"),
    "label": ("label", "class", "emotion", "expression"),
    "split": ("split", "usage", "set", "subset"),
    "group": ("group", "person", "subject"),
}
_NEEDED = ("path", "label")
_MAX_ROWS = 2_000_000
_MAX_HEADER_CHARS = 4096


def is_table(header: str) -> bool:
    """Whether a first line has the columns of such a table."""
    cells = split_header(header)[0]
    # Beside crops lies a table of what a model took them for: no labels.
    is_of_crops = tuple(cells) == crops.COLUMNS
    return not is_of_crops and set(_NEEDED) <= set(_columns(header))


def why_not(header: str) -> str:
    """Why a table that says something of labels is none that is read."""
    cells = split_header(header)[0]
    known = _columns(header)
    if tuple(cells) == crops.COLUMNS or "label" not in known:
        return ""
    return (
        f"its columns are {', '.join(cells)[:100]}, and none is called one of "
        f"{', '.join(COLUMNS['path'])}"
    )


def make_source(
    path: Path, table: str, text: str, *, images: Sequence[str]
) -> Source:
    """The pictures that a table names.

    Args:
        path: the folder or archive.
        table: the table's name in it. Paths of pictures are relative to the
            folder that the table is in, or to `path`.
        text: its content.
        images: names of the pictures that are there.

    Raises:
        SourceError: a row is malformed, or names what is not there.
    """
    above = table.rpartition("/")[0]
    there, rows = set(images), _read_rows(text, f"{path / table}")
    pictures, seen = [], set()
    for where, row in rows:
        name = _find(row["path"], above, there)
        if not name or name in seen:
            problem = "stands there twice" if name else "is not there"
            raise SourceError(
                f"{where}: the picture {row['path'][:100]!r} {problem}. Paths "
                "are relative to the folder of the table. Correct it, or "
                "remove the row."
            )
        seen.add(name)
        pictures.append(_labelled(name, row, where))
    _check_splits([place for place, _ in rows], pictures)
    if not pictures:
        raise SourceError(f"{path / table}: there is not one row in it.")
    return Source(
        path=path,
        form=f"pictures with {table}",
        pictures=pictures,
        stray=[name for name in images if name not in seen],
    )


def _check_splits(places: Sequence[str], pictures: Sequence[Labelled]) -> None:
    """Some that are given would be lost where the others are drawn."""
    if any(picture.split for picture in pictures):
        for place, picture in zip(places, pictures, strict=True):
            if not picture.split:
                raise SourceError(
                    f"{place}: there is no split, and other rows have one. "
                    "Fill in all of them or none."
                )


def _labelled(name: str, row: dict[str, str], where: str) -> Labelled:
    given = row.get("split", "")
    split = split_of(given)
    if given and not split:
        raise SourceError(
            f"{where}: the split {given[:40]!r} is none of train, validation "
            "(val, valid) and test. Correct it, or leave all of them empty."
        )
    if not row["label"]:
        raise SourceError(f"{where}: there is no label. Fill it in.")
    return Labelled(name, row["label"], split, row.get("group", ""))


def _find(path: str, above: str, there: set[str]) -> str:
    """The name of a picture in the tree; empty where it is not there."""
    # As Windows writes them, and with a leading ./
    parts = [p for p in path.replace("\\", "/").split("/") if p != "."]
    relative = "/".join(parts)
    names = (f"{above}/{relative}" if above else relative, relative)
    return next((name for name in names if name in there), "")


def _read_rows(text: str, where: str) -> list[tuple[str, dict[str, str]]]:
    """Which line each row is, and its cells by our names of the columns."""
    _, separator = split_header(_first_line(text))
    columns = _columns(_first_line(text))
    # A cell may hold the ends of lines, between quotes.
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=separator, strict=True)
    rows = []
    for cells in _cells(reader, where):
        place = f"{where}, line {reader.line_num}"
        if not any(map(str.strip, cells)):
            continue
        if len(cells) <= max(columns.values()) or len(rows) == _MAX_ROWS:
            raise SourceError(
                f"{place}: {len(cells)} cells, where the header promises "
                f"{max(columns.values()) + 1} or more. Correct the row."
            )
        cell_of = {name: cells[i].strip() for name, i in columns.items()}
        rows.append((place, cell_of))
    return rows


def _cells(reader: Iterator[list[str]], where: str) -> Iterator[list[str]]:
    """The rows below the header."""
    try:
        next(reader)
        yield from reader
    except csv.Error as error:
        raise SourceError(
            f"{where}, line {reader.line_num}: {error}. Correct what is quoted "
            "there."
        ) from None


def _columns(header: str) -> dict[str, int]:
    """Our name of a column -> which cell of a row it is."""
    cells = [cell.lower() for cell in split_header(header)[0]]
    return {
        name: cells.index(called)
        for name, known in COLUMNS.items()
        if (called := next((c for c in known if c in cells), None))
    }


def _first_line(text: str) -> str:
    return (text[:_MAX_HEADER_CHARS].splitlines() or [""])[0]

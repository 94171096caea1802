"""Pictures with a CSV file that says what they show.

The columns may be called as people call them; a file with a column for the
path and one for the label is taken for such a table.
"""

import csv
import zlib
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
MAX_BYTES = 1 << 28
_GZIP = b"\x1f\x8b"


def decode(data: bytes, where: str) -> str:
    """The text of a table; UTF-8 or UTF-16, told by its beginning.

    Raises:
        SourceError: it is text in another encoding, or none.
    """
    if data.startswith(_GZIP):
        data = _unpack(data, where)
    has_mark = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        return data.decode("utf-16" if has_mark else "utf-8-sig")
    except UnicodeDecodeError:
        raise SourceError(
            f"{where}: this is not text in UTF-8. Save it as CSV in UTF-8, "
            "and build again."
        ) from None


def _unpack(data: bytes, where: str) -> bytes:
    try:
        unpacked = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(
            data, MAX_BYTES
        )
    except zlib.error as error:
        raise SourceError(
            f"{where}: the compressed table is damaged ({error}). Copy it "
            "again."
        ) from None
    if len(unpacked) == MAX_BYTES:
        raise SourceError(f"{where}: more than {MAX_BYTES >> 20} MiB of text.")
    return unpacked


def is_table(text: str) -> bool:
    """Whether a text begins with the columns of such a table."""
    cells = split_header(_first_line(text))[0]
    # Beside crops lies a table of what a model took them for: no labels.
    is_of_crops = tuple(cells) == crops.COLUMNS
    return not is_of_crops and set(_NEEDED) <= set(_columns(_first_line(text)))


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
    if not pictures:
        raise SourceError(f"{path / table}: there is not one row in it.")
    return Source(
        path=path,
        form=f"pictures with {table}",
        pictures=pictures,
        stray=[name for name in images if name not in seen],
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
    lines = text.splitlines()
    columns = _columns(lines[0])
    reader = csv.reader(lines, delimiter=separator)
    next(reader)
    rows = []
    for cells in reader:
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


def _columns(header: str) -> dict[str, int]:
    """Our name of a column -> which cell of a row it is."""
    cells = [cell.lower() for cell in split_header(header)[0]]
    return {
        name: cells.index(called)
        for name, known in COLUMNS.items()
        if (called := next((c for c in known if c in cells), None))
    }


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0]

"""AffectNet's full release: two CSV files and photographs of any size.

A row names a picture, the box of a face in it, and what that face shows. The
CSV files are read as a stream: however many rows there are, one is in memory.
"""

import dataclasses
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from fer_tfds.sources.affectnet import records as records
from fer_tfds.sources.affectnet.records import Annotation
from fer_tfds.sources.affectnet.records import Box
from fer_tfds.sources.affectnet.records import Reason
from fer_tfds.sources.affectnet.records import Reject
from fer_tfds.sources.affectnet.records import Rejected
from fer_tfds.sources.records import SourceError

# The order that a file without a header has (AffectNet's own readme).
COLUMNS = (
    "subDirectory_filePath",
    "face_x",
    "face_y",
    "face_width",
    "face_height",
    "facial_landmarks",
    "expression",
    "valence",
    "arousal",
)
_NEEDED = tuple(name for name in COLUMNS if name != "facial_landmarks")

# What the names of the two files hold. The release has one more of the same
# form, automatically_annotated.csv: labels by a machine, which are not read.
_WORD_OF_SPLIT = {"train": "train", "validation": "val"}

# 68 landmarks take about 1,500 characters.
_MAX_LINE_BYTES = 64 << 10

# Rows to look at before anything else, spread over each file.
_NUM_PROBES = 200
_MAX_FOLDERS_TRIED = 64


@dataclasses.dataclass(frozen=True)
class FullRelease(records.Source):
    """The full release.

    Attributes:
        tables: split name and CSV file.
    """

    tables: tuple[tuple[str, Path], ...]

    def annotations(self) -> Iterator[Annotation | Reject]:
        """Rows of all CSV files; pictures are not looked at."""
        for split, path in self.tables:
            with path.open("rb") as file:
                columns, has_header = _read_columns(path)
                if has_header:
                    file.readline(_MAX_LINE_BYTES)
                for number in itertools.count(1 + has_header):
                    line = file.readline(_MAX_LINE_BYTES)
                    if not line:
                        break
                    if len(line) == _MAX_LINE_BYTES:
                        raise _too_long(path, number)
                    where = f"{path.name} line {number}"
                    if line.strip():
                        yield _read_row(line, columns, split, where=where)


def looks_like_annotations(head: bytes) -> bool:
    """Whether a file that begins with `head` is one of the two CSV files."""
    return _columns_of(_first_line(head)) is not None


def split_of(name: str) -> str | None:
    """Which split a CSV file holds, from its name: nothing else tells."""
    stem = name.rsplit("/", 1)[-1].lower()
    splits = [s for s, word in _WORD_OF_SPLIT.items() if word in stem]
    return splits[0] if len(splits) == 1 else None


def make_source(tables: dict[str, Path], manual_dir: Path) -> FullRelease:
    """Finds the folder of the pictures, wherever the archives were unpacked.

    Args:
        tables: split name -> CSV file; all in one folder.
        manual_dir: no folder outside it is looked at.

    Raises:
        SourceError: less than half of the pictures that were looked for are
            in any one folder; says where they were looked for.
    """
    tables = {s: tables[s] for s in _WORD_OF_SPLIT if s in tables}
    folder = next(iter(tables.values())).parent
    above = [folder.parent] if folder != manual_dir else []
    tried = list(_image_folders([folder, *above]))
    probes = [p for path in tables.values() for p in _probe_paths(path)]
    found = {
        path: sum(os.path.isfile(path / probe) for probe in probes)
        for path in tried
    }
    best = max(tried, key=lambda path: found[path])
    if 2 * found[best] < len(probes) or not probes:
        listed = "\n".join(f"  {path}: {found[path]}" for path in tried[:12])
        raise SourceError(
            f"{folder}: of {len(probes)} pictures named in the CSV files, "
            f"spread over them, most are absent. Looked for them below, and "
            f"found:\n{listed}\nUnpack Manually_Annotated_Images beside the "
            "CSV files, so that it holds the numbered folders, and build "
            "again."
        )
    return FullRelease(
        path=best,
        form="full release, faces are cut out of photographs",
        prefix="",
        tables=tuple(tables.items()),
    )


def _image_folders(bases: list[Path]) -> Iterator[Path]:
    """Folders that may hold the numbered ones: `bases` and two levels more."""
    level = bases
    for _ in range(3):
        yield from level
        level = [path for folder in level for path in _folders_in(folder)]
        level = level[:_MAX_FOLDERS_TRIED]


def _folders_in(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        names = sorted(
            entry.name
            for entry in entries
            if entry.is_dir() and entry.name[0] != "."
        )
    # The pictures' own folders are called by numbers, some thousand of them.
    return [folder / name for name in names if not name.isdigit()]


def _probe_paths(path: Path) -> list[str]:
    """Paths of pictures from rows that are spread over a CSV file."""
    columns, _ = _read_columns(path)
    size = path.stat().st_size
    probes = []
    with path.open("rb") as file:
        for index in range(_NUM_PROBES):
            file.seek(size * index // _NUM_PROBES)
            file.readline(_MAX_LINE_BYTES)  # the rest of a row
            line = file.readline(_MAX_LINE_BYTES)
            row = (
                _read_row(line, columns, "", where="") if line.strip() else None
            )
            if isinstance(row, Annotation):
                probes.append(row.image)
    return list(dict.fromkeys(probes))


def _first_line(head: bytes) -> list[str]:
    line = (head[:_MAX_LINE_BYTES].splitlines() or [b""])[0]
    return _split_cells(line)


def _split_cells(line: bytes) -> list[str]:
    text = line.decode("utf-8-sig", "replace")
    return [cell.strip(' \t\r\n"') for cell in text.split(",")]


def _columns_of(cells: list[str]) -> tuple[dict[str, int], bool] | None:
    """Column name -> position, and whether the cells are a header."""
    lowered = [cell.lower() for cell in cells]
    header = {
        n: lowered.index(n.lower()) for n in _NEEDED if n.lower() in lowered
    }
    if {"subDirectory_filePath", "expression"} <= header.keys():
        return header, True
    columns = {name: index for index, name in enumerate(COLUMNS)}
    if len(cells) != len(COLUMNS) or not records.is_image(cells[0]):
        return None
    try:
        records.parse_label(cells[columns["expression"]])
    except Rejected:
        return None
    return columns, False


def _read_columns(path: Path) -> tuple[dict[str, int], bool]:
    with path.open("rb") as file:
        cells = _first_line(file.readline(_MAX_LINE_BYTES))
    columns, has_header = _columns_of(cells) or ({}, True)
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        raise SourceError(
            f"{path}, line 1: column {', '.join(missing)} is missing. Needed: "
            f"{','.join(COLUMNS)}. Found: {','.join(cells)[:200]!r}. Use the "
            "file of the release as it is."
        )
    return columns, has_header


def _read_row(
    line: bytes, columns: dict[str, int], split: str, *, where: str
) -> Annotation | Reject:
    cells = _split_cells(line)
    try:
        if len(cells) <= max(columns.values()):
            raise Rejected(Reason.MALFORMED_ROW, f"{len(cells)} columns")
        row = {name: cells[index] for name, index in columns.items()}
        label = records.parse_label(row["expression"])
        # First, since a row without a face has no box either.
        if label == records.NO_FACE:
            raise Rejected(Reason.NO_FACE)
        path = records.parse_path(row["subDirectory_filePath"])
        where = f"{path} ({where})"
        return Annotation(
            split=split,
            id=path,
            image=path,
            label=label,
            box=_parse_box(row),
            valence=records.parse_score(row["valence"]),
            arousal=records.parse_score(row["arousal"]),
        )
    except Rejected as error:
        return Reject(split, where, error.reason, error.detail)


def _parse_box(row: dict[str, str]) -> Box:
    cells = [row[name] for name in COLUMNS[1:5]]
    if any(map(records.is_empty, cells)):
        raise Rejected(Reason.NULL_BOX)
    try:
        return Box(*(int(float(cell)) for cell in cells))
    except (ValueError, OverflowError):
        raise Rejected(Reason.BAD_BOX, ",".join(cells)) from None


def _too_long(path: Path, number: int) -> SourceError:
    return SourceError(
        f"{path}, line {number}: longer than {_MAX_LINE_BYTES:,} bytes, a row "
        "has about 1,500. Use the file of the release as it is."
    )

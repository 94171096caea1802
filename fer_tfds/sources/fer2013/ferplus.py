"""FER+: the votes of ten people on every face of FER-2013.

Reads `fer2013new.csv` (https://github.com/microsoft/FERPlus), which holds one
row for each row of FER-2013's CSV file, in the same order; the image names in
it are no key, since some are empty or occur twice. The rules that turn votes
into a label are those of Barsoum et al., "Training Deep Networks for Facial
Expression Recognition with Crowd-Sourced Label Distribution" (2016,
arXiv:1608.01041).
"""

import csv
import dataclasses
import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fer_tfds import labels
from fer_tfds.sources.dialects import split_header
from fer_tfds.sources.fer2013 import find
from fer_tfds.sources.fer2013.csv_rows import SPLIT_OF_USAGE
from fer_tfds.sources.records import FaceRecords
from fer_tfds.sources.records import SourceError

NAMES = labels.native_names("ferplus")
NUM_EXPRESSIONS = len(labels.class_names("ferplus"))
UNKNOWN = NAMES.index("unknown")
NOT_A_FACE = NAMES.index("nf")

# Ten people voted on each face.
_MAX_VOTES = 10
_MAX_ROWS = 250_000
# A row has about 50.
_MAX_LINE_CHARS = 4096
_HEAD_BYTES = 4096
_GET_FILE = (
    "Get fer2013new.csv from https://github.com/microsoft/FERPlus and put it "
    "beside FER-2013's CSV file."
)


@dataclasses.dataclass(frozen=True)
class Votes:
    """The votes, one row per row of FER-2013's CSV file.

    Attributes:
        counts: int64 [n, 10], votes for each of `NAMES`, 0 to 10.
        splits: n names out of `records.SPLITS`.
    """

    counts: np.ndarray
    splits: list[str]

    @functools.cached_property
    def shares(self) -> np.ndarray:
        """The votes as a distribution: float32 [n, 10], each row sums to 1."""
        totals = self.counts.sum(axis=1, keepdims=True)
        return (self.counts / totals).astype(np.float32)

    @functools.cached_property
    def labels(self) -> np.ndarray:
        """The label of each row: int64 [n], an id of `NAMES`.

        A single vote counts as a slip and is dropped. What then has more than
        half of the votes is the label; where nothing has, it is `UNKNOWN`.
        """
        counts = np.where(self.counts > 1, self.counts, 0)
        has_majority = 2 * counts.max(axis=1) > counts.sum(axis=1)
        return np.where(has_majority, counts.argmax(axis=1), UNKNOWN)


def has_votes(manual_dir: Path) -> bool:
    """Whether there is a file with FER+ votes; arguments as `find_votes`."""
    return bool(_list_votes(manual_dir))


def find_votes(manual_dir: Path) -> Path:
    """Finds the one file with FER+ votes by its columns.

    Args:
        manual_dir: the folder with the raw data, or one file in it.

    Raises:
        SourceError: there is none, or several.
    """
    found = _list_votes(manual_dir)
    if not found:
        raise SourceError(
            f"{manual_dir}: no file with FER+ votes (columns "
            f"{','.join(NAMES)}) in here. {_GET_FILE}"
        )
    if len(found) > 1:
        raise SourceError(
            f"{manual_dir}: several files with FER+ votes: "
            f"{', '.join(map(str, found))}. Keep one of them."
        )
    return found[0]


def read_votes(manual_dir: Path, records: FaceRecords) -> Votes:
    """Reads the votes and makes sure that row i of them is about face i.

    Args:
        manual_dir: as in `find_votes`.
        records: all faces, read from a CSV file.

    Raises:
        SourceError: there is not one file with votes, a row is malformed
            (names the line, counted from 1), or the rows are not about these
            faces.
    """
    path = find_votes(manual_dir)
    votes = _read_file(path)
    _check_fit(votes, records, path)
    return votes


def _read_file(path: Path) -> Votes:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as text:
        # What is cut off here becomes a row of its own, which is malformed.
        lines = iter(functools.partial(text.readline, _MAX_LINE_CHARS), "")
        header = next(lines, "")
        reader = csv.reader(lines, delimiter=split_header(header)[1])
        try:
            rows = list(_read_rows(reader, _lowered(header), path))
        except csv.Error as error:
            raise SourceError(f"{path}: {error}. {_GET_FILE}") from None
    if not rows:
        raise SourceError(f"{path}: not one data row. {_GET_FILE}")
    splits, counts = zip(*rows, strict=True)
    return Votes(np.array(counts, np.int64), list(splits))


def _check_fit(votes: Votes, records: FaceRecords, path: Path) -> None:
    if records.ids[0] != "row_00000":
        raise SourceError(
            f"{path}: FER+ votes belong to the rows of FER-2013's CSV file, "
            "and class folders have lost their order. Use fer2013.tar.gz or "
            "fer2013.csv."
        )
    if len(votes.splits) != len(records.splits):
        raise SourceError(
            f"{path}: there are {len(votes.splits):,} rows of FER+ votes for "
            f"{len(records.splits):,} faces; both must be complete. {_GET_FILE}"
        )
    for row, pair in enumerate(zip(votes.splits, records.splits, strict=True)):
        if pair[0] != pair[1]:
            raise SourceError(
                f"{path}: data row {row + 1} is {pair[0]} in FER+ and "
                f"{pair[1]} in FER-2013: the files are not about the same "
                f"faces. {_GET_FILE}"
            )


def _list_votes(manual_dir: Path) -> list[Path]:
    try:
        return [
            path
            for folder in find.folders_of(manual_dir)
            for path in sorted(folder.iterdir())
            if path.is_file() and _has_vote_columns(path)
        ]
    except OSError as error:
        raise SourceError(
            f"{manual_dir}: it cannot be read ({error}). Check that you may "
            "read all of it."
        ) from error


def _has_vote_columns(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    first_line = (head.splitlines() or [b""])[0].decode("utf-8-sig", "replace")
    return {"neutral", "contempt", "nf"} <= set(_lowered(first_line))


def _lowered(header: str) -> list[str]:
    return [cell.lower() for cell in split_header(header)[0]]


def _read_rows(
    reader: Iterator[list[str]], header: list[str], path: Path
) -> Iterator[tuple[str, list[int]]]:
    missing = [name for name in ("usage", *NAMES) if name not in header]
    if missing:
        raise SourceError(
            f"{path}, line 1: column {', '.join(missing)} is missing. "
            f"{_GET_FILE}"
        )
    columns = [header.index(name) for name in ("usage", *NAMES)]
    for line, cells in enumerate(reader, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if line > _MAX_ROWS:
            raise SourceError(f"{path}: more than {_MAX_ROWS:,} rows.")
        try:
            if len(cells) <= max(columns):
                raise ValueError(
                    f"it has {len(cells)} of {len(header)} columns"
                )
            yield _parse_row([cells[column].strip() for column in columns])
        except ValueError as error:
            raise SourceError(
                f"{path}, line {line}: {error}. {_GET_FILE}"
            ) from None


def _parse_row(cells: list[str]) -> tuple[str, list[int]]:
    usage, *votes = cells
    if usage not in SPLIT_OF_USAGE:
        raise ValueError(f"`Usage` is {usage[:40]!r}")
    if not all(vote.isascii() and vote.isdigit() for vote in votes):
        raise ValueError(f"votes must be whole numbers, not {votes}")
    counts = [int(vote[:9]) for vote in votes]
    if not 1 <= sum(counts) <= _MAX_VOTES:
        raise ValueError(
            f"a face has 1 to {_MAX_VOTES} votes, not {sum(counts)}"
        )
    return SPLIT_OF_USAGE[usage], counts

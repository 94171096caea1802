"""First step of building AffectNet: annotations into one file per shard.

Runs in one process and reads no picture. Rows go from the source to a file,
and from there to bucket files by a hash of their ids, so that memory does not
grow with their number; a bucket holds what one shard will hold. Sorted by the
same hash, the buckets are one full shuffle that is the same on every machine.
"""

import csv
import hashlib
import heapq
import json
from collections.abc import Iterable
from collections.abc import Iterator
from pathlib import Path

from fer_tfds.sources.affectnet.records import Annotation
from fer_tfds.sources.affectnet.records import Box
from fer_tfds.sources.affectnet.records import Reject
from fer_tfds.sources.affectnet.records import Source

# As 96x96 JPEG these are about 10 MB, as 224x224 about 60 MB.
ROWS_PER_SHARD = 2_000

# Rows that wait in memory before they are written to their buckets.
_MAX_WAITING_BYTES = 8 << 20

_REJECTS_FILE = "rejects_of_rows.csv"


def spool_rows(source: Source, folder: Path) -> dict[str, int]:
    """Writes all annotations to a file per split, rejects to one of their own.

    Args:
        source: the copy.
        folder: where to write; for `read_rejects` and `fill_buckets`.

    Returns:
        Split name -> number of annotations, in the order of their coming.
    """
    counts: dict[str, int] = {}
    files = {}
    try:
        with (folder / _REJECTS_FILE).open("w", newline="") as rejects_file:
            rejects = csv.writer(rejects_file)
            for row in source.annotations():
                if isinstance(row, Reject):
                    rejects.writerow([ascii_only(cell) for cell in row])
                    continue
                if row.split not in files:
                    files[row.split] = _spool(folder, row.split).open("wb")
                files[row.split].write(_to_line(row))
                counts[row.split] = counts.get(row.split, 0) + 1
    finally:
        for file in files.values():
            file.close()
    return counts


def read_rejects(folder: Path) -> Iterator[Reject]:
    """Yields what `spool_rows` has rejected; none when it has not run."""
    with (folder / _REJECTS_FILE).open(newline="") as file:
        for cells in csv.reader(file):
            yield Reject(*cells)


def read_spread(folder: Path, split: str, number: int) -> list[Annotation]:
    """Reads up to `number` rows of a split that lie evenly over its file."""
    path = _spool(folder, split)
    size = path.stat().st_size
    lines = []
    with path.open("rb") as file:
        for index in range(number):
            file.seek(max(size * index // number - 1, 0))
            if index:
                file.readline()  # the rest of the row before
            lines.append(file.readline())
    return [_from_line(line) for line in dict.fromkeys(lines) if line]


def fill_buckets(
    folder: Path, split: str, num_buckets: int, *, max_rows: int | None
) -> None:
    """Distributes the rows of a split over its buckets.

    Args:
        folder: that of `spool_rows`.
        split: one of its splits.
        num_buckets: how many; a bucket may stay empty.
        max_rows: take only so many rows, those with the smallest hashes: a
            random sample, the same each time. None takes all.
    """
    waiting: dict[int, list[bytes]] = {}
    num_bytes = 0
    with _spool(folder, split).open("rb") as lines:
        for line in _sample(lines, max_rows):
            index = int(_hash(_from_line(line)), 16) % num_buckets
            waiting.setdefault(index, []).append(line)
            num_bytes += len(line)
            if num_bytes > _MAX_WAITING_BYTES:
                _append(folder, split, waiting)
                waiting, num_bytes = {}, 0
    _append(folder, split, waiting)
    _spool(folder, split).unlink()


def read_bucket(folder: Path, split: str, index: int) -> list[Annotation]:
    """Reads a bucket, ordered by hash; rows of one id in their old order."""
    path = _bucket(folder, split, index)
    if not path.exists():
        return []
    with path.open("rb") as lines:
        return sorted(map(_from_line, lines), key=_hash)


def ascii_only(text: str) -> str:
    """Text that any file can hold: names may come in bytes that are no text."""
    return text if text.isprintable() else ascii(text)


def _sample(lines: Iterable[bytes], max_rows: int | None) -> Iterable[bytes]:
    if max_rows is None:
        return lines
    return heapq.nsmallest(
        max_rows, lines, key=lambda line: _hash(_from_line(line))
    )


def _append(folder: Path, split: str, lines: dict[int, list[bytes]]) -> None:
    for index, rows in lines.items():
        with _bucket(folder, split, index).open("ab") as file:
            file.writelines(rows)


def _hash(row: Annotation) -> str:
    return hashlib.blake2b(row.id.encode(), digest_size=8).hexdigest()


def _to_line(row: Annotation) -> bytes:
    return json.dumps(row).encode() + b"\n"


def _from_line(line: bytes) -> Annotation:
    row = Annotation(*json.loads(line))
    return row if row.box is None else row._replace(box=Box(*row.box))


def _spool(folder: Path, split: str) -> Path:
    return folder / f"{split}.rows"


def _bucket(folder: Path, split: str, index: int) -> Path:
    return folder / f"{split}-{index:05d}.bucket"

"""Which rows of AffectNet gave no example, why, and whether that is too many.

Counts while it lists: rejects go straight to a file, since there may be as
many as rows.
"""

import collections
import csv
from collections.abc import Iterable
from pathlib import Path

from fer_tfds import labels
from fer_tfds.affectnet import buckets
from fer_tfds.sources.affectnet import settings as affectnet_settings
from fer_tfds.sources.affectnet.records import Reason
from fer_tfds.sources.affectnet.records import Reject
from fer_tfds.sources.affectnet.settings import CopySettings
from fer_tfds.sources.records import SPLITS
from fer_tfds.sources.records import SourceError

REJECTS_FILE = "rejects.csv"
COLUMNS = ("split", "id", "reason", "detail")

_MAX_SHOWN = 5


class Tally:
    """Counts rejects by split and reason."""

    def __init__(self):
        self.counts: collections.Counter = collections.Counter()
        self.first: list[Reject] = []

    def add(self, reject: Reject) -> None:
        """Counts one."""
        self.counts[reject.split, reject.reason] += 1
        if is_damage(reject) and len(self.first) < _MAX_SHOWN:
            self.first.append(reject)

    def without(self, other: "Tally") -> "Tally":
        """The same less what `other`, a part of it, has counted."""
        rest = Tally()
        rest.counts = self.counts - other.counts
        rest.first = [r for r in self.first if r not in other.first]
        return rest

    @property
    def num_rejects(self) -> int:
        """All of them."""
        return self.counts.total()

    @property
    def num_damaged(self) -> int:
        """All but those that rightly show no face."""
        return sum(
            count
            for (_, reason), count in self.counts.items()
            if reason != Reason.NO_FACE
        )

    def describe(self) -> str:
        """A table of reasons and splits; empty when nothing was rejected."""
        found = {split for split, _ in self.counts}
        splits = [split for split in SPLITS if split in found]
        lines = ["  rows skipped      " + "".join(f"{s:>12}" for s in splits)]
        for reason in Reason:
            row = [self.counts[split, reason] for split in splits]
            if any(row):
                cells = "".join(f"{count:>12,}" for count in row)
                lines.append(f"  {reason:<18}{cells}")
        return "\n".join(lines) if splits else ""

    def describe_first(self) -> str:
        """Some damaged rows, one a line."""
        return "\n".join(
            f"  {r.split} {r.id}: {r.reason} {r.detail}".rstrip()
            for r in self.first
        )


def is_damage(reject: Reject) -> bool:
    """Whether the row should have given an example."""
    return reject.reason != Reason.NO_FACE


def write_list(path: Path, rejects: Iterable[Reject]) -> Tally:
    """Writes all rejects as CSV and counts them."""
    tally = Tally()
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for reject in rejects:
            tally.add(reject)
            writer.writerow(map(buckets.ascii_only, reject))
    return tally


def check_fraction(
    tally: Tally, num_rows: int, max_fraction: float, *, where: str
) -> None:
    """Compares the damage with what is allowed.

    Args:
        tally: of all rejects so far.
        num_rows: of how many rows, rejects and all.
        max_fraction: 0 to 1.
        where: what is built, for the error.

    Raises:
        SourceError: there is more; shows counts and the first damaged rows.
    """
    if tally.num_damaged <= max_fraction * num_rows:
        return
    share = 100 * tally.num_damaged / num_rows
    raise SourceError(
        f"{where}: {tally.num_damaged:,} of {num_rows:,} rows ({share:.1f}%) "
        f"cannot be used, and at most {100 * max_fraction:g}% may be.\n"
        f"{tally.describe()}\nThe first of them:\n{tally.describe_first()}\n"
        "Get what is missing and build again. If this copy is meant to be "
        f"like that, say so in a file {affectnet_settings.FILE_NAME} beside "
        'the data: {"max_rejected_fraction": '
        f"{min(1.0, round(share / 100 + 0.01, 2))}" + "}"
    )


def check_counts(
    found: dict[str, list[int]], settings: CopySettings, where: str
) -> str:
    """Compares the examples of each split and class with what is expected.

    Args:
        found: split name -> number of examples of each native label id.
        settings: expects something, or nothing.
        where: what is built, for the error.

    Returns:
        A table of the counts, to be shown.

    Raises:
        SourceError: any count differs, or there is no example at all.
    """
    if not any(map(sum, found.values())):
        raise SourceError(
            f"{where}: not one row gives an example. Get another copy of the "
            "data, and build again."
        )
    expected = settings.expected_counts
    if expected is None or expected == found:
        return _format_table(found)
    raise SourceError(
        f"{where}: the number of examples is not what "
        f"{affectnet_settings.FILE_NAME} expects.\n"
        f"Expected:\n{_format_table(expected)}\nFound:\n{_format_table(found)}\n"
        "Correct `expected_counts` there, or get the complete data."
    )


def _format_table(counts: dict[str, list[int]]) -> str:
    counts = {split: counts[split] for split in SPLITS if split in counts}
    header = "".join(f"{split:>12}" for split in counts)
    lines = [f"  examples    {header}"]
    names = (*labels.native_names("affectnet"), "all")
    columns = [[*row, sum(row)] for row in counts.values()]
    for name, row in zip(names, zip(*columns, strict=True), strict=True):
        cells = "".join(f"{count:>12,}" for count in row)
        if any(row):
            lines.append(f"  {name:<12}{cells}")
    return "\n".join(lines)

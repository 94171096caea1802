"""The Kaggle copy of AffectNet with `labels.csv` beside the class folders.

The table (`,pth,label,relFCs`) and the folder in which a picture lies disagree
on some pictures. The table is the better one, so it decides; how often they
disagree is counted.
"""

import csv
import dataclasses
import functools
import io
from collections.abc import Iterator
from pathlib import Path

from fer_tfds.sources.affectnet import records as records
from fer_tfds.sources.affectnet.records import Annotation
from fer_tfds.sources.affectnet.records import Reason
from fer_tfds.sources.affectnet.records import Reject
from fer_tfds.sources.affectnet.records import Rejected
from fer_tfds.sources.archives import file_trees
from fer_tfds.sources.dialects import split_header
from fer_tfds.sources.records import SourceError

COLUMNS = ("", "pth", "label", "relFCs")
_PATH, _LABEL = "pth", "label"

# The copy has 29,042 rows of about 50 characters.
_MAX_ROWS = 1_000_000
_MAX_LINE_CHARS = 4096


@dataclasses.dataclass(frozen=True)
class LabelTable(records.Source):
    """A copy with all labels in one table, and a single split `train`.

    Attributes:
        table: the table's name inside `path`.
    """

    table: str

    def annotations(self) -> Iterator[Annotation | Reject]:
        """Rows of the table, and how they compare with the folders."""
        with file_trees.open_tree(self.path) as tree:
            names = {n for n in tree.names() if records.is_image(n)}
            num_used, num_disagreeing = 0, 0
            for where, row in _read_rows(tree, self.table):
                item = _make_row(row, where, self.prefix, names=names)
                if isinstance(item, Annotation):
                    num_used += 1
                    num_disagreeing += _disagrees(item)
                yield item
        print(
            f"{self.path}: the folder is another class than the table says "
            f"for {num_disagreeing:,} of {num_used:,} pictures; the table "
            f"decides. {len(names) - num_used:,} pictures are not in the "
            "table and not used.",
            flush=True,
        )


def looks_like_table(head: bytes) -> bool:
    """Whether a file that begins with `head` is such a table."""
    line = (head.splitlines() or [b""])[0].decode("utf-8-sig", "replace")
    return {_PATH, _LABEL} <= set(split_header(line)[0])


def make_source(path: Path, table: str) -> LabelTable:
    """A copy in a folder or archive `path`, with the table's name in it."""
    prefix = table.rsplit("/", 1)[0] + "/" if "/" in table else ""
    return LabelTable(
        path=path,
        form="class folders with labels.csv; a single split, train",
        prefix=prefix,
        table=table,
    )


def _read_rows(
    tree: file_trees.FileTree, table: str
) -> Iterator[tuple[str, dict[str, str]]]:
    """Yields which line it is, and its cells; one row is in memory."""
    with tree.open(table) as stream:
        text = io.TextIOWrapper(stream, "utf-8-sig", "replace")
        # What is cut off here becomes a row of its own, which is malformed.
        lines = iter(functools.partial(text.readline, _MAX_LINE_CHARS), "")
        header, separator = split_header(next(lines, ""))
        rows = csv.DictReader(lines, header, delimiter=separator)
        try:
            for number, row in enumerate(rows):
                if number == _MAX_ROWS:
                    raise csv.Error(f"more than {_MAX_ROWS:,} rows")
                yield f"{table} line {rows.line_num + 1}", row
        except csv.Error as error:
            raise SourceError(
                f"{tree.where(table)}, line {rows.line_num + 1}: {error}. "
                "Get the file again, and build again."
            ) from None


def _make_row(
    row: dict[str, str], where: str, prefix: str, *, names: set[str]
) -> Annotation | Reject:
    try:
        path = records.parse_path(row[_PATH] or "")
        where = f"{path} ({where})"
        label = records.parse_class(row[_LABEL] or "")
        if label == records.NO_FACE:
            raise Rejected(Reason.NO_FACE)
        if prefix + path not in names:
            raise Rejected(Reason.MISSING_IMAGE)
        return Annotation(split="train", id=path, image=path, label=label)
    except Rejected as error:
        return Reject("train", where, error.reason, error.detail)


def _disagrees(annotation: Annotation) -> bool:
    """Whether the picture lies in the folder of another class."""
    folders = annotation.image.split("/")[:-1]
    try:
        return records.parse_class(folders[-1]) != annotation.label
    except (Rejected, IndexError):
        return False

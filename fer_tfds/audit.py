"""What is wrong with FER-2013 or your own pictures: leaks, repeats, labels.

Reads the raw data in any of its forms (`--data` says of what), prints a report
and, with `--out`, writes it as `audit.txt` beside `contact_sheet.png`, which
shows the images in question. Those are real people: keep the sheet to yourself.

Command: python -m fer_tfds.audit --manual_dir=DIR --out=DIR
"""

import argparse
import itertools
import sys
from pathlib import Path

import numpy as np

from fer_tfds import cleaning
from fer_tfds import contact_sheet
from fer_tfds import labels
from fer_tfds.image_folder import audited
from fer_tfds.sources.fer2013 import ferplus
from fer_tfds.sources.fer2013 import find
from fer_tfds.sources.records import FaceRecords
from fer_tfds.sources.records import SourceError

_NAMES = labels.class_names("fer2013")
_DEFAULT_DIR = Path("~/tensorflow_datasets/downloads/manual")


def count_repeats(records: FaceRecords) -> dict[str, int]:
    """Counts identical and constant images.

    Args:
        records: all faces.

    Returns:
        Description -> count, in the order in which a reader wants them.
    """
    groups = cleaning.find_groups(records.images)
    sizes = np.bincount(groups)
    splits = np.array(records.splits)
    present = list(dict.fromkeys(records.splits))
    homes = {name: set(groups[splits == name].tolist()) for name in present}
    conflicting = cleaning.has_conflict(groups, records.labels)
    figures = {
        "images": len(groups),
        "distinct images": len(sizes),
        "groups of identical images": int((sizes > 1).sum()),
        "images in such groups": int(sizes[sizes > 1].sum()),
        "groups in more than one split": _count_shared(homes),
        "groups with conflicting labels": len(set(groups[conflicting])),
        "images in conflicting groups": int(conflicting.sum()),
        "images of one constant grey": int(
            cleaning.is_constant(records.images).sum()
        ),
    }
    for one, other in itertools.combinations(present, 2):
        shared = homes[one] & homes[other]
        figures[f"groups in both {one} and {other}"] = len(shared)
        figures[f"{other} images that stand in {one}"] = int(
            np.isin(groups[splits == other], list(shared)).sum()
        )
    return figures


def _count_shared(homes: dict[str, set[int]]) -> int:
    return sum(
        sum(group in home for home in homes.values()) > 1
        for group in set().union(*homes.values())
    )


def agreement_with_votes(
    records: FaceRecords, votes: ferplus.Votes
) -> np.ndarray:
    """How the ten voters of FER+ see the faces of each FER-2013 class.

    Returns:
        int64 [7, 10]: rows are FER-2013 labels, columns `ferplus.NAMES`.
    """
    table = np.zeros((len(_NAMES), len(ferplus.NAMES)), np.int64)
    np.add.at(table, (records.labels, votes.labels), 1)
    return table


def same_expression() -> np.ndarray:
    """Which cells of `agreement_with_votes` are agreement: bool [7, 10]."""
    return np.array(
        [
            [
                index < 7 and labels.canonical_name(name) == own
                for index, name in enumerate(ferplus.NAMES)
            ]
            for own in _NAMES
        ]
    )


def make_report(records: FaceRecords, votes: ferplus.Votes | None) -> str:
    """The report as text, one figure a line, tables aligned.

    Args:
        records: all faces.
        votes: the FER+ votes on them, or None to leave that part out.
    """
    parts = [
        _format_figures("Identical images", count_repeats(records)),
        _format_cleaning(records),
    ]
    if votes is not None:
        parts.append(_format_votes(agreement_with_votes(records, votes)))
    return "\n\n".join(parts) + "\n"


def _format_figures(title: str, figures: dict[str, int]) -> str:
    return "\n".join(
        [title, *(f"{count:>9,}  {what}" for what, count in figures.items())]
    )


def _format_cleaning(records: FaceRecords) -> str:
    lines = ["What the configuration `clean` leaves out"]
    for name, split in cleaning.clean(records).items():
        lines.append(f"  {name}: {len(split.kept):,} images kept")
        for rule, removed in split.removed.items():
            lines.append(f"{len(removed):>9,}  {rule}")
    return "\n".join(lines)


def _format_votes(table: np.ndarray) -> str:
    agreed = (table * same_expression()).sum(axis=1)
    lines = [
        "How FER+ (majority of ten voters) sees each FER-2013 class",
        " " * 10
        + "".join(f"{name:>10}" for name in ferplus.NAMES)
        + "      same",
    ]
    for name, row, same in zip(_NAMES, table, agreed, strict=True):
        cells = "".join(f"{count:>10,}" for count in row)
        lines.append(f"  {name:<8}{cells}{same / max(row.sum(), 1):>10.1%}")
    lines.append(
        f"{agreed.sum():>9,}  of {table.sum():,} labels agree with the "
        f"majority ({agreed.sum() / table.sum():.1%})"
    )
    return "\n".join(lines)


def _parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m fer_tfds.audit",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--data",
        choices=("fer2013", "image_folder"),
        default="fer2013",
        help="what the raw data is (default: %(default)s)",
    )
    parser.add_argument(
        "--manual_dir",
        type=Path,
        default=_DEFAULT_DIR,
        help="folder with the raw data, or one file (default: %(default)s); "
        "with fer2013new.csv in it, labels are compared with FER+",
    )
    parser.add_argument(
        "--out", type=Path, help="folder for audit.txt and contact_sheet.png"
    )
    return parser.parse_args(arguments)


def _read_fer2013(
    manual_dir: Path,
) -> tuple[FaceRecords, ferplus.Votes | None, str]:
    """Faces, votes if there are any, and the report."""
    records = find.find_source(manual_dir).read()
    votes = None
    if ferplus.has_votes(manual_dir):
        votes = ferplus.read_votes(manual_dir, records)
    return records, votes, make_report(records, votes)


def _read_pictures(manual_dir: Path) -> tuple[FaceRecords, None, str]:
    records, said = audited.read(manual_dir)
    figures = _format_figures("Identical images", count_repeats(records))
    return records, None, f"{figures}\n\n{said}\n"


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    options = _parse_arguments(arguments)
    try:
        manual_dir = options.manual_dir.expanduser()
        read = _read_pictures
        if options.data == "fer2013":
            read = _read_fer2013
        records, votes, report = read(manual_dir)
        print(report, end="")
        if options.out is not None:
            options.out.mkdir(parents=True, exist_ok=True)
            (options.out / "audit.txt").write_text(report)
            sheet = options.out / "contact_sheet.png"
            contact_sheet.write(sheet, records, votes)
            print(f"\nWrote {options.out / 'audit.txt'} and {sheet}")
    except (OSError, SourceError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped by SIGINT: what was asked is not done", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

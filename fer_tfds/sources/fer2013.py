"""FER-2013 in any of the forms in which people have it.

Forms are recognised by what files hold, never by what they are called. To add
one, write its reader beside this file and add it to `_find_all` (a folder) or
`_find_in_file`. How many faces there must be is said here too.
"""

import dataclasses
import json
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

from fer_tfds import labels
from fer_tfds.sources import archives
from fer_tfds.sources import class_folders
from fer_tfds.sources import csv_rows
from fer_tfds.sources.records import SPLITS
from fer_tfds.sources.records import FaceRecords
from fer_tfds.sources.records import SourceError
from fer_tfds.sources.records import count_classes

# Counted in the challenge's fer2013.csv (ICML 2013; md5 of the CSV file
# f8428a1edbd21e88f42c73edd2a14f95), one number per label id.
OFFICIAL_COUNTS: dict[str, list[int]] = {
    "train": [3995, 436, 4097, 7215, 4830, 3171, 4965],
    "validation": [467, 56, 496, 895, 653, 415, 607],
    "test": [491, 55, 528, 879, 594, 416, 626],
}

# Beside the raw data: counts of a set that is meant to differ.
EXPECTED_COUNTS_FILE = "expected_counts.json"

_ACCEPTED_FORMS = """\
  fer2013.tar.gz   the challenge archive, as it was handed out; or
  fer2013.csv      the file inside it (columns emotion,pixels,Usage); or
  train/ and test/ the Kaggle folders, one folder per class in each"""

_HEAD_BYTES = 4096
_MAX_NAMES_LISTED = 8


@dataclasses.dataclass(frozen=True)
class Source:
    """Raw data that was found but not read yet.

    Attributes:
        form: what it is, in words.
        path: the file or folder.
        read: reads and checks all of it; raises `SourceError`.
    """

    form: str
    path: Path
    read: Callable[[], FaceRecords]


def find_source(manual_dir: Path) -> Source:
    """Finds the one copy of FER-2013 in a folder or directly below it.

    Args:
        manual_dir: the folder in which the user has put the raw data.

    Returns:
        The copy, not read yet.

    Raises:
        SourceError: the folder is absent, or it holds no copy or several.
    """
    if not manual_dir.is_dir():
        raise SourceError(
            f"{manual_dir}: there is no such folder. {_what_to_put(manual_dir)}"
        )
    sources = list(_find_all(manual_dir))
    if not sources:
        raise SourceError(
            f"{manual_dir}: no copy of FER-2013 in here. Found: "
            f"{_list_names(manual_dir)}. {_what_to_put(manual_dir)}"
        )
    if len(sources) > 1:
        found = "\n".join(f"  {s.path} ({s.form})" for s in sources)
        raise SourceError(
            f"{manual_dir}: several copies of FER-2013 in here:\n{found}\n"
            "Keep one of them, move the others elsewhere, and build again."
        )
    return sources[0]


def load_expected_counts(manual_dir: Path) -> tuple[dict[str, list[int]], str]:
    """The counts that the raw data must have, and where they come from.

    Args:
        manual_dir: the folder with the raw data. Counts in a file
            `expected_counts.json` there come before the official ones.

    Returns:
        Split name -> one count for each label id, and a name for the origin.

    Raises:
        SourceError: the file does not have the form it must have.
    """
    path = manual_dir / EXPECTED_COUNTS_FILE
    if not path.exists():
        return OFFICIAL_COUNTS, "the official counts of the challenge"
    try:
        counts = json.loads(path.read_text())
    except ValueError as error:
        raise SourceError(f"{path}: not JSON ({error}). {_form()}") from None
    if not _are_counts(counts):
        raise SourceError(f"{path}: not as expected. {_form()}")
    return counts, str(path)


def check_counts(
    records: FaceRecords, expected: dict[str, list[int]], origin: str
) -> str:
    """Compares the faces of each split and class with what must be there.

    Args:
        records: all faces.
        expected: split name -> one count for each label id.
        origin: where `expected` comes from, for the error.

    Returns:
        A table of the counts, to be shown.

    Raises:
        SourceError: any count differs; shows expected and found ones.
    """
    names = labels.class_names("fer2013")
    found = count_classes(records, len(names))
    if found == expected:
        return _format_table(names, found)
    raise SourceError(
        f"The number of faces is not that of {origin}.\n"
        f"Expected:\n{_format_table(names, expected)}\n"
        f"Found:\n{_format_table(names, found)}\n"
        "Get the complete file and build again. If this is meant to be "
        f"another set of faces, put a file {EXPECTED_COUNTS_FILE} beside the "
        f"raw data: {json.dumps(found)}"
    )


def _find_all(manual_dir: Path) -> Iterator[Source]:
    """Looks in the folder and, for people who unpacked one, a level deeper."""
    for entry in [manual_dir, *sorted(manual_dir.iterdir())]:
        if entry.is_file():
            yield from _find_in_file(entry)
        elif class_folders.looks_like_faces(entry):
            yield _folder_source(entry)
        elif entry != manual_dir and entry.is_dir() and not _is_hidden(entry):
            for path in sorted(entry.iterdir()):
                if path.is_file():
                    yield from _find_in_file(path)


def _folder_source(folder: Path) -> Source:
    return Source(
        form="class folders with pictures",
        path=folder,
        read=lambda: class_folders.read_faces(folder),
    )


def _find_in_file(path: Path) -> Iterator[Source]:
    if _is_hidden(path):
        return
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if csv_rows.looks_like_faces(head):
        yield Source("CSV file", path, lambda: _read_csv(path))
    elif archives.is_tar(path) and archives.has_member(
        path, csv_rows.looks_like_faces
    ):
        yield Source("tar archive", path, lambda: _read_archive(path))


def _is_hidden(path: Path) -> bool:
    return path.name.startswith(".")


def _read_csv(path: Path) -> FaceRecords:
    with path.open("rb") as stream:
        return csv_rows.read_faces(stream, str(path))


def _read_archive(path: Path) -> FaceRecords:
    with archives.open_member(path, csv_rows.looks_like_faces) as member:
        return csv_rows.read_faces(member.stream, f"{path} ({member.name})")


def _list_names(folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir())
    more = len(names) - _MAX_NAMES_LISTED
    listed = ", ".join(names[:_MAX_NAMES_LISTED]) or "nothing"
    return f"{listed} and {more} more" if more > 0 else listed


def _what_to_put(manual_dir: Path) -> str:
    return (
        f"Put one of these into {manual_dir}, or give the folder that has it "
        f"as --manual_dir, and build again:\n{_ACCEPTED_FORMS}"
    )


def _form() -> str:
    return (
        "It must hold one count for each class, in the official order, like "
        f"this: {json.dumps(OFFICIAL_COUNTS)}. Correct or remove the file."
    )


def _are_counts(counts: object) -> bool:
    num_classes = len(labels.class_names("fer2013"))
    return (
        isinstance(counts, dict)
        and sorted(counts) == sorted(SPLITS)
        and all(
            isinstance(row, list)
            and len(row) == num_classes
            and all(type(count) is int and count >= 0 for count in row)
            for row in counts.values()
        )
    )


def _format_table(names: tuple[str, ...], counts: dict[str, list[int]]) -> str:
    lines = ["  split      " + "".join(f"{n:>9}" for n in (*names, "all"))]
    for split in SPLITS:
        row = [*counts[split], sum(counts[split])]
        lines.append(f"  {split:<11}" + "".join(f"{n:>9,}" for n in row))
    return "\n".join(lines)

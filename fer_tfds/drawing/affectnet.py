"""Drawn faces in every raw layout in which AffectNet comes.

For tests, the quickstart and measurements: AffectNet itself may not be shipped
or sampled. What is written says in `affectnet.json` that it is drawn, and how
many examples a build must give; real data is never overwritten.
"""

import io
import json
import math
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

from fer_tfds import labels
from fer_tfds.drawing import affectnet_files
from fer_tfds.drawing.affectnet_files import Files
from fer_tfds.sources.affectnet import arrays
from fer_tfds.sources.affectnet.records import NO_FACE
from fer_tfds.sources.affectnet.settings import FILE_NAME
from fer_tfds.sources.records import SPLITS

Counts = dict[str, list[int]]

# What marks a folder as ours: real data is never overwritten.
NOTE = "Drawn faces, not AffectNet."

_NUM_EXPRESSIONS = len(labels.class_names("affectnet"))
_NUM_LABELS = len(labels.native_names("affectnet"))
_ZIP_FILE = "archive.zip"
# All that the layouts write into their folder.
_OURS = (
    FILE_NAME,
    _ZIP_FILE,
    "labels.csv",
    affectnet_files.IMAGES_FOLDER,
    *affectnet_files.TABLES.values(),
    *affectnet_files.FOLDER_OF_SPLIT.values(),
    *affectnet_files.CLASS_FOLDERS,
    *arrays.SPLIT_OF_FOLDER,
)
_ZIP_DATE = (2020, 1, 1, 0, 0, 0)  # any: the same seed gives the same bytes


def write_full(
    directory: Path,
    counts: Counts,
    seed: int,
    *,
    overwrite: bool = False,
    broken_fraction: float = 0.0,
) -> None:
    """Writes two CSV files and photographs of mixed sizes.

    The validation file has no header, as in the release.

    Args:
        directory: the folder to write to; made when it is absent.
        counts: split name -> how many of each label id; 11 counts, or 8, to
            which one in twenty is added of each label that is no expression.
            Splits that a layout does not have are left out.
        seed: decides on all faces.
        overwrite: replace what was drawn there before.
        broken_fraction: share of rows that are added with something wrong, of
            each kind that a reader must survive.

    Raises:
        ValueError: something exists that may not be replaced, or `counts` has
            not the right form.
    """
    counts = {
        s: _complete(row)
        for s, row in counts.items()
        if s in affectnet_files.TABLES
    }
    expected = {
        split: [*row[:NO_FACE], 0] for split, row in counts.items() if sum(row)
    }
    _write_folder(
        directory,
        affectnet_files.full_files(_items(counts, seed), seed, broken_fraction),
        {"expected_counts": expected},
        overwrite,
    )


def write_affectnet8(
    directory: Path, counts: Counts, seed: int, *, overwrite: bool = False
) -> None:
    """Writes cropped faces with annotations as .npy files.

    Arguments and errors are those of `write_full`.
    """
    splits = arrays.SPLIT_OF_FOLDER
    counts = _expressions(counts, tuple(splits.values()))
    files = affectnet_files.array_files(_items(counts, seed), seed)
    _write_folder(directory, files, _expect(counts), overwrite)


def write_kaggle_csv(
    directory: Path, counts: Counts, seed: int, *, overwrite: bool = False
) -> None:
    """Writes `labels.csv` and class folders, which disagree now and then.

    Arguments and errors are those of `write_full`.
    """
    counts = _expressions(counts, ("train",))
    files = affectnet_files.table_files(_items(counts, seed), seed)
    _write_folder(directory, files, _expect(counts), overwrite)


def write_class_folders(
    directory: Path, counts: Counts, seed: int, *, overwrite: bool = False
) -> None:
    """Writes `train`, `val` and `test` with a folder for each class.

    Arguments and errors are those of `write_full`.
    """
    counts = _expressions(counts, SPLITS)
    files = affectnet_files.folder_files(
        _items(counts, seed), seed, affectnet_files.CLASS_FOLDERS
    )
    _write_folder(directory, files, _expect(counts), overwrite)


def write_numbered_folders(
    directory: Path, counts: Counts, seed: int, *, overwrite: bool = False
) -> None:
    """Writes class folders called by places in the alphabet, and the map.

    Arguments and errors are those of `write_full`.
    """
    counts = _expressions(counts, SPLITS)
    in_order = sorted(affectnet_files.CLASS_FOLDERS)
    numbers = [
        str(in_order.index(name)) for name in affectnet_files.CLASS_FOLDERS
    ]
    meaning = {"class_names": dict(enumerate(in_order))}
    files = affectnet_files.folder_files(_items(counts, seed), seed, numbers)
    _write_folder(directory, files, {**_expect(counts), **meaning}, overwrite)


def write_class_folders_zip(
    directory: Path, counts: Counts, seed: int, *, overwrite: bool = False
) -> None:
    """Writes the class folders as `archive.zip`, below one more folder.

    Arguments and errors are those of `write_full`.
    """
    counts = _expressions(counts, SPLITS)
    files = affectnet_files.folder_files(
        _items(counts, seed), seed, affectnet_files.CLASS_FOLDERS
    )
    _write_folder(directory, _zip(files), _expect(counts), overwrite)


def write_kaggle_csv_zip(
    directory: Path, counts: Counts, seed: int, *, overwrite: bool = False
) -> None:
    """Writes the class folders with `labels.csv` as `archive.zip`.

    Arguments and errors are those of `write_full`.
    """
    counts = _expressions(counts, ("train",))
    files = _zip(affectnet_files.table_files(_items(counts, seed), seed))
    _write_folder(directory, files, _expect(counts), overwrite)


LAYOUTS: dict[str, Callable[..., None]] = {
    "full": write_full,
    "affectnet8": write_affectnet8,
    "kaggle_csv": write_kaggle_csv,
    "kaggle_csv_zip": write_kaggle_csv_zip,
    "class_folders": write_class_folders,
    "class_folders_zip": write_class_folders_zip,
    "numbered_folders": write_numbered_folders,
}


def _complete(row: list[int]) -> list[int]:
    _check(row)
    extra = math.ceil(sum(row) / 20)
    return list(row) + [extra] * (_NUM_LABELS - len(row))


def _expressions(counts: Counts, splits: tuple[str, ...]) -> Counts:
    """What a layout without the last three labels has of the counts."""
    for row in counts.values():
        _check(row)
    return {
        s: list(counts[s][:_NUM_EXPRESSIONS]) for s in splits if s in counts
    }


def _check(row: list[int]) -> None:
    if len(row) not in (_NUM_EXPRESSIONS, _NUM_LABELS) or min(row) < 0:
        raise ValueError(
            f"`counts` must give {_NUM_EXPRESSIONS} or {_NUM_LABELS} counts "
            f"for a split, by official label id. Received: {row!r}."
        )


def _expect(counts: Counts) -> dict[str, Counts]:
    others = [0] * (_NUM_LABELS - _NUM_EXPRESSIONS)
    return {
        "expected_counts": {
            split: row + others for split, row in counts.items() if sum(row)
        }
    }


def _items(counts: Counts, seed: int) -> list[affectnet_files.Item]:
    return affectnet_files.list_items(counts, seed)


def _zip(files: Files) -> Files:
    """Packs all files into one archive, below one more folder."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files:
            info = zipfile.ZipInfo(f"archive/AffectNet/{name}", _ZIP_DATE)
            archive.writestr(info, content)
    yield _ZIP_FILE, buffer.getvalue()


def _write_folder(
    directory: Path, files: Files, settings: dict, overwrite: bool
) -> None:
    """Writes the settings first: they mark what comes after as drawn."""
    directory = Path(directory)
    _make_way(directory, overwrite)
    content = json.dumps({"note": NOTE, **settings}) + "\n"
    (directory / FILE_NAME).write_text(content)
    folders = set()
    for name, data in files:
        path = directory / name
        if path.parent not in folders:
            path.parent.mkdir(parents=True, exist_ok=True)
            folders.add(path.parent)
        path.write_bytes(data)


def _make_way(directory: Path, overwrite: bool) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    there = [directory / n for n in _OURS if (directory / n).exists()]
    if there and not overwrite:
        raise ValueError(
            f"{there[0]} exists already. Choose another folder, or overwrite "
            "it with --overwrite (in Python `overwrite=True`)."
        )
    mark = directory / FILE_NAME
    # Nobody's real data may fall to a mistyped folder.
    if there and (not mark.is_file() or NOTE not in mark.read_text()):
        raise ValueError(
            f"{directory} may be real data: no {FILE_NAME} in it says that it "
            "was drawn. Choose another folder."
        )
    for path in there:
        shutil.rmtree(path) if path.is_dir() else path.unlink()

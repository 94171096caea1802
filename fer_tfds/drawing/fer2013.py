"""Drawn faces on disk, in every raw layout in which FER-2013 comes.

The files hold what the real ones hold, under the same names. The counts file
written beside them keeps a builder from taking drawn faces for real ones; real
data is never overwritten.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fer_tfds.drawing import fer2013_files
from fer_tfds.drawing.fer2013_files import Counts
from fer_tfds.drawing.fer2013_files import Files
from fer_tfds.drawing.fer2013_files import draw_records
from fer_tfds.sources.fer2013.find import EXPECTED_COUNTS_FILE
from fer_tfds.sources.records import SPLITS

# Columns of icml_face_data.csv, with the blanks that its header has.
_ICML_COLUMNS = ("emotion", " Usage", " pixels")


def write_csv(
    directory: Path, counts: Counts, seed: int, *, overwrite: bool = False
) -> None:
    """Writes `fer2013.csv`, and the counts beside it.

    Args:
        directory: the folder to write to; made when it is absent.
        counts: split name -> how many faces of each class, by label id.
        seed: decides on all faces; the layouts hold the same faces.
        overwrite: replace what this layout wrote before.

    Raises:
        ValueError: the file exists and `overwrite` is false, or what is there
            was not written by this module.
    """
    target = _make_way(Path(directory) / "fer2013.csv", overwrite)
    _write_file(
        target, fer2013_files.format_csv(draw_records(counts, seed)), counts
    )


def write_icml_csv(
    directory: Path, counts: Counts, seed: int, *, overwrite: bool = False
) -> None:
    """Writes `icml_face_data.csv`: other columns, blanks in the header.

    Arguments and errors are those of `write_csv`.
    """
    target = _make_way(Path(directory) / "icml_face_data.csv", overwrite)
    content = fer2013_files.format_csv(
        draw_records(counts, seed), _ICML_COLUMNS
    )
    _write_file(target, content, counts)


def write_csv_zip(
    directory: Path, counts: Counts, seed: int, *, overwrite: bool = False
) -> None:
    """Writes `archive.zip` with `fer2013.csv` in it.

    Arguments and errors are those of `write_csv`.
    """
    target = _make_way(Path(directory) / "archive.zip", overwrite)
    content = fer2013_files.format_csv(draw_records(counts, seed))
    _write_file(
        target, fer2013_files.pack_zip([("fer2013.csv", content)]), counts
    )


def write_challenge_archive(
    directory: Path, counts: Counts, seed: int, *, overwrite: bool = False
) -> None:
    """Writes `fer2013.tar.gz` as the challenge has it: one CSV file in it.

    Arguments and errors are those of `write_csv`.
    """
    target = _make_way(Path(directory) / "fer2013.tar.gz", overwrite)
    content = fer2013_files.format_csv(draw_records(counts, seed))
    _write_file(
        target, fer2013_files.pack_tar("fer2013/fer2013.csv", content), counts
    )


def write_competition_zip(
    directory: Path, counts: Counts, seed: int, *, overwrite: bool = False
) -> None:
    """Writes what Kaggle packs when all of the competition is downloaded.

    That is the challenge archive, `icml_face_data.csv` with the same faces,
    and parts of them without `Usage`. Arguments and errors are those of
    `write_csv`.
    """
    target = _make_way(Path(directory) / "competition.zip", overwrite)
    records = draw_records(counts, seed)
    rest = np.flatnonzero(np.array(records.splits) != "train").tolist()
    content = fer2013_files.pack_tar(
        "fer2013/fer2013.csv", fer2013_files.format_csv(records)
    )
    files = [
        ("example_submission.csv", b"3\n" * len(rest)),
        ("fer2013.tar.gz", content),
        (
            "icml_face_data.csv",
            fer2013_files.format_csv(records, _ICML_COLUMNS),
        ),
        ("test.csv", fer2013_files.format_csv(records.take(rest), ("pixels",))),
        (
            "train.csv",
            fer2013_files.format_csv(
                records.take(records.indices_of("train").tolist()),
                ("emotion", "pixels"),
            ),
        ),
    ]
    _write_file(target, fer2013_files.pack_zip(files), counts)


def write_class_folders(
    directory: Path, counts: Counts, seed: int, *, overwrite: bool = False
) -> None:
    """Writes `train` and `test` with a folder of JPEG files for each class.

    Arguments and errors are those of `write_csv`.
    """
    _make_way_for_folders(directory, overwrite)
    _write_files(directory, fer2013_files.jpeg_files(counts, seed), counts)


def write_class_folders_zip(
    directory: Path, counts: Counts, seed: int, *, overwrite: bool = False
) -> None:
    """Writes `archive.zip` with the JPEG class folders in it.

    Arguments and errors are those of `write_csv`.
    """
    target = _make_way(Path(directory) / "archive.zip", overwrite)
    _write_file(
        target,
        fer2013_files.pack_zip(fer2013_files.jpeg_files(counts, seed)),
        counts,
    )


def write_png_folders(
    directory: Path, counts: Counts, seed: int, *, overwrite: bool = False
) -> None:
    """Writes `train` and `test` with a folder of PNG files for each class.

    The faces of validation and test lie in `test`, without a mark. Arguments
    and errors are those of `write_csv`.
    """
    _make_way_for_folders(directory, overwrite)
    _write_files(directory, fer2013_files.png_files(counts, seed), counts)


def write_png_folders_zip(
    directory: Path, counts: Counts, seed: int, *, overwrite: bool = False
) -> None:
    """Writes `archive.zip` with the PNG class folders in it.

    Arguments and errors are those of `write_csv`.
    """
    target = _make_way(Path(directory) / "archive.zip", overwrite)
    _write_file(
        target,
        fer2013_files.pack_zip(fer2013_files.png_files(counts, seed)),
        counts,
    )


LAYOUTS: dict[str, Callable[..., None]] = {
    "archive": write_challenge_archive,
    "csv": write_csv,
    "icml_csv": write_icml_csv,
    "csv_zip": write_csv_zip,
    "folders": write_class_folders,
    "folders_zip": write_class_folders_zip,
    "png_folders": write_png_folders,
    "png_folders_zip": write_png_folders_zip,
    "competition_zip": write_competition_zip,
}


def _make_way(target: Path, overwrite: bool) -> Path:
    if target.exists() and not overwrite:
        raise ValueError(
            f"{target} exists already. Choose another folder, or overwrite it "
            "with --overwrite (in Python `overwrite=True`)."
        )
    # Nobody's real data may fall to a mistyped folder.
    if target.exists() and not (target.parent / EXPECTED_COUNTS_FILE).exists():
        raise ValueError(
            f"{target} may be real data: there is no {EXPECTED_COUNTS_FILE} "
            "beside it. Choose another folder."
        )
    if target.is_dir():
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _make_way_for_folders(directory: Path, overwrite: bool) -> None:
    for name in ("train", "test"):
        _make_way(Path(directory) / name, overwrite)


def _write_file(target: Path, content: bytes, counts: Counts) -> None:
    write_aside(target, content)
    _write_counts(target.parent, counts)


def _write_files(directory: Path, files: Files, counts: Counts) -> None:
    for name, content in files:
        path = Path(directory) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    _write_counts(Path(directory), counts)


def write_aside(target: Path, content: bytes) -> None:
    """Writes a file beside its place first: it is never seen half written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    aside.write_bytes(content)
    os.replace(aside, target)


def _write_counts(directory: Path, counts: Counts) -> None:
    ordered = {split: list(map(int, counts[split])) for split in SPLITS}
    content = json.dumps(ordered) + "\n"
    write_aside(directory / EXPECTED_COUNTS_FILE, content.encode())

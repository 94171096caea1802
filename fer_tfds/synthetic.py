"""Synthetic faces, written in every raw layout that a builder reads.

The project's only fake data: tests and the quickstart run on it, so that both
go through the same readers and builders as real data. Never mix it into real
data; the counts file that it writes keeps a builder from taking it for real.

Command: python -m fer_tfds.synthetic --out=DIR --layout=archive
"""

import argparse
import csv
import gzip
import io
import json
import os
import shutil
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from fer_tfds import drawn_faces
from fer_tfds import labels
from fer_tfds.face_camera import IMAGE_SIZE_PX
from fer_tfds.sources.csv_rows import COLUMNS
from fer_tfds.sources.csv_rows import SPLIT_OF_USAGE
from fer_tfds.sources.fer2013 import EXPECTED_COUNTS_FILE
from fer_tfds.sources.records import SPLITS
from fer_tfds.sources.records import FaceRecords

Counts = dict[str, list[int]]

# The quality at which Pillow saved the pictures of the Kaggle copies.
_JPEG_QUALITY = 95
_USAGE_OF_SPLIT = {split: usage for usage, split in SPLIT_OF_USAGE.items()}
_FOLDER_OF_SPLIT = {"train": "train", "validation": "test", "test": "test"}

# Numbers in the names of the Kaggle copies say nothing about the row.
_MAX_FILE_NUMBER = 100_000_000

_SHEET_COLUMNS = 14


def draw_faces(label_ids: np.ndarray, seed: int) -> np.ndarray:
    """Draws one face for each label.

    A face depends on the seed, its position and its label alone, not on how
    many others are drawn.

    Args:
        label_ids: int [n], FER-2013 label ids from 0 to 6.
        seed: any integer that is not negative.

    Returns:
        uint8 [n, 48, 48], grey levels 0 to 255.

    Raises:
        ValueError: a label id is out of range.
    """
    names = labels.class_names("fer2013")
    ids = np.asarray(label_ids)
    if ids.size and not 0 <= ids.min() <= ids.max() < len(names):
        raise ValueError(
            f"`label_ids` must be from 0 to {len(names) - 1}. Received: "
            f"{sorted(set(ids.tolist()))}."
        )
    size = IMAGE_SIZE_PX
    faces = np.empty((len(ids), size, size), np.uint8)
    for index, label in enumerate(ids):
        rng = np.random.default_rng((seed, index))
        faces[index] = drawn_faces.draw_face(names[label], rng)
    return faces


def draw_records(counts: Counts, seed: int) -> FaceRecords:
    """Draws the faces of all splits, classes mixed within each split.

    Args:
        counts: split name -> how many faces of each class, by label id.
        seed: any integer that is not negative.

    Returns:
        Faces in the order train, validation, test, with ids like `row_00000`.

    Raises:
        ValueError: `counts` has not the right form.
    """
    _check_counts(counts)
    rng = np.random.default_rng(seed)
    label_ids = np.concatenate(
        [
            rng.permutation(np.repeat(np.arange(len(row)), row))
            for row in (counts[split] for split in SPLITS)
        ]
    )
    return FaceRecords(
        images=draw_faces(label_ids, seed),
        labels=label_ids,
        splits=[split for split in SPLITS for _ in range(sum(counts[split]))],
        ids=[f"row_{index:05d}" for index in range(len(label_ids))],
    )


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
    records = draw_records(counts, seed)
    _write_aside(target, _format_csv(records))
    _write_counts(target.parent, counts)


def write_challenge_archive(
    directory: Path, counts: Counts, seed: int, *, overwrite: bool = False
) -> None:
    """Writes `fer2013.tar.gz` as the challenge has it: one CSV file in it.

    Arguments and errors are those of `write_csv`.
    """
    target = _make_way(Path(directory) / "fer2013.tar.gz", overwrite)
    content = _format_csv(draw_records(counts, seed))
    member = tarfile.TarInfo("fer2013/fer2013.csv")
    member.size = len(content)
    buffer = io.BytesIO()
    # No time stamps: the same seed gives the same bytes.
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        tar.addfile(member, io.BytesIO(content))
    _write_aside(target, buffer.getvalue())
    _write_counts(target.parent, counts)


def write_class_folders(
    directory: Path, counts: Counts, seed: int, *, overwrite: bool = False
) -> None:
    """Writes `train` and `test` with a folder of JPEG files for each class.

    Arguments and errors are those of `write_csv`.
    """
    folders = {
        name: _make_way(Path(directory) / name, overwrite)
        for name in ("train", "test")
    }
    records = draw_records(counts, seed)
    numbers = np.random.default_rng(seed).choice(
        _MAX_FILE_NUMBER, len(records.ids), replace=False
    )
    names = labels.class_names("fer2013")
    for image, label, split, number in zip(
        records.images, records.labels, records.splits, numbers, strict=True
    ):
        folder = folders[_FOLDER_OF_SPLIT[split]] / names[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(
            folder / f"{_USAGE_OF_SPLIT[split]}_{number}.jpg",
            quality=_JPEG_QUALITY,
        )
    _write_counts(Path(directory), counts)


LAYOUTS: dict[str, Callable[..., None]] = {
    "archive": write_challenge_archive,
    "csv": write_csv,
    "folders": write_class_folders,
}


def write_contact_sheet(path: Path, seed: int) -> None:
    """Writes a PNG with a row of faces for each class, in label order."""
    num_classes = len(labels.class_names("fer2013"))
    label_ids = np.repeat(np.arange(num_classes), _SHEET_COLUMNS)
    faces = draw_faces(label_ids, seed)
    size = faces.shape[-1]
    sheet = faces.reshape(num_classes, _SHEET_COLUMNS, size, size)
    sheet = sheet.transpose(0, 2, 1, 3).reshape(num_classes * size, -1)
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, "PNG")
    _write_aside(Path(path), buffer.getvalue())


def _check_counts(counts: Counts) -> None:
    num_classes = len(labels.class_names("fer2013"))
    if sorted(counts) != sorted(SPLITS) or any(
        len(row) != num_classes or min(row) < 0 or sum(row) == 0
        for row in counts.values()
    ):
        raise ValueError(
            f"`counts` must give {num_classes} counts for each of "
            f"{', '.join(SPLITS)}, and no split may be empty. Received: "
            f"{counts!r}."
        )


def _format_csv(records: FaceRecords) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for image, label, split in zip(
        records.images, records.labels, records.splits, strict=True
    ):
        pixels = " ".join(map(str, image.ravel().tolist()))
        writer.writerow([label, pixels, _USAGE_OF_SPLIT[split]])
    return text.getvalue().encode()


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


def _write_aside(target: Path, content: bytes) -> None:
    """Writes next to the target first: it is never seen half written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    aside.write_bytes(content)
    os.replace(aside, target)


def _write_counts(directory: Path, counts: Counts) -> None:
    ordered = {split: list(map(int, counts[split])) for split in SPLITS}
    content = json.dumps(ordered) + "\n"
    _write_aside(directory / EXPECTED_COUNTS_FILE, content.encode())


def _parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m fer_tfds.synthetic", description=__doc__
    )
    parser.add_argument("--out", type=Path, help="folder to write to")
    parser.add_argument("--layout", choices=LAYOUTS, default="archive")
    for split, count in (("train", 40), ("validation", 10), ("test", 10)):
        parser.add_argument(
            f"--{split}", type=int, default=count, help="faces of each class"
        )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--overwrite", action="store_true")
    parser.add_argument(
        "--contact_sheet", type=Path, help="PNG file: a row for each class"
    )
    options = parser.parse_args(arguments)
    if options.out is None and options.contact_sheet is None:
        parser.error("give --out=DIR, --contact_sheet=FILE.png or both")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    options = _parse_arguments(arguments)
    num_classes = len(labels.class_names("fer2013"))
    counts = {s: [getattr(options, s)] * num_classes for s in SPLITS}
    try:
        if options.out is not None:
            write = LAYOUTS[options.layout]
            write(
                options.out, counts, options.seed, overwrite=options.overwrite
            )
            num_faces = sum(map(sum, counts.values()))
            print(f"Wrote {num_faces:,} faces into {options.out}")
        if options.contact_sheet is not None:
            write_contact_sheet(options.contact_sheet, options.seed)
            print(f"Wrote {options.contact_sheet}")
    except (OSError, ValueError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

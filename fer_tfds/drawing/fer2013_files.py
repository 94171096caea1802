"""What FER-2013 consists of, with drawn faces: records, tables, pictures.

Everything stays in memory; `synthetic_fer2013` writes it to disk.
"""

import csv
import gzip
import io
import tarfile
import zipfile
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np
from PIL import Image

from fer_tfds import labels
from fer_tfds.drawing import faces as drawn_faces
from fer_tfds.drawing.camera import IMAGE_SIZE_PX
from fer_tfds.sources.fer2013.csv_rows import COLUMNS
from fer_tfds.sources.fer2013.csv_rows import SPLIT_OF_USAGE
from fer_tfds.sources.records import SPLITS
from fer_tfds.sources.records import FaceRecords

Counts = dict[str, list[int]]
Files = Iterable[tuple[str, bytes]]

# The quality at which Pillow saved the pictures of the Kaggle copies.
_JPEG_QUALITY = 95
_USAGE_OF_SPLIT = {split: usage for usage, split in SPLIT_OF_USAGE.items()}
_FOLDER_OF_SPLIT = {"train": "train", "validation": "test", "test": "test"}

# Numbers in the names of the Kaggle copies say nothing about the row.
_MAX_FILE_NUMBER = 100_000_000

# Names of the class folders in the PNG copy.
_PNG_FOLDERS = (
    "angry",
    "disgusted",
    "fearful",
    "happy",
    "sad",
    "surprised",
    "neutral",
)

_ZIP_DATE = (2020, 1, 1, 0, 0, 0)  # any: the same seed gives the same bytes


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


def format_csv(records: FaceRecords, columns: Sequence[str] = COLUMNS) -> bytes:
    """The faces as a CSV file.

    Args:
        records: any faces.
        columns: the header; blanks around the names of `COLUMNS` stay.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for image, label, split in zip(
        records.images, records.labels, records.splits, strict=True
    ):
        cells = {
            "emotion": label,
            "pixels": " ".join(map(str, image.ravel().tolist())),
            "Usage": _USAGE_OF_SPLIT[split],
        }
        writer.writerow([cells[column.strip()] for column in columns])
    return text.getvalue().encode()


def jpeg_files(counts: Counts, seed: int) -> Iterator[tuple[str, bytes]]:
    """Relative name and content of each picture in the JPEG class folders."""
    records = draw_records(counts, seed)
    numbers = np.random.default_rng(seed).choice(
        _MAX_FILE_NUMBER, len(records.ids), replace=False
    )
    names = labels.class_names("fer2013")
    for image, label, split, number in zip(
        records.images, records.labels, records.splits, numbers, strict=True
    ):
        folder = f"{_FOLDER_OF_SPLIT[split]}/{names[label]}"
        name = f"{folder}/{_USAGE_OF_SPLIT[split]}_{number}.jpg"
        yield name, _encode(image, "JPEG", quality=_JPEG_QUALITY)


def png_files(counts: Counts, seed: int) -> Iterator[tuple[str, bytes]]:
    """Relative name and content of each picture in the PNG class folders.

    Those of validation and test lie in `test`, one after the other.
    """
    records = draw_records(counts, seed)
    numbers: dict[str, int] = {}
    for image, label, split in zip(
        records.images, records.labels, records.splits, strict=True
    ):
        folder = f"{_FOLDER_OF_SPLIT[split]}/{_PNG_FOLDERS[label]}"
        number = numbers[folder] = numbers.get(folder, -1) + 1
        yield f"{folder}/im{number}.png", _encode(image, "PNG")


def _encode(image: np.ndarray, image_format: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, image_format, **options)
    return buffer.getvalue()


def pack_tar(name: str, content: bytes) -> bytes:
    """Packs one file into a tar archive, compressed with gzip."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    buffer = io.BytesIO()
    # No time stamps: the same seed gives the same bytes.
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def pack_zip(files: Files) -> bytes:
    """Packs files into a zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files:
            info = zipfile.ZipInfo(name, _ZIP_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return buffer.getvalue()


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

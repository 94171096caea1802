"""Synthetic FER-2013: faces, records, and the files of every raw layout.

The files hold what the real ones hold, under the same names.
"""

import csv
import functools
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from fer_tfds import labels
from fer_tfds.drawing import faces
from fer_tfds.drawing.camera import IMAGE_SIZE_PX
from fer_tfds.drawing.layouts import Counts
from fer_tfds.drawing.layouts import Files
from fer_tfds.drawing.layouts import Layout
from fer_tfds.drawing.layouts import pack_tar
from fer_tfds.drawing.layouts import pack_zip
from fer_tfds.sources.fer2013.csv_rows import COLUMNS
from fer_tfds.sources.fer2013.csv_rows import SPLIT_OF_USAGE
from fer_tfds.sources.fer2013.find import EXPECTED_COUNTS_FILE
from fer_tfds.sources.records import SPLITS
from fer_tfds.sources.records import FaceRecords

# Columns of icml_face_data.csv, with the blanks that its header has.
_ICML_COLUMNS = ("emotion", " Usage", " pixels")

# The quality at which Pillow saved the images of the Kaggle copies.
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
    images = np.empty((len(ids), IMAGE_SIZE_PX, IMAGE_SIZE_PX), np.uint8)
    for index, label in enumerate(ids):
        rng = np.random.default_rng((seed, index))
        images[index] = faces.draw_face(names[label], rng)
    return images


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
    counts = _check(counts)
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


def csv_files(
    counts: Counts,
    seed: int,
    *,
    name: str = "fer2013.csv",
    columns: Sequence[str] = COLUMNS,
) -> Files:
    """One CSV file with all faces."""
    yield name, format_csv(draw_records(counts, seed), columns)


def competition_files(counts: Counts, seed: int) -> Files:
    """What Kaggle packs when all of the competition is downloaded.

    That is the challenge archive, `icml_face_data.csv` with the same faces,
    and parts of them without `Usage`.
    """
    records = draw_records(counts, seed)
    train = records.take(records.indices_of("train").tolist())
    is_rest = np.array(records.splits) != "train"
    rest = records.take(np.flatnonzero(is_rest).tolist())
    challenge = pack_tar([("fer2013/fer2013.csv", format_csv(records))])
    yield "example_submission.csv", b"3\n" * len(rest.ids)
    yield "fer2013.tar.gz", challenge
    yield "icml_face_data.csv", format_csv(records, _ICML_COLUMNS)
    yield "test.csv", format_csv(rest, ("pixels",))
    yield "train.csv", format_csv(train, ("emotion", "pixels"))


def jpeg_files(counts: Counts, seed: int) -> Files:
    """Class folders of JPEG files, below `train` and `test`."""
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
        yield name, encode(image, "JPEG", quality=_JPEG_QUALITY)


def png_files(counts: Counts, seed: int) -> Files:
    """Class folders of PNG files, below `train` and `test`.

    Those of validation and test lie in `test`, without a mark.
    """
    records = draw_records(counts, seed)
    numbers: dict[str, int] = {}
    for image, label, split in zip(
        records.images, records.labels, records.splits, strict=True
    ):
        folder = f"{_FOLDER_OF_SPLIT[split]}/{_PNG_FOLDERS[label]}"
        number = numbers[folder] = numbers.get(folder, -1) + 1
        yield f"{folder}/im{number}.png", encode(image, "PNG")


def numbered_files(counts: Counts, seed: int) -> Files:
    """Numbered JPEG files in class folders, below `train` and `validation`.

    Those of validation and test lie in `validation`, without a mark.
    """
    records = draw_records(counts, seed)
    names = labels.class_names("fer2013")
    for number, (image, label, split) in enumerate(
        zip(records.images, records.labels, records.splits, strict=True)
    ):
        folder = "train" if split == "train" else "validation"
        name = f"images/{folder}/{names[label]}/{number}.jpg"
        yield name, encode(image, "JPEG", quality=_JPEG_QUALITY)


def encode(image: np.ndarray, image_format: str, **options: int) -> bytes:
    """The content of an image file; options are Pillow's."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, image_format, **options)
    return buffer.getvalue()


def _check(counts: Counts) -> Counts:
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
    return {split: list(map(int, counts[split])) for split in SPLITS}


_layout = functools.partial(Layout, select=_check, mark=EXPECTED_COUNTS_FILE)
_challenge = functools.partial(csv_files, name="fer2013/fer2013.csv")
_icml = functools.partial(
    csv_files, name="icml_face_data.csv", columns=_ICML_COLUMNS
)
_FOLDERS = ("train", "test")
_ZIP = {"pack": pack_zip, "names": ("archive.zip",)}

LAYOUTS: dict[str, Layout] = {
    "archive": _layout(
        files=_challenge, pack=pack_tar, names=("fer2013.tar.gz",)
    ),
    "csv": _layout(files=csv_files, names=("fer2013.csv",)),
    "icml_csv": _layout(files=_icml, names=("icml_face_data.csv",)),
    "csv_zip": _layout(files=csv_files, **_ZIP),
    "folders": _layout(files=jpeg_files, names=_FOLDERS),
    "folders_zip": _layout(files=jpeg_files, **_ZIP),
    "png_folders": _layout(files=png_files, names=_FOLDERS),
    "png_folders_zip": _layout(files=png_files, **_ZIP),
    "numbered_files": _layout(files=numbered_files, names=("images",)),
    "competition_zip": _layout(
        files=competition_files, pack=pack_zip, names=("competition.zip",)
    ),
}

"""Faces as picture files in one folder per class, as Kaggle hands them out.

The layout is `train|test/<class>/<Usage>_<number>.jpg`. The split comes from
the file name, since `test` holds both PublicTest and PrivateTest; the class
comes from the folder name, never from its position. Pictures are decoded and
checked here, so that what is wrong is found before anything is written.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from fer_tfds import labels
from fer_tfds.sources.csv_rows import IMAGE_SIZE_PX
from fer_tfds.sources.csv_rows import SPLIT_OF_USAGE
from fer_tfds.sources.records import FaceRecords
from fer_tfds.sources.records import SourceError

_USAGES_OF_FOLDER = {
    "train": ("Training",),
    "test": ("PublicTest", "PrivateTest"),
}
_FILE_NAME = re.compile(r"(Training|PublicTest|PrivateTest)_\d+\.jpe?g")

# Droppings of file managers; names beginning with a dot are skipped as well.
_IGNORED_FILES = ("Thumbs.db", "desktop.ini")


class _Picture(NamedTuple):
    path: Path
    label: int
    split: str


def looks_like_faces(folder: Path) -> bool:
    """Whether a folder has `train` or `test` with folders of classes in it."""
    return any(
        _is_class(entry.name)
        for name in _USAGES_OF_FOLDER
        if (folder / name).is_dir()
        for entry in (folder / name).iterdir()
    )


def read_faces(folder: Path) -> FaceRecords:
    """Reads and checks every picture under `train` and `test`.

    Args:
        folder: the folder that holds `train` and `test`.

    Returns:
        The faces in the order of their paths; the ids are the paths relative
        to `folder`, with forward slashes.

    Raises:
        SourceError: a folder is absent, empty or of no known class, or a
            picture has another name, cannot be decoded, or is not 48x48 grey.
    """
    pictures = [
        picture
        for name, usages in _USAGES_OF_FOLDER.items()
        for class_folder, label in _list_classes(folder / name)
        for picture in _list_pictures(class_folder, label, usages)
    ]
    # One after the other: threads only cost time on pictures this small.
    return FaceRecords(
        images=np.stack([_read_picture(p.path) for p in pictures]),
        labels=np.array([picture.label for picture in pictures], np.int64),
        splits=[picture.split for picture in pictures],
        ids=[p.path.relative_to(folder).as_posix() for p in pictures],
    )


def _is_class(name: str) -> bool:
    try:
        labels.canonical_name(name)
    except ValueError:
        return False
    return True


def _list_visible(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if not path.name.startswith(".") and path.name not in _IGNORED_FILES
    )


def _list_classes(folder: Path) -> Iterator[tuple[Path, int]]:
    if not folder.is_dir():
        raise SourceError(
            f"{folder}: this folder is absent. The class folders need both "
            f"{' and '.join(_USAGES_OF_FOLDER)}: unpack the whole data set."
        )
    names = labels.class_names("fer2013")
    label_of_name: dict[str, int] = {}
    for path in _list_visible(folder):
        name = labels.canonical_name(path.name) if _is_class(path.name) else ""
        if name not in names or name in label_of_name or not path.is_dir():
            raise SourceError(
                f"{path}: expected one folder for each class of "
                f"{', '.join(names)}, and nothing else. Rename, merge or "
                "remove it."
            )
        label_of_name[name] = names.index(name)
        yield path, label_of_name[name]
    missing = [name for name in names if name not in label_of_name]
    if missing:
        raise SourceError(
            f"{folder}: there is no folder for {', '.join(missing)}. Unpack "
            "the whole data set."
        )


def _list_pictures(
    folder: Path, label: int, usages: tuple[str, ...]
) -> Iterator[_Picture]:
    paths = _list_visible(folder)
    if not paths:
        raise SourceError(
            f"{folder}: this folder is empty. Unpack the whole data set."
        )
    for path in paths:
        match = _FILE_NAME.fullmatch(path.name)
        if match is None or match.group(1) not in usages:
            raise SourceError(
                f"{path}: expected only files called "
                f"{' or '.join(f'{usage}_<number>.jpg' for usage in usages)} "
                "here. Move or remove it."
            )
        yield _Picture(path, label, SPLIT_OF_USAGE[match.group(1)])


def _read_picture(path: Path) -> np.ndarray:
    """Decodes a picture file: uint8 [48, 48]."""
    try:
        with Image.open(io.BytesIO(path.read_bytes())) as image:
            image.load()
    # Besides OSError, Pillow raises SyntaxError and others for broken files.
    except Exception as error:
        raise SourceError(
            f"{path}: this picture cannot be decoded ({error}). Get the file "
            "again."
        ) from error
    size = (IMAGE_SIZE_PX, IMAGE_SIZE_PX)
    if image.size != size or image.mode != "L":
        raise SourceError(
            f"{path}: expected an 8-bit grey picture (mode L) of "
            f"{IMAGE_SIZE_PX}x{IMAGE_SIZE_PX} pixels. Received: mode "
            f"{image.mode}, {image.size[0]}x{image.size[1]}. Use the original "
            "pictures of the data set."
        )
    return np.asarray(image)

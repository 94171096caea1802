"""A folder of class folders -> labelled photographs.

Reads names alone; `Photograph.pixels` opens a file when it is asked.
"""

import csv
import dataclasses
import pathlib

import numpy as np
from PIL import Image

from edge.pictures import read_picture
from fer_tfds import labels

# Says which pictures show the same person, or come from the same series.
PEOPLE_FILE = "people.csv"


@dataclasses.dataclass(frozen=True)
class Photograph:
    """A picture file of one labelled face.

    Attributes:
      path: the file.
      label: what it shows, a canonical name.
      person: pictures of the same one are not independent of each other.
    """

    path: pathlib.Path
    label: str
    person: str

    def pixels(self) -> np.ndarray:
        """Reads it: uint8 [H, W, 1] or [H, W, 3] (RGB)."""
        return read_picture(self.path)


def read_folder(folder: pathlib.Path) -> list[Photograph]:
    """Lists the photographs of a folder, class by class.

    Args:
      folder: has a folder for each class, under any name that
        `fer_tfds.labels` knows, and may have `people.csv`: file below the
        folder, then who it shows, without a header.

    Raises:
      ValueError: there is no such folder, a folder in it is no class, or
        there is no picture.
    """
    if not folder.is_dir():
        raise ValueError(f"no such folder of photographs: {folder}")
    people = _read_people(folder / PEOPLE_FILE)
    found = [
        Photograph(path, _label(path.parent), people.get(name, name))
        for path in _pictures(folder)
        for name in [path.relative_to(folder).as_posix()]
    ]
    if not found:
        raise ValueError(
            f"{folder} holds no class folder with a picture; it should look "
            "like happy/one.jpg, sad/two.jpg"
        )
    return found


def _pictures(folder: pathlib.Path) -> list[pathlib.Path]:
    suffixes = set(Image.registered_extensions())
    return [
        path
        for place in sorted(folder.iterdir())
        if place.is_dir() and not place.name.startswith(".")
        for path in sorted(place.iterdir())
        if path.suffix.lower() in suffixes and not path.name.startswith(".")
    ]


def _label(place: pathlib.Path) -> str:
    try:
        return labels.canonical_name(place.name)
    except ValueError as error:
        raise ValueError(f"{place} is no class folder: {error}") from None


def _read_people(path: pathlib.Path) -> dict[str, str]:
    """File below the folder -> person; empty without the table."""
    if not path.is_file():
        return {}
    with open(path, newline="", encoding="utf-8") as file:
        rows = [row for row in csv.reader(file) if row]
    if any(len(row) != 2 for row in rows):
        raise ValueError(f"{path}: a row is FILE,PERSON and nothing else")
    return dict(rows)

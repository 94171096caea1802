"""What the readers of labelled pictures return."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

# What is taken for a picture by its name; `edge.pictures` decodes it.
IMAGE_SUFFIXES = (
    *(".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".jp2", ".avif", ".heic", ".heif"),
)


class Labelled(NamedTuple):
    """A picture and what is said about it.

    Attributes:
        name: inside the folder or archive, with forward slashes.
        label: as it is written there.
        split: one of `records.SPLITS`; empty where none is given.
        group: the person or series; empty where nothing is known.
    """

    name: str
    label: str
    split: str = ""
    group: str = ""


@dataclasses.dataclass(frozen=True)
class Source:
    """Labelled pictures, not read yet.

    Attributes:
        path: the folder or archive.
        form: in which form they are, for people.
        pictures: in the order of their names, or of the table.
        stray: names of pictures that have no label.
        group_pattern: as in `FolderSettings`; used where a user gives none.
        class_names: what the labels of this form mean.
        note: what a user should know; mostly empty.
    """

    path: Path
    form: str
    pictures: Sequence[Labelled]
    stray: Sequence[str] = ()
    group_pattern: str = ""
    class_names: dict[str, str] = dataclasses.field(default_factory=dict)
    note: str = ""


def is_image(name: str) -> bool:
    """Whether a file is called like a picture."""
    return name.lower().endswith(IMAGE_SUFFIXES)

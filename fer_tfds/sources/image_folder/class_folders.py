"""A folder of pictures for each class, alone or below a folder per split."""

import os
import posixpath
import re
from collections.abc import Iterable
from collections.abc import Sequence
from pathlib import Path

from fer_tfds.sources.fer2013 import class_folders as fer2013_folders
from fer_tfds.sources.image_folder.records import Labelled
from fer_tfds.sources.image_folder.records import Source
from fer_tfds.sources.records import SPLIT_OF_FOLDER

# Of CK+48: subject, sequence, frame. Frames of a person must stay together.
_CK_NAME = re.compile(r"S\d{3}_\d{3}_\d{8}\.png")
CK_GROUPS = r"^(S\d{3})_"

_SPLITS = {**SPLIT_OF_FOLDER, "training": "train", "testing": "test"}


def split_of(name: str) -> str:
    """The split that a folder's name, or a cell, means; empty for none."""
    return _SPLITS.get(name.strip().lower(), "")


def make_source(path: Path, names: Sequence[str]) -> Source | None:
    """Pictures in class folders.

    Args:
        path: the folder or archive.
        names: of its pictures.

    Returns:
        None where no picture lies in a folder.
    """
    given = [_below_split(name) for name in names]
    placed = [p for p in given if p] or _below_root(names)
    if not placed:
        return None
    taken = {picture.name for picture in placed}
    files = [os.path.basename(picture.name) for picture in placed]
    is_ck = all(map(_CK_NAME.fullmatch, files))
    form = "class folders"
    if placed[0].split:
        form = "a folder for each split, with class folders"
    note = ""
    if _is_fer2013(files):
        note = (
            "The files are called like those of FER-2013, which `tfds build "
            "fer_tfds/fer2013` reads and counts."
        )
    return Source(
        path=path,
        form=f"CK+48, {form}" if is_ck else form,
        pictures=placed,
        stray=[name for name in names if name not in taken],
        group_pattern=CK_GROUPS if is_ck else "",
        note=note,
    )


def _is_fer2013(files: Iterable[str]) -> bool:
    named = (fer2013_folders.JPEG, fer2013_folders.PNG)
    return all(fer2013_folders.form_of(file) in named for file in files)


def _below_split(name: str) -> Labelled | None:
    """`.../<split>/<class>/.../<file>`, by the first such folder."""
    folders = name.split("/")[:-1]
    for index, folder in enumerate(folders[:-1]):
        if split := split_of(folder):
            return Labelled(name, folders[index + 1], split)
    return None


def _below_root(names: Sequence[str]) -> list[Labelled]:
    """`<class>/.../<file>` below what all class folders have in common."""
    inside = [name.split("/") for name in names if "/" in name]
    if not inside:
        return []
    common = posixpath.commonpath(["/".join(parts[:-1]) for parts in inside])
    above = common.split("/") if common else []
    if any(len(parts) == len(above) + 1 for parts in inside):
        # Some lie where the class folders are; or there is one class.
        others = [p for p in inside if len(p) > len(above) + 1]
        inside = others or inside
        above = above if others else above[:-1]
    depth = len(above)
    return [Labelled("/".join(parts), parts[depth]) for parts in inside]

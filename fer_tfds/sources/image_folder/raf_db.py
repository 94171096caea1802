"""RAF-DB, as its authors hand it out and as Kaggle has it.

Li, Deng and Du 2017, "Reliable crowdsourcing and deep locality-preserving
learning for expression recognition in the wild". Of the authors' copy the
aligned faces of the single-label part are read.
"""

import re
from collections.abc import Callable
from collections.abc import Sequence
from pathlib import Path

from fer_tfds.sources.image_folder.records import Labelled
from fer_tfds.sources.image_folder.records import Source
from fer_tfds.sources.records import SourceError

LIST_FILE = "list_patition_label.txt"  # spelt so by the authors

# The README of the data set.
CLASS_NAMES = {
    "1": "surprise",
    "2": "fear",
    "3": "disgust",
    "4": "happy",
    "5": "sad",
    "6": "angry",
    "7": "neutral",
}

_LINE = re.compile(r"((train|test)_\d+)\.jpg ([1-7])")
_KAGGLE = re.compile(r"(?:.*/)?([1-7])/((train|test)_\d+_aligned\.jpg)")


def of_authors(
    path: Path,
    names: Sequence[str],
    images: Sequence[str],
    *,
    read: Callable[[str], str],
) -> Source | None:
    """The copy with a list of labels beside the aligned faces.

    Args:
        path: the folder or archive.
        names: of all its files.
        images: of its pictures.
        read: gives the text of a file.

    Raises:
        SourceError: a line of the list is malformed, or names a face that is
            not there.
    """
    lists = [n for n in names if n.rsplit("/", 1)[-1] == LIST_FILE]
    if not lists:
        return None
    there = {n.rsplit("/", 1)[-1]: n for n in images if "aligned" in n}
    pictures = []
    for number, line in enumerate(read(lists[0]).splitlines(), start=1):
        match = _LINE.fullmatch(line.strip())
        name = match and there.get(f"{match[1]}_aligned.jpg")
        if line.strip() and not name:
            what = f"{match[1]}_aligned.jpg is not there" if match else "?"
            raise SourceError(
                f"{path / lists[0]}, line {number}: {line[:80]!r} ({what}). "
                "Expected `train_00001.jpg 5`, and each picture as "
                "train_00001_aligned.jpg in a folder `aligned`. Unpack the "
                "archive of the aligned faces beside the list."
            )
        if name:
            pictures.append(Labelled(name, match[3], match[2]))
    if not pictures:
        raise SourceError(f"{path / lists[0]}: there is not one line in it.")
    return _make(
        path, "RAF-DB, with its list of labels", pictures, images=images
    )


def of_kaggle(path: Path, images: Sequence[str]) -> Source | None:
    """The copy with folders 1 to 7, recognised by the names of the files."""
    matches = [(name, _KAGGLE.fullmatch(name)) for name in images]
    pictures = [Labelled(n, m[1], m[3]) for n, m in matches if m]
    if not pictures or 2 * len(pictures) < len(images):
        return None
    return _make(path, "RAF-DB, in folders 1 to 7", pictures, images=images)


def _make(
    path: Path,
    form: str,
    pictures: list[Labelled],
    *,
    images: Sequence[str],
) -> Source:
    taken = {picture.name for picture in pictures}
    # The authors' copy has each face as a whole picture as well.
    stray = [n for n in images if n not in taken and "original" not in n]
    return Source(path, form, pictures, stray, class_names=CLASS_NAMES)

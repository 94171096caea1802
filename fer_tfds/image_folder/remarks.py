"""What a person should know of their pictures before anything is trained."""

import collections
import difflib
import shlex
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edge import analyser
from edge import detector_files
from edge import faces
from edge import pictures
from fer_tfds import labels
from fer_tfds.image_folder import preparation
from fer_tfds.sources.archives import file_trees
from fer_tfds.sources.image_folder import settings
from fer_tfds.sources.image_folder.records import Source
from fer_tfds.sources.image_folder.settings import FolderSettings
from fer_tfds.sources.records import SPLITS

# With fewer nothing can be said of a class, and little learned.
FEW_PICTURES = 10
# `hapy` and `happy` have 0.89; `sad` and `mad` 0.67, `fear` and `tear` 0.75.
_SLIP_LIKENESS = 0.8
_FACES_LOOKED_AT = 24
# Of a crop's shorter side a face takes more than a half.
_LEAST_FACE = 1 / 3
# What follows where a class has no picture in a split.
_WITHOUT = {
    "train": "nothing can be learned of it",
    "validation": "it has no say in which epoch is kept",
    "test": "nothing can be said of it",
}


def say(*texts: str) -> None:
    """Prints those of the remarks that are not empty."""
    for text in filter(None, texts):
        print(f"Note: {text}", flush=True)


def on_classes(counts: Mapping[str, int]) -> Iterator[str]:
    """What looks wrong about classes, by their numbers of pictures."""
    few = [f"{n} ({c})" for n, c in counts.items() if c < FEW_PICTURES]
    if few:
        yield (
            f"classes with fewer than {FEW_PICTURES} pictures: "
            f"{', '.join(few)}. Little can be learned of them: add pictures, "
            "or leave the class out."
        )
    for name in counts:
        other = _slip_of(name, counts)
        if other:
            yield (
                f"the class `{name}` looks like a slip of `{other}`. If it is "
                f"one, put a file {settings.FILE_NAME} beside the pictures: "
                f'{{"class_names": {{"{name}": "{other}"}}}}'
            )


def on_settings(source: Source, said: FolderSettings) -> Iterator[str]:
    """What a user says that fits no picture."""
    known = {picture.label for picture in source.pictures}
    unused = sorted({*said.class_names} - known - {*source.class_names})
    if unused:
        yield (
            f"class_names in {settings.FILE_NAME} says what "
            f"{', '.join(unused)} means, and nothing is called so."
        )
    files = (picture.name.rsplit("/", 1)[-1] for picture in source.pictures)
    if said.group_pattern and not any(map(said.group_of, files)):
        yield (
            f"group_pattern in {settings.FILE_NAME} fits the name of no "
            "picture, so that a person may be on two sides."
        )


def on_faces(source: Source) -> str:
    """Says so where pictures are whole photographs; mostly empty.

    Looks for faces in a few of them, where there is a detector to look with.
    """
    try:
        detector = faces.load_detector()
    except detector_files.FaceModelError:
        return ""
    sizes = [
        max(min(box.width, box.height) for box in found)
        / min(picture.shape[:2])
        for picture in _some_pictures(source)
        if (found := detector.find(picture))
    ]
    small = sum(size < _LEAST_FACE for size in sizes)
    if 2 * small <= len(sizes) or not sizes:
        return ""
    return (
        f"in {small} of {len(sizes)} pictures that were looked at the face "
        "fills less than a third: these are photographs, not crops, and a "
        "network would learn their backgrounds. Cut the faces out, put them "
        "into class folders, and build on those:\n"
        f"  python -m edge --crops=DIR {shlex.quote(str(source.path))}"
    )


def on_splits(classes: Sequence[str], splits: Sequence[str]) -> Iterator[str]:
    """Which classes have no picture in a split that there is."""
    there = set(zip(classes, splits, strict=True))
    for split in filter(set(splits).__contains__, SPLITS):
        lacking = [n for n in sorted({*classes}) if (n, split) not in there]
        if lacking:
            yield (
                f"no picture of {', '.join(lacking)} is in {split}, so that "
                f"{_WITHOUT[split]}. More pictures, or more people, mend it."
            )


def on_equal_pictures(
    pairs: np.ndarray,
    names: Sequence[str],
    *,
    classes: Sequence[str],
    splits: Sequence[str],
) -> Iterator[str]:
    """What pictures that look the same do wrong.

    Args:
        pairs: int32 [m, 2], positions of pictures that look the same.
        names: of all pictures.
        classes: of all pictures.
        splits: of all pictures.
    """
    kinds = {"carry two labels": classes, "stand in two splits": splits}
    for what, values in kinds.items():
        _, ids = np.unique(values, return_inverse=True)
        found = pairs[ids[pairs[:, 0]] != ids[pairs[:, 1]]]
        if len(found):
            one, other = (names[position] for position in found[0])
            yield (
                f"{len(found):,} pairs of pictures that look the same {what}, "
                f"such as {one} and {other}."
            )


def table(classes: Sequence[str], splits: Sequence[str]) -> str:
    """The number of pictures of each class in each split, as a table."""
    counts = collections.Counter(zip(classes, splits, strict=True))
    names = list(dict.fromkeys(classes))
    used = [split for split in SPLITS if split in splits]
    width = max(map(len, [*names, "class"]))
    lines = [f"  {'class':<{width}}" + "".join(f"{s:>12}" for s in used)]
    for name in sorted(names):
        cells = "".join(f"{counts[name, split]:>12,}" for split in used)
        lines.append(f"  {name:<{width}}{cells}")
    return "\n".join(lines)


def _slip_of(name: str, counts: Mapping[str, int]) -> str:
    """The name that was meant, of a larger class or an expression."""
    if name in labels.CANONICAL_NAMES:
        return ""
    larger = [n for n in counts if (counts[n], n) > (counts[name], name)]
    for other in dict.fromkeys((*larger, *labels.CANONICAL_NAMES)):
        spelt = name.lower(), other.lower()
        matcher = difflib.SequenceMatcher(None, *spelt)
        if name != other and matcher.ratio() >= _SLIP_LIKENESS:
            return other
    return ""


def _some_pictures(source: Source) -> Iterator[np.ndarray]:
    """Some of them that are larger than crops: uint8 [H, W, 1 or 3]."""
    step = max(1, len(source.pictures) // _FACES_LOOKED_AT)
    with file_trees.open_tree(Path(source.path)) as tree:
        for picture in source.pictures[::step]:
            try:
                data = tree.read(picture.name, preparation.MAX_BYTES)
                pixels = pictures.decode_picture(data, picture.name).pixels
            except pictures.PictureError:
                continue  # it is counted when all are read
            if max(pixels.shape[:2]) > analyser.CROP_UP_TO_PX:
                yield pixels

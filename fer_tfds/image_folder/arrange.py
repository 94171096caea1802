"""Which class, group and split each labelled picture has."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fer_tfds import labels
from fer_tfds.image_folder import preparation
from fer_tfds.image_folder import remarks
from fer_tfds.sources.image_folder import find
from fer_tfds.sources.image_folder import near_equal
from fer_tfds.sources.image_folder import settings as folder_settings
from fer_tfds.sources.image_folder import splits as splits_lib
from fer_tfds.sources.image_folder.records import Source
from fer_tfds.sources.image_folder.settings import FolderSettings


@dataclasses.dataclass(frozen=True)
class Arranged:
    """Pictures that could be read, and what is known of each.

    Attributes:
        prepared: the pictures.
        classes: of each picture.
        groups: of each picture; empty where nothing is known.
        splits: of each picture, out of `records.SPLITS`.
        pairs: int32 [m, 2], positions of pictures that look the same.
    """

    prepared: preparation.PreparedPictures
    classes: list[str]
    groups: list[str]
    splits: list[str]
    pairs: np.ndarray


def find_source(manual_dir: Path) -> tuple[Source, FolderSettings]:
    """Finds the pictures, and what a user and the form of the copy say of them.

    Raises:
        SourceError: there are none, or they are not as they must be.
    """
    said = folder_settings.load(manual_dir)
    source = find.find_source(manual_dir)
    return source, dataclasses.replace(
        said,
        class_names={**source.class_names, **said.class_names},
        group_pattern=said.group_pattern or source.group_pattern,
    )


def arrange(
    prepared: preparation.PreparedPictures, settings: FolderSettings
) -> Arranged:
    """Gives every picture its class, its group and its split."""
    kept = prepared.kept
    classes = [settings.class_of(picture.label) for picture in kept]
    groups = [
        p.group or settings.group_of(p.name.rsplit("/", 1)[-1]) for p in kept
    ]
    # A group may be called like a picture.
    keys = [
        f"group {group}" if group else f"picture {p.name}"
        for group, p in zip(groups, kept, strict=True)
    ]
    pairs = near_equal.find_pairs(prepared.signatures)
    splits = [picture.split for picture in kept]
    if not all(splits):
        splits = splits_lib.assign(keys, classes, pairs)
    elif "validation" not in splits:
        splits = splits_lib.cut_validation(keys, classes, pairs, given=splits)
    return Arranged(prepared, classes, groups, splits, pairs)


def in_order(classes: list[str]) -> list[str]:
    """Expressions in the order of their ids, then the others by name."""
    known = labels.CANONICAL_NAMES
    return sorted(
        set(classes),
        key=lambda n: (known.index(n) if n in known else len(known), n),
    )


def on_equal_pictures(found: Arranged) -> Iterator[str]:
    """What pictures that look the same do wrong."""
    return remarks.on_equal_pictures(
        found.pairs,
        [picture.name for picture in found.prepared.kept],
        classes=found.classes,
        splits=found.splits,
    )

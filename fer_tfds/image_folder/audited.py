"""Your own pictures as `fer_tfds.audit` counts and draws faces."""

import io
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from fer_tfds.image_folder import arrange
from fer_tfds.image_folder import preparation
from fer_tfds.image_folder import remarks
from fer_tfds.sources.archives import file_trees
from fer_tfds.sources.records import FaceRecords
from fer_tfds.sources.records import SourceError

_SIZE_PX = 48


def read(manual_dir: Path) -> tuple[FaceRecords, str]:
    """Reads the pictures as a build would.

    Args:
        manual_dir: the folder or archive with the pictures.

    Returns:
        The faces, and what a build would say of them: the counts, what looks
        the same, and what cannot be read.

    Raises:
        SourceError: there are none, or they are not as they must be.
    """
    source, settings = arrange.find_source(manual_dir)
    with (
        file_trees.open_tree(source.path) as tree,
        tempfile.TemporaryDirectory() as scratch,
    ):
        prepared = preparation.PreparedPictures(
            tree,
            source.pictures,
            size_px=_SIZE_PX,
            channels=1,
            scratch=Path(scratch),
        )
    if not prepared.kept:
        raise SourceError(
            f"{source.path}: none of the {len(prepared.rejects):,} pictures "
            f"can be read: {prepared.rejects[0].reason}"
        )
    found = arrange.arrange(prepared, settings)
    return _as_records(found), _describe(found, source.stray)


def _as_records(found: arrange.Arranged) -> FaceRecords:
    names = arrange.in_order(found.classes)
    count = len(found.classes)
    images = np.empty([count, _SIZE_PX, _SIZE_PX], np.uint8)
    for position in range(count):
        png = io.BytesIO(found.prepared.png(position))
        images[position] = np.asarray(Image.open(png))
    return FaceRecords(
        images=images,
        labels=np.array([names.index(name) for name in found.classes]),
        splits=found.splits,
        ids=[picture.name for picture in found.prepared.kept],
        class_names=tuple(names),
    )


def _describe(found: arrange.Arranged, stray: Sequence[str]) -> str:
    rejects = found.prepared.rejects
    return "\n".join(
        [
            "Pictures of each class",
            remarks.table(found.classes, found.splits),
            *remarks.on_splits(found.classes, found.splits),
            *arrange.on_equal_pictures(found),
            f"{len(stray):,} pictures have no label",
            *(f"  {name}" for name in stray),
            f"{len(rejects):,} pictures cannot be read",
            *(f"  {reject.name}: {reject.reason}" for reject in rejects),
        ]
    )

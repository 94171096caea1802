"""AffectNet-8 and AffectNet-7: cropped faces with annotations as .npy files.

The layout is `train_set|val_set|test_set/images/ID.jpg` with the annotations of
a face in `annotations/ID_exp.npy`, `ID_val.npy` and `ID_aro.npy`. Pickled
arrays are never loaded: they could run any program.
"""

import dataclasses
import io
import math
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fer_tfds.sources.affectnet import records as records
from fer_tfds.sources.affectnet.records import Annotation
from fer_tfds.sources.affectnet.records import Reason
from fer_tfds.sources.affectnet.records import Reject
from fer_tfds.sources.affectnet.records import Rejected
from fer_tfds.sources.archives import file_trees
from fer_tfds.sources.records import SourceError

SPLIT_OF_FOLDER = {
    "train_set": "train",
    "val_set": "validation",
    "test_set": "test",
}
LABEL_SUFFIX = "_exp.npy"
_VALENCE_SUFFIX = "_val.npy"
_AROUSAL_SUFFIX = "_aro.npy"

# One number with its header takes 132 bytes, as text a few more.
_MAX_ARRAY_BYTES = 4096


@dataclasses.dataclass(frozen=True)
class AnnotationArrays(records.Source):
    """A copy whose labels stand in one small file for each picture."""

    def annotations(self) -> Iterator[Annotation | Reject]:
        """Lists the pictures; labels are read with them, by `open`.

        Folders are listed as a stream and in no order: 290,000 names take
        memory, and the builder orders by hash anyway.
        """
        _tell_of_other_sets(self.path / self.prefix)
        for folder, split in SPLIT_OF_FOLDER.items():
            base = self.path / self.prefix / folder
            # Many were given a test set without its annotations.
            is_there = base / "annotations" if split == "test" else base
            if is_there.is_dir():
                yield from _list_pictures(base, folder, split)

    def load(
        self, tree: file_trees.FileTree, annotation: Annotation
    ) -> tuple[bytes, Annotation]:
        """As `records.Source`; the label lies in files of its own."""
        folder, _, file_name = annotation.image.split("/")
        stem = file_name.rsplit(".", 1)[0]
        base = f"{self.prefix}{folder}/annotations/{stem}"
        label = records.parse_label(_read_cell(tree, base + LABEL_SUFFIX))
        if label == records.NO_FACE:
            raise Rejected(Reason.NO_FACE)
        annotation = annotation._replace(
            label=label,
            valence=_read_score(tree, base + _VALENCE_SUFFIX),
            arousal=_read_score(tree, base + _AROUSAL_SUFFIX),
        )
        return super().load(tree, annotation)


def make_source(path: Path, prefix: str) -> AnnotationArrays:
    """A copy whose two folders stand in `path`, below `prefix`."""
    return AnnotationArrays(
        path=path,
        form="cropped faces with annotations as .npy files",
        prefix=prefix,
    )


def _tell_of_other_sets(folder: Path) -> None:
    """Names what looks like one more split and is not read."""
    for path in sorted(folder.iterdir()):
        if (path / "annotations").is_dir() and path.name not in SPLIT_OF_FOLDER:
            print(
                f"Left out: {path}. Of its kind only "
                f"{', '.join(SPLIT_OF_FOLDER)} are read; rename it to one of "
                "them if it is one.",
                flush=True,
            )


def _list_pictures(
    base: Path, folder: str, split: str
) -> Iterator[Annotation | Reject]:
    for name in ("images", "annotations"):
        if not (base / name).is_dir():
            raise SourceError(
                f"{base / name}: this folder is absent. Unpack the whole data "
                "set, and build again."
            )
    for name in _list_names(base / "images"):
        if records.is_image(name):
            yield _make_row(f"{folder}/images/{name}", split)
    for name in _list_names(base / "annotations"):
        stem = name.removesuffix(LABEL_SUFFIX)
        if stem != name and not _has_picture(base / "images", stem):
            yield Reject(
                split,
                f"{folder}/images/{stem}.jpg",
                Reason.MISSING_IMAGE,
                "it has an annotation but no picture",
            )


def _list_names(folder: Path) -> Iterator[str]:
    with os.scandir(folder) as entries:
        yield from (e.name for e in entries if e.name[0] != ".")


def _has_picture(folder: Path, stem: str) -> bool:
    return any(
        os.path.exists(folder / (stem + suffix))
        for suffix in records.IMAGE_SUFFIXES
    )


def _make_row(path: str, split: str) -> Annotation | Reject:
    try:
        path = records.parse_path(path)
    except Rejected as error:
        return Reject(split, ascii(path), error.reason, error.detail)
    return Annotation(split=split, id=path, image=path, label=None)


def _read_score(tree: file_trees.FileTree, name: str) -> float:
    try:
        return records.parse_score(_read_cell(tree, name))
    except Rejected as error:
        if error.reason == Reason.MISSING_ANNOTATION:
            return math.nan  # copies for classification leave it out
        raise


def _read_cell(tree: file_trees.FileTree, name: str) -> str:
    """The one value of a .npy file, as text."""
    data = records.read_file(
        tree,
        name,
        _MAX_ARRAY_BYTES,
        if_absent=Reason.MISSING_ANNOTATION,
        if_unreadable=Reason.MALFORMED_ROW,
    )
    try:
        return str(_parse_array(data)).rstrip("\0")
    # numpy raises ValueError, SyntaxError, TypeError, ... for broken headers.
    except Exception as error:
        raise Rejected(
            Reason.MALFORMED_ROW, f"{name}: no array of one value ({error})"
        ) from None


def _parse_array(data: bytes) -> object:
    """Reads a .npy file of one value without trusting what it declares."""
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version != (1, 0):
        raise ValueError(f"version {version}")
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    if math.prod(shape) != 1 or dtype.kind not in "USiuf":
        raise ValueError(f"shape {shape}, type {dtype}")
    content = stream.read(dtype.itemsize)
    if dtype.kind == "U":
        # By ourselves: numpy hands on characters that do not exist, and
        # Python breaks off in the middle of the next operation.
        is_big = dtype.byteorder == ">"
        return content.decode("utf-32-be" if is_big else "utf-32-le")
    value = np.frombuffer(content, dtype, count=1)[0]
    return value.decode("ascii") if isinstance(value, bytes) else value

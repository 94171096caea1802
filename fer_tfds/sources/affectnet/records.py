"""What the readers of AffectNet hand on: annotations, rejects, and a source.

An annotation is what a copy says about one picture; the picture itself is read
later, by another process. Nothing here reads pictures or writes to disk.
"""

import abc
import contextlib
import dataclasses
import enum
import math
import os
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from fer_tfds import labels
from fer_tfds.sources.archives import file_trees
from fer_tfds.sources.records import SourceError

NO_FACE = labels.native_names("affectnet").index("no-face")

# The largest pictures of the full release are a few megabytes; what is larger
# than this is no photograph of a face.
MAX_PICTURE_BYTES = 64 << 20

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")

# What the copies write for "there is none".
_EMPTY_CELLS = ("", "null", "nan", "none")

_MAX_PATH_CHARS = 400

# AffectNet's own mark for valence and arousal that nobody has annotated.
_NOT_ANNOTATED = -2.0
# Some copies went through 32-bit floats: 1 may have become 1.0000001.
_SCORE_TOLERANCE = 1e-3


class Reason(enum.StrEnum):
    """Why a row gives no example."""

    NO_FACE = "no_face"
    NULL_PATH = "null_path"
    BAD_PATH = "bad_path"
    MISSING_IMAGE = "missing_image"
    MISSING_ANNOTATION = "missing_annotation"
    UNREADABLE_IMAGE = "unreadable_image"
    TOO_LARGE = "too_large"
    NULL_BOX = "null_box"
    BAD_BOX = "bad_box"
    UNKNOWN_LABEL = "unknown_label"
    MALFORMED_ROW = "malformed_row"
    DUPLICATE = "duplicate"


class Box(NamedTuple):
    """A face in its picture, in pixels from the upper left corner."""

    x: int
    y: int
    width: int
    height: int


class Annotation(NamedTuple):
    """What a copy says about one picture.

    Attributes:
        split: one of `fer_tfds.sources.records.SPLITS`.
        id: names the picture; stable from one reading to the next.
        image: name of its file, for the source that gave the annotation.
        label: native label id; None when it stands in a file of its own.
        box: the face; None when the picture shows nothing else.
        valence: from -1 to 1, NaN when it is not annotated.
        arousal: from -1 to 1, NaN when it is not annotated.
    """

    split: str
    id: str
    image: str
    label: int | None
    box: Box | None = None
    valence: float = math.nan
    arousal: float = math.nan


class Reject(NamedTuple):
    """A row that gives no example; `detail` is for people."""

    split: str
    id: str
    reason: Reason
    detail: str


class Rejected(Exception):
    """A row cannot be used."""

    def __init__(self, reason: Reason, detail: str = ""):
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = " ".join(detail.split())[:200]


Load = Callable[[Annotation], tuple[bytes, Annotation]]


@dataclasses.dataclass(frozen=True)
class Source(abc.ABC):
    """A copy of AffectNet that was found but not read yet; can be pickled.

    Attributes:
        path: the folder or archive that holds the pictures.
        form: what it is, in words.
        prefix: what every `Annotation.image` lacks in front, inside `path`.
        note: what the user should know of this form; empty for nothing.
    """

    path: Path
    form: str
    prefix: str
    note = ""  # of the class, not of the copy: no field

    @abc.abstractmethod
    def annotations(self) -> Iterator[Annotation | Reject]:
        """Reads all annotations one after the other.

        Raises:
            SourceError: they cannot be read at all; single bad rows become
                rejects instead.
        """

    @contextlib.contextmanager
    def open(self) -> Iterator[Load]:
        """Opens the pictures; any process can do so.

        Yields:
            A function from an annotation to the picture file's bytes and the
            annotation with its label, which raises `Rejected`.
        """
        with file_trees.open_tree(self.path) as tree:
            yield lambda annotation: self.load(tree, annotation)

    def load(
        self, tree: file_trees.FileTree, annotation: Annotation
    ) -> tuple[bytes, Annotation]:
        """Reads one picture.

        Args:
            tree: the opened data.
            annotation: of the picture.

        Returns:
            The picture file's bytes, and the annotation with its label.

        Raises:
            Rejected: one of them does not do.
        """
        name = self.prefix + annotation.image
        data = read_file(
            tree,
            name,
            MAX_PICTURE_BYTES,
            if_absent=Reason.MISSING_IMAGE,
            if_unreadable=Reason.UNREADABLE_IMAGE,
        )
        return data, annotation


def read_file(
    tree: file_trees.FileTree,
    name: str,
    max_bytes: int,
    *,
    if_absent: Reason,
    if_unreadable: Reason,
) -> bytes:
    """Reads a file of a tree.

    Raises:
        Rejected: it is absent, or there but damaged or larger.
    """
    try:
        return tree.read(name, max_bytes)
    except (SourceError, OSError) as error:
        path = os.path.join(tree.path, name)
        is_absent = os.path.isdir(tree.path) and not os.path.exists(path)
        reason = if_absent if is_absent else if_unreadable
        raise Rejected(reason, str(error)) from None


def is_empty(cell: str) -> bool:
    """Whether a cell says that there is nothing."""
    return cell.strip().lower() in _EMPTY_CELLS


def is_number(name: str) -> bool:
    """Whether a folder is called by a number."""
    return name.isascii() and name.isdigit() and len(name) < 10


def is_image(name: str) -> bool:
    """Whether a file name is that of a picture."""
    return name.lower().endswith(IMAGE_SUFFIXES)


def parse_path(cell: str) -> str:
    """A relative path of a picture, with forward slashes.

    Raises:
        Rejected: there is none, or it leads elsewhere or is no text.
    """
    if is_empty(cell):
        raise Rejected(Reason.NULL_PATH)
    path = cell.strip().replace("\\", "/").removeprefix("./")
    parts = path.split("/")
    if (
        path[1:2] == ":"
        or any(part in ("", ".", "..") for part in parts)
        or not path.isprintable()  # also false for what is no UTF-8
        or len(path) > _MAX_PATH_CHARS
    ):
        raise Rejected(Reason.BAD_PATH, repr(path[:100]))
    return path


def parse_label(cell: str) -> int:
    """A native label id, from 0 to 10.

    Raises:
        Rejected: it is none.
    """
    try:
        number = float(cell)  # some copies have saved them as floats
        names = labels.native_names("affectnet")
        if number in range(len(names)):
            return int(number)
    except ValueError:
        pass
    raise Rejected(Reason.UNKNOWN_LABEL, f"label {cell[:40]!r}")


def parse_score(cell: str) -> float:
    """Valence or arousal: from -1 to 1, or NaN when it is not annotated.

    Raises:
        Rejected: it is neither.
    """
    if is_empty(cell):
        return math.nan
    try:
        score = float(cell)
    except ValueError:
        score = math.inf
    if math.isnan(score) or score == _NOT_ANNOTATED:
        return math.nan
    if abs(score) > 1 + _SCORE_TOLERANCE:
        raise Rejected(
            Reason.MALFORMED_ROW, f"valence or arousal {cell[:40]!r}"
        )
    return min(max(score, -1.0), 1.0)


def parse_class(name: str) -> int:
    """The native label id of a class name such as "Happy" or "no-face".

    Raises:
        Rejected: no class is known under that name.
    """
    key = name.strip().lower()
    names = labels.native_names("affectnet")
    if key in names:
        return names.index(key)
    try:
        canonical = labels.canonical_name(key)
    except ValueError:
        raise Rejected(Reason.UNKNOWN_LABEL, f"class {name[:40]!r}") from None
    expressions = labels.class_names("affectnet")
    return [labels.canonical_name(n) for n in expressions].index(canonical)

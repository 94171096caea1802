"""Faces as picture files in one folder per class, as Kaggle hands them out.

Two copies exist. `train|test/<class>/<Usage>_<number>.jpg` tells all three
splits apart by the file name, since `test` holds PublicTest and PrivateTest;
`train|test/<class>/im<number>.png` does not. The class comes from the folder
name, never from its position. Nothing is written or unpacked to disk.
"""

import re
import warnings
from collections.abc import Iterable
from typing import NamedTuple

from PIL import Image

from fer_tfds import labels
from fer_tfds.sources.archives.trees import FileTree
from fer_tfds.sources.fer2013 import face_pictures
from fer_tfds.sources.fer2013.csv_rows import SPLIT_OF_USAGE
from fer_tfds.sources.records import SPLITS
from fer_tfds.sources.records import FaceCollector
from fer_tfds.sources.records import FaceRecords
from fer_tfds.sources.records import SourceError

PARTS = ("train", "test")


class Form(NamedTuple):
    """One of the two ways in which the files of a copy are called.

    Attributes:
        title: what it is, in words.
        file_name: matches names; the groups are what precedes the number, and
            the number.
        example: what files in `train` and `test` are called, for messages.
        split_of: part and first group -> split; None for what is misplaced.
        split_names: the splits that are told apart.
    """

    title: str
    file_name: re.Pattern
    example: dict[str, str]
    split_of: dict[tuple[str, str], str]
    split_names: tuple[str, ...]


JPEG = Form(
    title="class folders of JPEG files",
    file_name=re.compile(r"(Training|PublicTest|PrivateTest)_(\d+)\.jpe?g"),
    example={
        "train": "Training_<number>.jpg",
        "test": "PublicTest_<number>.jpg or PrivateTest_<number>.jpg",
    },
    split_of={
        ("test" if usage != "Training" else "train", usage): split
        for usage, split in SPLIT_OF_USAGE.items()
    },
    split_names=SPLITS,
)
PNG = Form(
    title="class folders of PNG files",
    file_name=re.compile(r"(im)(\d+)\.png"),
    example=dict.fromkeys(PARTS, "im<number>.png"),
    split_of={(part, "im"): part for part in PARTS},
    split_names=PARTS,
)
FORMS = (JPEG, PNG)


class _Place(NamedTuple):
    """Where a picture lies, and what follows from it."""

    part: str
    folder: str
    label: int
    file: str


def is_picture(name: str) -> bool:
    """Whether a file is called like a picture, whatever is in it."""
    return name.lower().endswith((".jpg", ".jpeg", ".png"))


def root_of(name: str) -> str | None:
    """The folder above `train` and `test` for a file of a class folder.

    Args:
        name: a relative name, with forward slashes.

    Returns:
        The folder with a slash at its end, empty when there is none above
        them; None when the file lies elsewhere.
    """
    parts = name.split("/")
    if len(parts) < 3 or parts[-3] not in PARTS or not _is_class(parts[-2]):
        return None
    return "".join(f"{part}/" for part in parts[:-3])


def form_of(name: str) -> Form | None:
    """Which form a picture belongs to by its name; None for no form."""
    file = name.rsplit("/", 1)[-1]
    return next((f for f in FORMS if f.file_name.fullmatch(file)), None)


def find_roots(names: Iterable[str]) -> dict[str, Form | None]:
    """The copies among the files of a tree.

    Returns:
        Folder above `train` and `test`, as `root_of` gives it -> form of its
        first file of a known form; None when it has no such file.
    """
    roots: dict[str, Form | None] = {}
    for name in names:
        root = root_of(name)
        if root is not None and roots.get(root) is None:
            roots[root] = form_of(name)
    return roots


def read_faces(tree: FileTree, root: str) -> FaceRecords:
    """Reads and checks every picture under `train` and `test`.

    Args:
        tree: what holds the pictures.
        root: the folder above `train` and `test`, as `find_roots` gives it.

    Returns:
        The faces by part, folder and number; the ids are the names relative
        to the root, with forward slashes.

    Raises:
        SourceError: a folder is absent or of no known class, files of the two
            forms are mixed, or a picture has another name, cannot be decoded
            or is not 48x48 grey.
    """
    reader = _Reader(tree, root)
    with warnings.catch_warnings():
        # Pillow only warns of pictures that would take gigabytes.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for name, content in tree.walk(
            reader.is_inside, face_pictures.MAX_BYTES
        ):
            reader.add(name, content)
    return reader.records()


class _Reader:
    def __init__(self, tree: FileTree, root: str):
        self._tree = tree
        self._root = root
        self._form: Form | None = None
        self._folders: dict[tuple[str, int], str] = {}
        self._faces = FaceCollector(str(tree.path))
        self._keys: list[tuple] = []

    def is_inside(self, name: str) -> bool:
        """Whether a file lies in `train` or `test`."""
        return name.startswith(tuple(f"{self._root}{part}/" for part in PARTS))

    def add(self, name: str, content: bytes) -> None:
        """Checks a file and keeps its face."""
        place = self._place(name)
        self._form = self._form or form_of(name)
        match = self._form and self._form.file_name.fullmatch(place.file)
        split = match and self._form.split_of.get((place.part, match[1]))
        if not split:
            raise self._misnamed(name, place)
        self._faces.add(
            face_pictures.decode_face(content, self._tree.where(name)),
            label=place.label,
            split=split,
            name=name.removeprefix(self._root),
        )
        # Numbers count up in the original order, "10" comes after "9".
        number = (len(match[2]), match[2])
        part = PARTS.index(place.part)
        self._keys.append((part, place.folder, match[1], number, place.file))

    def records(self) -> FaceRecords:
        """All faces in their natural order."""
        names = labels.class_names("fer2013")
        for part in PARTS:
            found = {label for p, label in self._folders if p == part}
            lacking = [n for i, n in enumerate(names) if i not in found]
            if lacking:
                raise SourceError(
                    f"{self._tree.where(self._root + part)}: there are no "
                    f"pictures of {', '.join(lacking)}. Both "
                    f"{' and '.join(PARTS)} are needed, with a folder for each "
                    "class: get the whole data set."
                )
        order = sorted(range(len(self._keys)), key=self._keys.__getitem__)
        return self._faces.records(self._form.split_names).take(order)

    def _place(self, name: str) -> _Place:
        part, *folders, file = name.removeprefix(self._root).split("/")
        folder = folders[0] if len(folders) == 1 else ""
        label = _label_of(folder)
        # Two folders of one class are as wrong as a folder of none.
        known = self._folders.setdefault((part, label), folder)
        if label is None or known != folder:
            raise SourceError(
                f"{self._tree.where(name)}: expected one folder for each class "
                f"of {', '.join(labels.class_names('fer2013'))}, pictures in "
                "them and nothing else. Rename, merge or remove what is in "
                "the way."
            )
        return _Place(part, folder, label, file)

    def _misnamed(self, name: str, place: _Place) -> SourceError:
        forms = FORMS if self._form is None else (self._form,)
        wanted = " or ".join(form.example[place.part] for form in forms)
        return SourceError(
            f"{self._tree.where(name)}: expected only files called {wanted} "
            "here. Move or remove it."
        )


def _label_of(folder: str) -> int | None:
    names = labels.class_names("fer2013")
    name = labels.canonical_name(folder) if _is_class(folder) else ""
    return names.index(name) if name in names else None


def _is_class(name: str) -> bool:
    try:
        labels.canonical_name(name)
    except ValueError:
        return False
    return True

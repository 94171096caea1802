"""Faces as picture files in one folder per class, as Kaggle hands them out.

Three copies exist. `train|test/<class>/<Usage>_<number>.jpg` tells all three
splits apart by the file name, since `test` holds PublicTest and PrivateTest. In
`train|test/<class>/im<number>.png` and `train|validation/<class>/<number>.jpg`
the folders are the splits. The class comes from the folder name, never from its
position. Nothing is written or unpacked to disk.
"""

import re
import warnings
from collections.abc import Iterable
from typing import NamedTuple

from PIL import Image

from fer_tfds import labels
from fer_tfds.sources.archives.trees import FileTree
from fer_tfds.sources.fer2013 import face_pictures
from fer_tfds.sources.records import SPLIT_OF_FOLDER
from fer_tfds.sources.records import SPLITS
from fer_tfds.sources.records import FaceCollector
from fer_tfds.sources.records import FaceRecords
from fer_tfds.sources.records import SourceError


class Form(NamedTuple):
    """One of the ways in which the files of a copy are called.

    Attributes:
        title: what it is, in words.
        file_name: matches names; the groups are what precedes the number, and
            the number.
        example: what files in the folder of a split are called, for messages.
        split_of: split that the folder names, and first group -> split; no
            entry for what is misplaced.
        split_names: the splits that are told apart; empty where those are the
            folders that are there.
    """

    title: str
    file_name: re.Pattern
    example: dict[str, str]
    split_of: dict[tuple[str, str], str]
    split_names: tuple[str, ...] = ()


JPEG = Form(
    title="class folders of JPEG files",
    file_name=re.compile(r"(Training|PublicTest|PrivateTest)_(\d+)\.jpe?g"),
    example={
        "train": "Training_<number>.jpg",
        "validation": "PublicTest_<number>.jpg",
        "test": "PublicTest_<number>.jpg or PrivateTest_<number>.jpg",
    },
    split_of={
        ("train", "Training"): "train",
        ("validation", "PublicTest"): "validation",
        ("test", "PublicTest"): "validation",
        ("test", "PrivateTest"): "test",
    },
    split_names=SPLITS,
)
PNG = Form(
    title="class folders of PNG files",
    file_name=re.compile(r"(im)(\d+)\.png"),
    example=dict.fromkeys(SPLITS, "im<number>.png"),
    split_of={(split, "im"): split for split in SPLITS},
)
NUMBERS = Form(
    title="class folders of numbered files",
    file_name=re.compile(r"()(\d+)\.(?:jpe?g|png)"),
    example=dict.fromkeys(SPLITS, "<number>.jpg"),
    split_of={(split, ""): split for split in SPLITS},
)
_FORMS = (JPEG, PNG, NUMBERS)


class _Place(NamedTuple):
    """Where a picture lies, and what follows from it.

    The part is the split that the folder above the classes names.
    """

    part: str
    folder: str
    label: int
    file: str


def is_picture(name: str) -> bool:
    """Whether a file is called like a picture, whatever is in it."""
    return name.lower().endswith((".jpg", ".jpeg", ".png"))


def root_of(name: str) -> str | None:
    """The folder above those of the splits for a file of a class folder.

    Args:
        name: a relative name, with forward slashes.

    Returns:
        The folder with a slash at its end, empty when there is none above
        them; None when the file lies elsewhere.
    """
    parts = name.split("/")
    if len(parts) < 3 or not _part_of(parts[-3]) or not _is_class(parts[-2]):
        return None
    return "".join(f"{part}/" for part in parts[:-3])


def form_of(name: str) -> Form | None:
    """Which form a picture belongs to by its name; None for no form."""
    file = name.rsplit("/", 1)[-1]
    return next((f for f in _FORMS if f.file_name.fullmatch(file)), None)


def find_roots(names: Iterable[str]) -> dict[str, Form | None]:
    """The copies among the files of a tree.

    Returns:
        Folder above those of the splits, as `root_of` gives it -> form of its
        first file of a known form; None when it has no such file.
    """
    roots: dict[str, Form | None] = {}
    for name in names:
        root = root_of(name)
        if root is not None and roots.get(root) is None:
            roots[root] = form_of(name)
    return roots


def read_faces(tree: FileTree, root: str) -> FaceRecords:
    """Reads and checks every picture in the folders of the splits.

    Args:
        tree: what holds the pictures.
        root: the folder above them, as `find_roots` gives it.

    Returns:
        The faces by part, folder and number; the ids are the names relative
        to the root, with forward slashes.

    Raises:
        SourceError: a folder is absent or of no known class, files of two
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
        """Whether a file lies in the folder of a split."""
        folder, *below = name.removeprefix(self._root).split("/")
        is_below = name.startswith(self._root) and bool(below)
        return is_below and _part_of(folder) is not None

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
        part = SPLITS.index(place.part)
        self._keys.append((part, place.folder, match[1], number, place.file))

    def records(self) -> FaceRecords:
        """All faces in their natural order."""
        names = labels.class_names("fer2013")
        parts = self._needed_parts()
        for part in parts:
            found = {label for p, label in self._folders if p == part}
            lacking = [n for i, n in enumerate(names) if i not in found]
            if lacking:
                raise SourceError(
                    f"{self._tree.where(self._root + part)}: there are no "
                    f"pictures of {', '.join(lacking)}. "
                    f"{' and '.join(parts)} are needed, with a folder for each "
                    "class: get the whole data set."
                )
        order = sorted(range(len(self._keys)), key=self._keys.__getitem__)
        return self._faces.records(self._form.split_names or parts).take(order)

    def _needed_parts(self) -> tuple[str, ...]:
        """Train, what else there is, and something to test on."""
        there = {part for part, _ in self._folders} | {"train"}
        if len(there) == 1:
            there.add("test")
        return tuple(split for split in SPLITS if split in there)

    def _place(self, name: str) -> _Place:
        top, *folders, file = name.removeprefix(self._root).split("/")
        part = _part_of(top)
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
        forms = _FORMS if self._form is None else (self._form,)
        wanted = " or ".join(form.example[place.part] for form in forms)
        return SourceError(
            f"{self._tree.where(name)}: expected only files called {wanted} "
            "here. Move or remove it."
        )


def _part_of(folder: str) -> str | None:
    """The split that a folder's name stands for."""
    return SPLIT_OF_FOLDER.get(folder.lower())


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

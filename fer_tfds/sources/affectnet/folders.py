"""Kaggle copies of AffectNet in folders: `train|val|test/<class>/<picture>`.

Classes are names or numbers. Numbers mean different classes in different
copies, the official ids or places in the alphabet, so they are never guessed:
the user has to say what they mean.
"""

import dataclasses
from collections.abc import Iterable
from collections.abc import Iterator
from pathlib import Path

from fer_tfds.sources.affectnet import records as records
from fer_tfds.sources.affectnet import settings
from fer_tfds.sources.affectnet.records import Annotation
from fer_tfds.sources.affectnet.records import Reason
from fer_tfds.sources.affectnet.records import Reject
from fer_tfds.sources.affectnet.records import Rejected
from fer_tfds.sources.archives import file_trees
from fer_tfds.sources.fer2013 import class_folders
from fer_tfds.sources.records import SPLIT_OF_FOLDER
from fer_tfds.sources.records import SourceError

# FER-2013 comes in the same folders; of its file names these give it away.
_FER2013_FORMS = (class_folders.JPEG, class_folders.PNG)


@dataclasses.dataclass(frozen=True)
class ClassFolders(records.Source):
    """A copy whose folders are its only labels.

    Attributes:
        class_names: what numbered folders mean; empty when classes are names.
    """

    class_names: tuple[tuple[str, str], ...]
    note = (
        "This is taken for AffectNet by its folder names alone: look at some "
        "pictures. Where it is another data set, build it with `tfds build "
        "fer_tfds/image_folder`."
    )

    def annotations(self) -> Iterator[Annotation | Reject]:
        """Every picture under the prefix, in the order of its name."""
        with file_trees.open_tree(self.path) as tree:
            names = tree.names()
        meaning = dict(self.class_names)
        for name in names:
            if name.startswith(self.prefix) and records.is_image(name):
                yield _make_row(name.removeprefix(self.prefix), meaning)


def find_prefixes(names: list[str]) -> list[str]:
    """Folders, as prefixes of names, in which such a copy lies."""
    return sorted({prefix for prefix, _ in _places(names)})


def make_source(
    path: Path, prefix: str, names: list[str], *, class_names: dict[str, str]
) -> ClassFolders:
    """A copy below a prefix.

    Args:
        path: the folder or archive.
        prefix: one of `find_prefixes`.
        names: of files in it; a sample will do.
        class_names: what numbered folders mean.

    Raises:
        SourceError: folders are called by numbers that have no meaning, or
            this is FER-2013.
    """
    inside = [n for n in names if n.startswith(prefix) and records.is_image(n)]
    forms = [class_folders.form_of(name) in _FER2013_FORMS for name in inside]
    if 2 * sum(forms) > len(forms):
        raise SourceError(
            f"{path}: the pictures are called like those of FER-2013. Build it "
            "with `tfds build fer_tfds/fer2013`; your own pictures with `tfds "
            "build fer_tfds/image_folder`."
        )
    # Other pictures may lie beside the folders of the splits.
    classes = {name for above, name in _places(inside) if above == prefix}
    numbers = sorted(filter(records.is_number, classes), key=int)
    unknown = [number for number in numbers if number not in class_names]
    if unknown:
        raise SourceError(_ask_for_map(path, prefix, numbers))
    return ClassFolders(
        path=path,
        form="class folders" + (" called by numbers" if numbers else ""),
        prefix=prefix,
        class_names=tuple(class_names.items()) if numbers else (),
    )


def _places(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Prefix and class folder of each picture that lies as it should."""
    for name in filter(records.is_image, names):
        *above, split, class_name, _ = ["", "", *name.split("/")]
        if split.lower() in SPLIT_OF_FOLDER and _is_class(class_name):
            yield "".join(f"{part}/" for part in above if part), class_name


def _is_class(name: str) -> bool:
    if records.is_number(name):
        return True
    try:
        records.parse_class(name)
    except Rejected:
        return False
    return True


def _make_row(path: str, meaning: dict[str, str]) -> Annotation | Reject:
    folders = path.split("/")[:-1]
    split = SPLIT_OF_FOLDER.get(folders[0].lower() if folders else "", "train")
    try:
        path = records.parse_path(path)
        if len(folders) != 2 or folders[0].lower() not in SPLIT_OF_FOLDER:
            raise Rejected(Reason.BAD_PATH, "not in <split>/<class>/")
        label = records.parse_class(meaning.get(folders[1], folders[1]))
        if label == records.NO_FACE:
            raise Rejected(Reason.NO_FACE)
        return Annotation(split=split, id=path, image=path, label=label)
    except Rejected as error:
        return Reject(split, path, error.reason, error.detail)


def _ask_for_map(path: Path, prefix: str, numbers: list[str]) -> str:
    return (
        f"{path / prefix}: the class folders are called {', '.join(numbers)}. "
        "Copies differ in what the numbers mean: the official ids, or places "
        "in the alphabet. Look at some pictures, and say it in a file "
        f"{settings.FILE_NAME} beside the data, for example with "
        f"the official ids: {settings.example_map(numbers)}"
    )

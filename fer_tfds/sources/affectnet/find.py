"""AffectNet in any of the forms in which people have it.

Forms are recognised by what a folder or archive holds. To add one, write its
reader beside this file and add it to `_find_in_folder` or `_find_in_archive`.
"""

import collections
import os
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

from fer_tfds.sources.absent import no_copy_in
from fer_tfds.sources.affectnet import arrays
from fer_tfds.sources.affectnet import folders
from fer_tfds.sources.affectnet import full
from fer_tfds.sources.affectnet import settings as affectnet_settings
from fer_tfds.sources.affectnet import table
from fer_tfds.sources.affectnet.records import IMAGE_SUFFIXES
from fer_tfds.sources.affectnet.records import Source
from fer_tfds.sources.affectnet.settings import CopySettings
from fer_tfds.sources.archives import file_trees
from fer_tfds.sources.archives.trees import check_path
from fer_tfds.sources.records import SourceError

_ACCEPTED_FORMS = """\
  training.csv, validation.csv and Manually_Annotated_Images/   the release; or
  train_set/, val_set/, with images/ and annotations/           AffectNet-8; or
  labels.csv and a folder of pictures for each class            Kaggle; or
  train/, val/ or test/ with a folder for each class            Kaggle.
The last two may be in a zip file."""

# How far a copy may be nested in folders that hold nothing else.
_MAX_DEPTH = 6
_MAX_FOLDERS = 5_000
# Files looked at in a folder, of a kind that comes once, and of a kind that
# comes by the thousand: enough of them to see what they are.
_MAX_FILES_OF_KIND = (1_000, 20)
_MANY_KINDS = (*IMAGE_SUFFIXES, "_exp.npy", "_val.npy", "_aro.npy", "_lnd.npy")
_PLAIN_KINDS = (*_MANY_KINDS, ".csv", ".json", ".txt")

_HEAD_BYTES = 4096

_Find = Callable[[], Source]


def find_source(manual_dir: Path, settings: CopySettings) -> Source:
    """Finds the one copy of AffectNet in a folder.

    Args:
        manual_dir: the folder in which the user has put the raw data, or a
            zip file.
        settings: what the user says about it.

    Returns:
        The copy, not read yet.

    Raises:
        SourceError: there is no copy or several, or it is not as it must be.
    """
    if not manual_dir.exists():
        raise no_copy_in(manual_dir, "AffectNet", _ACCEPTED_FORMS)
    try:
        return _find_one(manual_dir, settings)
    except OSError as error:
        raise SourceError(
            f"{error.filename or manual_dir}: it cannot be read ({error}). "
            "Check that you may read all of the data."
        ) from error


def _find_one(manual_dir: Path, settings: CopySettings) -> Source:
    found = list(_find_all(manual_dir, settings))
    if not found:
        raise no_copy_in(manual_dir, "AffectNet", _ACCEPTED_FORMS)
    if len(found) > 1:
        listed = "\n".join(f"  {where} ({form})" for where, form, _ in found)
        raise SourceError(
            f"{manual_dir}: several copies of AffectNet in here:\n{listed}\n"
            "Keep one of them, move the others elsewhere, and build again; or "
            "give the folder of one as --manual_dir."
        )
    source = found[0][2]()
    check_path(source.path)
    if settings.class_names and not getattr(source, "class_names", ()):
        raise SourceError(
            f"{source.path} ({source.form}): `class_names` in "
            f"{affectnet_settings.FILE_NAME} says what numbered class folders "
            "mean, and there are none. Remove it."
        )
    return source


def _find_all(
    manual_dir: Path, settings: CopySettings
) -> Iterator[tuple[str, str, _Find]]:
    """Yields where each copy is, what it is, and how to get its source."""
    if manual_dir.is_file():
        yield from _find_in_archive(manual_dir, settings)
        return
    names = list(_survey(manual_dir))
    yield from _find_in_folder(manual_dir, names, settings)
    for name in names:
        if _kind(name) not in _PLAIN_KINDS:
            yield from _find_in_archive(manual_dir / name, settings)


def _find_in_folder(
    folder: Path, names: list[str], settings: CopySettings
) -> Iterator[tuple[str, str, _Find]]:
    tables: dict[Path, dict[str, Path]] = {}
    for name in filter(_is_table, names):
        path = folder / name
        head = _read_head(path)
        split = full.split_of(name)
        if table.looks_like_table(head):
            yield _table(folder, name)
        elif split and full.looks_like_annotations(head):
            if split in tables.setdefault(path.parent, {}):
                raise _two_tables(path, tables[path.parent][split])
            tables[path.parent][split] = path
    for parent, found in tables.items():
        yield (
            str(parent),
            "full release",
            lambda found=found: full.make_source(found, folder),
        )
    for prefix in _array_prefixes(names):
        yield (
            str(folder / prefix),
            "AffectNet-8",
            lambda p=prefix: arrays.make_source(folder, p),
        )
    yield from _class_folders(folder, names, settings)


def _find_in_archive(
    path: Path, settings: CopySettings
) -> Iterator[tuple[str, str, _Find]]:
    if not file_trees.is_zip(path):
        return
    with file_trees.open_tree(path) as tree:
        names = tree.names()
        tables = [
            name
            for name in filter(_is_table, names)
            if table.looks_like_table(_head_of(tree, name))
        ]
    found = [_table(path, name) for name in tables]
    found += _class_folders(path, names, settings)
    yield from found
    if not found and list(_array_prefixes(names)):
        raise SourceError(
            f"{path}: AffectNet-8 in an archive, where each of some hundred "
            "thousand small files would have to be looked up. Unpack it, and "
            "give the folder as --manual_dir."
        )


def _table(path: Path, name: str) -> tuple[str, str, _Find]:
    return (
        str(path / name),
        "class folders with labels.csv",
        lambda: table.make_source(path, name),
    )


def _class_folders(
    path: Path, names: list[str], settings: CopySettings
) -> Iterator[tuple[str, str, _Find]]:
    for prefix in folders.find_prefixes(names):
        yield (
            str(path / prefix),
            "class folders",
            lambda p=prefix: folders.make_source(
                path, p, names, class_names=settings.class_names
            ),
        )


def _array_prefixes(names: list[str]) -> Iterator[str]:
    prefixes = set()
    for name in names:
        *above, split, kind, file_name = ["", "", *name.split("/")]
        if (
            split in arrays.SPLIT_OF_FOLDER
            and kind == "annotations"
            and file_name.endswith(arrays.LABEL_SUFFIX)
        ):
            prefixes.add("".join(f"{part}/" for part in above if part))
    yield from sorted(prefixes)


def _survey(folder: Path) -> Iterator[str]:
    """Names of files below a folder: of each kind in a folder a few.

    Folders are listed as a stream: one may hold a million files.
    """
    waiting = [("", 0)]
    num_folders = 0
    while waiting and num_folders < _MAX_FOLDERS:
        prefix, depth = waiting.pop(0)
        num_folders += 1
        seen = collections.Counter()
        with os.scandir(folder / prefix) as entries:
            for entry in entries:
                if entry.name[0] == ".":
                    continue
                name = prefix + entry.name
                if entry.is_dir() and depth < _MAX_DEPTH:
                    waiting.append((f"{name}/", depth + 1))
                elif entry.is_file():  # to open a pipe would take for ever
                    kind = _kind(name)
                    seen[kind] += 1
                    if seen[kind] <= _MAX_FILES_OF_KIND[kind in _MANY_KINDS]:
                        yield name


def _kind(name: str) -> str:
    """The end of a file name: `_exp.npy` for annotations, else `.suffix`."""
    name = name.lower()
    return name[-8:] if name.endswith(".npy") else os.path.splitext(name)[1]


def _is_table(name: str) -> bool:
    return name.lower().endswith(".csv")


def _read_head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)


def _head_of(tree: file_trees.FileTree, name: str) -> bytes:
    with tree.open(name) as stream:
        return stream.peek(_HEAD_BYTES)[:_HEAD_BYTES]


def _two_tables(path: Path, other: Path) -> SourceError:
    return SourceError(
        f"{path} and {other} both have the columns of AffectNet's full "
        "release, and names that stand for the same split. Keep one of them."
    )

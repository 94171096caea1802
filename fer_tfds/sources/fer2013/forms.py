"""The forms in which people have FER-2013, recognised by what files hold.

To add a form, write its reader beside this file and have `find_in_folder` or
`find_in_file` offer it. Which of several copies is meant is not decided here.
"""

import dataclasses
import functools
import gzip
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from fer_tfds.sources.archives import file_trees
from fer_tfds.sources.archives.trees import FileTree
from fer_tfds.sources.archives.trees import damage_in
from fer_tfds.sources.archives.trees import guard
from fer_tfds.sources.fer2013 import class_folders
from fer_tfds.sources.fer2013 import csv_rows
from fer_tfds.sources.records import SPLIT_OF_FOLDER
from fer_tfds.sources.records import FaceRecords
from fer_tfds.sources.records import SourceError

_HEAD_BYTES = 4096
_GZIP_MAGIC = b"\x1f\x8b"


@dataclasses.dataclass(frozen=True)
class Source:
    """Raw data that was found but not read yet.

    Attributes:
        form: what it is, in words.
        path: the file or folder.
        read: reads and checks all of it; raises `SourceError`.
        is_complete: whether it can be all of FER-2013; a CSV file without a
            column is offered as well, so that it is not overlooked.
    """

    form: str
    path: Path
    read: Callable[[], FaceRecords]
    is_complete: bool = True


@dataclasses.dataclass
class _Contents:
    """What a folder or archive holds that may be a copy.

    Attributes:
        roots: folders above class folders, and the form of their files.
        complete: names of CSV files with all columns.
        partial: names of CSV files with some of them.
        others: names of what else is no picture.
    """

    roots: dict[str, class_folders.Form | None]
    complete: list[str]
    partial: list[str]
    others: list[str]


def find_in_folder(folder: Path) -> Iterator[Source]:
    """Finds class folders that lie directly in a folder."""
    names = [
        "/".join(file.parts[-3:])
        for part in sorted(folder.iterdir())
        if part.name.lower() in SPLIT_OF_FOLDER
        for file in part.glob("*/*")
    ]
    roots = class_folders.find_roots(names)
    if "" in roots:
        yield _folder_source(folder, "", roots[""], where="")


def find_in_file(path: Path) -> Iterator[Source]:
    """Finds what copies are in a file: in itself, a zip or a tar archive.

    Raises:
        SourceError: it is an archive, and damaged or refused.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if csv_rows.looks_like_faces(head):
        is_complete = csv_rows.has_all_columns(head)
        read = functools.partial(_read_csv, path)
        yield Source("CSV file", path, read, is_complete=is_complete)
        return
    tree = file_trees.open_tree(path)
    if tree is not None:
        with tree:
            yield from _find_in_archive(tree)
    elif head.startswith(_GZIP_MAGIC):
        yield from _find_in_gzip(path)


def _find_in_gzip(path: Path) -> Iterator[Source]:
    """Finds a CSV file that is compressed and in no archive."""
    with gzip.open(path) as file, damage_in(str(path)):
        head = file.read(_HEAD_BYTES)
    if csv_rows.looks_like_faces(head):
        yield Source(
            form="CSV file, compressed with gzip",
            path=path,
            read=functools.partial(_read_csv, path, open_file=gzip.open),
            is_complete=csv_rows.has_all_columns(head),
        )


def _find_in_archive(tree: FileTree) -> Iterator[Source]:
    contents = _look(tree)
    where = f" in a {tree.kind}"
    for root, form in contents.roots.items():
        yield _folder_source(tree.path, root, form, where=where)
    for name in contents.complete:
        yield _csv_source(tree, name, where)
    if contents.roots or contents.complete:
        return
    nested = list(_find_nested(tree, contents.others))
    yield from nested
    if not nested:
        for name in contents.partial:
            yield _csv_source(tree, name, where, is_complete=False)


def _find_nested(tree: FileTree, names: list[str]) -> Iterator[Source]:
    """Finds tar archives with a CSV file inside a zip archive."""
    for name in names if tree.has_random_access else ():
        with tree.open(name) as stream:
            if not file_trees.is_tar(stream, tree.where(name)):
                continue
        if _look(file_trees.open_tar_within(tree, name)).complete:
            yield Source(
                form=f"CSV file in the tar archive {name} in a {tree.kind}",
                path=tree.path,
                read=functools.partial(_read_nested, tree.path, name),
            )


def _look(tree: FileTree) -> _Contents:
    """Looks at all names, and at how files begin that are no pictures.

    A tar archive is read no further than to its first complete CSV file:
    `_read_only_csv` looks at what comes behind.
    """
    names: list[str] = []
    contents = _Contents({}, [], [], [])
    for name, stream in tree.streams(_not_pictures(names)):
        head = stream.peek(_HEAD_BYTES)
        _sort_in(contents, name, head)
        if contents.complete and not tree.has_random_access:
            break
    contents.roots = class_folders.find_roots(names)
    return contents


def _not_pictures(names: list[str]) -> Callable[[str], bool]:
    """Wants what is no picture, and lists every name that it is asked for."""

    def is_wanted(name: str) -> bool:
        names.append(name)
        return not class_folders.is_picture(name)

    return is_wanted


def _sort_in(contents: _Contents, name: str, head: bytes) -> None:
    if csv_rows.has_all_columns(head):
        contents.complete.append(name)
    elif csv_rows.looks_like_faces(head):
        contents.partial.append(name)
    else:
        contents.others.append(name)


def _csv_source(
    tree: FileTree, name: str, where: str, *, is_complete: bool = True
) -> Source:
    return Source(
        form=f"CSV file {name}{where}",
        path=tree.path,
        read=functools.partial(_read_member, tree.path, name),
        is_complete=is_complete,
    )


def _folder_source(
    path: Path, root: str, form: class_folders.Form | None, *, where: str
) -> Source:
    inside = f", under {root}" if root else ""
    return Source(
        form=(form.title if form else "class folders") + where + inside,
        path=path,
        read=functools.partial(_read_folders, path, root),
    )


def _read_csv(
    path: Path, *, open_file: Callable[..., BinaryIO] = open
) -> FaceRecords:
    with open_file(path, "rb") as file:
        return csv_rows.read_faces(guard(file.read, str(path)), str(path))


def _read_folders(path: Path, root: str) -> FaceRecords:
    with file_trees.open_tree(path) as tree:
        return class_folders.read_faces(tree, root)


def _read_member(path: Path, name: str) -> FaceRecords:
    with file_trees.open_tree(path) as tree:
        return _read_csv_in(tree, name)


def _read_nested(path: Path, name: str) -> FaceRecords:
    with file_trees.open_tree(path) as tree:
        nested = file_trees.open_tar_within(tree, name)
        return _read_csv_in(nested, "".join(_look(nested).complete))


def _read_csv_in(tree: FileTree, wanted: str) -> FaceRecords:
    """Reads one CSV file; in a tar archive, looks for others on the way."""
    names: list[str] = []
    faces = None
    is_wanted = _not_pictures(names)
    if tree.has_random_access:
        is_wanted = frozenset([wanted]).__contains__
    for name, stream in tree.streams(is_wanted):
        if name == wanted:
            faces = csv_rows.read_faces(stream, tree.where(name))
        elif csv_rows.has_all_columns(stream.peek(_HEAD_BYTES)):
            raise _several(tree.path, [wanted, name])
    if roots := class_folders.find_roots(names):
        raise _several(tree.path, [wanted, *(f"{r}train" for r in roots)])
    if faces is None:  # somebody has changed the archive since
        raise SourceError(f"{tree.where(wanted)}: it is gone. Build again.")
    return faces


def _several(path: Path, names: list[str]) -> SourceError:
    return SourceError(
        f"{path}: several copies of FER-2013 in it: {', '.join(names)}. Unpack "
        "it and name the one to use: --manual_dir=FILE."
    )

"""Labelled pictures in any of the forms in which people have them."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from fer_tfds.sources.absent import no_copy_in
from fer_tfds.sources.archives import file_trees
from fer_tfds.sources.archives.trees import FileTree
from fer_tfds.sources.archives.trees import check_path
from fer_tfds.sources.image_folder import class_folders
from fer_tfds.sources.image_folder import other_data_sets
from fer_tfds.sources.image_folder import raf_db
from fer_tfds.sources.image_folder import settings
from fer_tfds.sources.image_folder import table
from fer_tfds.sources.image_folder import table_text
from fer_tfds.sources.image_folder.records import Source
from fer_tfds.sources.image_folder.records import is_image
from fer_tfds.sources.image_folder.table_text import header
from fer_tfds.sources.records import SourceError

_ACCEPTED_FORMS = """\
  <class>/<picture>            a folder for each class; or
  train/<class>/<picture>      the same for each split (train, validation,
                               test); or
  labels.csv and pictures      columns path,label and, if you have them,
                               split and group (who or what series it is);
  each of them also in a zip file. RAF-DB and CK+48 are read as they come."""

_TABLES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
_TARS = (".tar", ".tar.gz", ".tgz")
_HEAD_BYTES = 4096


def find_source(manual_dir: Path) -> Source:
    """Finds the labelled pictures in a folder.

    Args:
        manual_dir: the folder in which the user has put them, or a zip file.

    Returns:
        The pictures, listed and not read yet.

    Raises:
        SourceError: there are none, or they are not as they must be.
    """
    tree = file_trees.open_tree(manual_dir) if manual_dir.exists() else None
    if tree is None:
        raise _nothing_in(manual_dir)
    with tree:
        names = tree.names()
        _check_settings(manual_dir, names)
        heads = {n: _head(tree, n) for n in names if _is_table_file(n)}
        other_data_sets.refuse(tree.path, names, heads)
        source = _find_in(tree, names, heads)
    if source is None:
        source = _find_in_archive(manual_dir, names, heads)
    check_path(source.path)
    return source


def _nothing_in(place: Path) -> SourceError:
    if place.is_file() and _is_table_file(place.name):
        return SourceError(
            f"{place}: give the folder that it is in: "
            f"--manual_dir={place.parent}"
        )
    return no_copy_in(place, "labelled pictures", _ACCEPTED_FORMS)


def _check_settings(manual_dir: Path, names: list[str]) -> None:
    """Refuses settings that lie where they would not be read."""
    folder = manual_dir if manual_dir.is_dir() else manual_dir.parent
    inside = [n for n in names if n.rsplit("/", 1)[-1] == settings.FILE_NAME]
    if inside and not (folder / settings.FILE_NAME).is_file():
        raise SourceError(
            f"{manual_dir} ({inside[0]}): it is read in {folder} alone. Copy "
            "it there, and build again."
        )


def _is_table_file(name: str) -> bool:
    return name.lower().endswith(_TABLES)


def _head(tree: FileTree, name: str) -> bytes:
    if not tree.has_random_access:
        return b""
    with tree.open(name) as stream:
        return stream.peek(_HEAD_BYTES)[:_HEAD_BYTES]


def _find_in_archive(
    manual_dir: Path, names: list[str], heads: Mapping[str, bytes]
) -> Source:
    """The one archive in a folder without pictures."""
    archives = [
        manual_dir / name
        for name in names
        if manual_dir.is_dir() and _is_archive(manual_dir / name)
    ]
    tables = [n for n, h in heads.items() if table.is_table(header(h))]
    if tables:
        raise SourceError(
            f"{manual_dir} ({tables[0]}): there are no pictures beside this "
            "table. Put them there, unpacked, or put both into one zip file."
        )
    if len(archives) > 1:
        raise SourceError(
            f"{manual_dir}: several archives in here: "
            f"{', '.join(path.name for path in archives[:8])}. Give the one "
            "that is meant: --manual_dir=FILE.zip"
        )
    if archives:
        return find_source(archives[0])
    raise _nothing_in(manual_dir)


def _is_archive(path: Path) -> bool:
    """Whether it is a zip file, or a tar archive that can be refused."""
    is_tar = path.name.lower().endswith(_TARS)
    return file_trees.is_zip(path) or (
        is_tar and file_trees.open_tree(path) is not None
    )


def _find_in(
    tree: FileTree, names: list[str], heads: Mapping[str, bytes]
) -> Source | None:
    """The pictures in a tree; None where it holds none."""
    images = [name for name in names if is_image(name)]
    if not images:
        return None
    if not tree.has_random_access:
        raise SourceError(
            f"{tree.path}: pictures in a {tree.kind}, which can only be read "
            "from its beginning. Unpack it, and give the folder."
        )
    return (
        raf_db.of_authors(
            tree.path, names, images, read=lambda name: _read(tree, name)
        )
        or raf_db.of_kaggle(tree.path, images)
        or _table_in(tree, images, heads)
        or _class_folders_in(tree.path, images, heads)
    )


def _read(tree: FileTree, name: str) -> str:
    data = tree.read(name, table_text.MAX_BYTES)
    return table_text.decode(data, tree.where(name))


def _table_in(
    tree: FileTree, images: list[str], heads: Mapping[str, bytes]
) -> Source | None:
    tables = [n for n, h in heads.items() if table.is_table(header(h))]
    if len(tables) > 1:
        raise SourceError(
            f"{tree.path}: several tables with a path and a label: "
            f"{', '.join(tables[:8])}. Keep one, with a column `split`, and "
            "move the others elsewhere."
        )
    if not tables:
        return None
    text = _read(tree, tables[0])
    return table.make_source(tree.path, tables[0], text, images=images)


def _class_folders_in(
    path: Path, images: list[str], heads: Mapping[str, bytes]
) -> Source:
    reasons = [
        f"{name} is not read: {reason}."
        for name, head in heads.items()
        if (reason := table.why_not(header(head)))
    ]
    source = class_folders.make_source(path, images)
    if source is None:
        raise SourceError(
            f"{path}: {len(images):,} pictures, and nothing says what they "
            f"show. {' '.join([*reasons, 'Put them like this:'])}\n"
            f"{_ACCEPTED_FORMS}"
        )
    notes = filter(None, [source.note, *reasons])
    return dataclasses.replace(source, note=" ".join(notes))

"""Labelled pictures in any of the forms in which people have them."""

from pathlib import Path

from fer_tfds.sources.absent import no_copy_in
from fer_tfds.sources.archives import file_trees
from fer_tfds.sources.archives.trees import FileTree
from fer_tfds.sources.archives.trees import check_path
from fer_tfds.sources.image_folder import class_folders
from fer_tfds.sources.image_folder import raf_db
from fer_tfds.sources.image_folder import table
from fer_tfds.sources.image_folder.records import Source
from fer_tfds.sources.image_folder.records import is_image
from fer_tfds.sources.records import SourceError

_ACCEPTED_FORMS = """\
  <class>/<picture>            a folder for each class; or
  train/<class>/<picture>      the same for each split (train, validation,
                               test); or
  labels.csv and pictures      columns path,label and, if you have them,
                               split and group (who or what series it is);
  each of them also in a zip file. RAF-DB and CK+48 are read as they come."""

_TABLES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
_FERPLUS = ("fer2013train/label.csv", "fer2013valid/label.csv")


def find_source(manual_dir: Path) -> Source:
    """Finds the labelled pictures in a folder.

    Args:
        manual_dir: the folder in which the user has put them, or a zip file.

    Returns:
        The pictures, listed and not read yet.

    Raises:
        SourceError: there are none, or they are not as they must be.
    """
    if not manual_dir.exists():
        raise no_copy_in(manual_dir, "labelled pictures", _ACCEPTED_FORMS)
    tree = file_trees.open_tree(manual_dir)
    if tree is None:
        raise no_copy_in(manual_dir, "labelled pictures", _ACCEPTED_FORMS)
    with tree:
        names = tree.names()
        source = _find_in(tree, names)
    if source is None:
        source = _find_in_archive(manual_dir, names)
    check_path(source.path)
    return source


def _find_in_archive(manual_dir: Path, names: list[str]) -> Source:
    """The one archive in a folder without pictures."""
    archives = [
        manual_dir / name
        for name in names
        if manual_dir.is_dir() and file_trees.is_zip(manual_dir / name)
    ]
    if len(archives) > 1:
        raise SourceError(
            f"{manual_dir}: several archives in here: "
            f"{', '.join(path.name for path in archives[:8])}. Give the one "
            "that is meant: --manual_dir=FILE.zip"
        )
    if archives:
        return find_source(archives[0])
    raise no_copy_in(manual_dir, "labelled pictures", _ACCEPTED_FORMS)


def _find_in(tree: FileTree, names: list[str]) -> Source | None:
    """The pictures in a tree; None where it holds none."""
    if any(name.lower().endswith(_FERPLUS) for name in names):
        raise SourceError(
            f"{tree.path}: these are the folders of FER+, whose labels are "
            "votes. Put fer2013.csv (or fer2013.tar.gz) and fer2013new.csv "
            "into one folder DIR, and build: tfds build fer_tfds/fer2013 "
            "--config=plus --manual_dir=DIR"
        )
    images = [name for name in names if is_image(name)]
    if not images:
        return None
    if not tree.has_random_access:
        raise SourceError(
            f"{tree.path}: pictures in a {tree.kind}, which can only be read "
            "from its beginning. Unpack it, and give the folder."
        )

    def read(name: str) -> str:
        return table.decode(tree.read(name, table.MAX_BYTES), tree.where(name))

    return (
        raf_db.of_authors(tree.path, names, images, read=read)
        or raf_db.of_kaggle(tree.path, images)
        or _table_in(tree, names, images)
        or _class_folders_in(tree.path, images)
    )


def _table_in(
    tree: FileTree, names: list[str], images: list[str]
) -> Source | None:
    files = [n for n in names if n.lower().endswith(_TABLES)]
    texts = {
        n: table.decode(tree.read(n, table.MAX_BYTES), tree.where(n))
        for n in files
    }
    tables = [name for name, text in texts.items() if table.is_table(text)]
    if len(tables) > 1:
        raise SourceError(
            f"{tree.path}: several tables with a path and a label: "
            f"{', '.join(tables[:8])}. Keep one, with a column `split`, and "
            "move the others elsewhere."
        )
    if not tables:
        return None
    return table.make_source(
        tree.path, tables[0], texts[tables[0]], images=images
    )


def _class_folders_in(path: Path, images: list[str]) -> Source:
    source = class_folders.make_source(path, images)
    if source is None:
        raise SourceError(
            f"{path}: {len(images):,} pictures, and nothing says what they "
            f"show. Put them like this:\n{_ACCEPTED_FORMS}"
        )
    return source

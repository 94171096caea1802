"""Data sets that have a builder of their own, which knows what they hold."""

from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

from fer_tfds.sources.affectnet import arrays
from fer_tfds.sources.affectnet import full
from fer_tfds.sources.fer2013 import csv_rows
from fer_tfds.sources.image_folder import table
from fer_tfds.sources.image_folder import table_text
from fer_tfds.sources.records import SourceError

_FERPLUS = ("fer2013train/label.csv", "fer2013valid/label.csv")
_AFFECTNET = "tfds build fer_tfds/affectnet"


def refuse(
    path: Path, names: Sequence[str], heads: Mapping[str, bytes]
) -> None:
    """Ends the search where a data set is there that another builder reads.

    Args:
        path: the folder or archive.
        names: of all its files.
        heads: table -> how it begins.

    Raises:
        SourceError: there is one; it names the command for it.
    """
    if any(name.lower().endswith(_FERPLUS) for name in names):
        raise SourceError(
            f"{path}: these are the folders of FER+, whose labels are votes. "
            "Put fer2013.csv (or fer2013.tar.gz) and fer2013new.csv into one "
            "folder DIR, and build: tfds build fer_tfds/fer2013 --config=plus "
            "--manual_dir=DIR"
        )
    if any(map(_is_annotation, names)):
        raise _built_by(path, "AffectNet-8, with annotations", _AFFECTNET)
    for name, head in heads.items():
        if full.looks_like_annotations(head):
            raise _built_by(path / name, "AffectNet's full release", _AFFECTNET)
        # Two of its three columns may be those of a table of pictures.
        is_own = table.is_table(table_text.header(head))
        if csv_rows.looks_like_faces(head) and not is_own:
            raise _built_by(
                path / name, "FER-2013", "tfds build fer_tfds/fer2013"
            )


def _is_annotation(name: str) -> bool:
    *_, split, kind, file_name = ["", "", *name.split("/")]
    return (
        split in arrays.SPLIT_OF_FOLDER
        and kind == "annotations"
        and file_name.endswith(arrays.LABEL_SUFFIX)
    )


def _built_by(path: Path, what: str, command: str) -> SourceError:
    return SourceError(
        f"{path}: this is {what}. Build it with: {command} --manual_dir=DIR"
    )

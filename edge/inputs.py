"""What a user names -> files to read, each known as picture or video.

Folders and patterns are opened up, standard input becomes a file. Nothing is
decoded here: a file is told by how it begins, not by its name alone.
"""

import contextlib
import glob
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from collections.abc import Iterator

from PIL import Image

STANDARD_INPUT = "-"
PICTURE_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".bmp", ".gif", ".webp", ".tif"),
    *(".tiff", ".pgm", ".ppm", ".pnm", ".jp2", ".avif", ".ico", ".tga"),
)
VIDEO_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg"),
    *(".ts", ".wmv", ".flv", ".3gp", ".ogv", ".mjpg", ".mjpeg"),
)
# Where in a file -> what stands there, for containers of videos.
VIDEO_MARKS = {
    4: (b"ftyp", b"moov", b"mdat"),  # MP4, MOV
    8: (b"AVI ",),
    0: (b"\x1a\x45\xdf\xa3", b"\x00\x00\x01\xba", b"FLV\x01", b"OggS"),
}


class InputError(ValueError):
    """What was named holds nothing to look at."""


def expand(named: Iterable[str]) -> list[str]:
    """Opens up folders and patterns.

    Args:
      named: files, folders (searched to the bottom, hidden ones left out),
        patterns such as `faces/**/*.png`, or `-`.

    Returns:
      Files in the order named, and sorted inside a folder or pattern; `-`
      stays. A file that is not there stays too, to be reported in its turn.

    Raises:
      InputError: a folder or a pattern holds no picture and no video.
    """
    files = []
    for name in named:
        if os.path.isdir(name):
            files += _files_below(name)
        elif glob.has_magic(name) and not os.path.exists(name):
            files += _matching(name)
        else:
            files.append(name)
    return files


@contextlib.contextmanager
def as_file(name: str) -> Iterator[str]:
    """Gives the path to read: of a copy, where `name` is standard input."""
    if name != STANDARD_INPUT:
        yield name
        return
    with tempfile.NamedTemporaryFile(prefix="edge-") as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
        copy.flush()
        yield copy.name


def is_video(path: str) -> bool:
    """Whether a file is to be read as a video.

    A file that is neither counts as a picture, whose reader says what is
    wrong; so does one that is not there, unless it is named like a video.
    """
    is_named_so = os.path.splitext(path)[1].lower() in VIDEO_SUFFIXES
    try:
        with open(path, "rb") as file:
            head = file.read(16)
    except OSError:
        return is_named_so
    if any(
        head[start:].startswith(marks) for start, marks in VIDEO_MARKS.items()
    ):
        return not _is_picture(path)
    return is_named_so and not _is_picture(path)


def _is_picture(path):
    # AVIF and HEIF pictures begin as MP4 videos do.
    try:
        with Image.open(path):
            return True
    except Exception:  # Pillow's openers raise a dozen kinds.
        return False


def _files_below(folder):
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        paths = (os.path.join(place, name) for name in sorted(names))
        found += [path for path in paths if _is_wanted(path)]
    if not found:
        raise InputError(f"no picture and no video in the folder {folder}")
    return found


def _matching(pattern):
    found = sorted(glob.glob(pattern, recursive=True))
    files = [path for path in found if os.path.isfile(path)]
    if not files:
        raise InputError(f"no file matches the pattern {pattern}")
    return files


def _is_wanted(path):
    name, suffix = os.path.splitext(os.path.basename(path))
    known = PICTURE_SUFFIXES + VIDEO_SUFFIXES
    return suffix.lower() in known and not name.startswith(".")

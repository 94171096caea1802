"""What a user names -> files to read.

Folders and patterns are opened up, standard input becomes a file. Nothing is
decoded here; what a file is, `edge.kinds` tells.
"""

import collections
import contextlib
import glob
import os
import pathlib
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable
from collections.abc import Iterator
from typing import IO
from typing import NamedTuple

from edge import kinds
from edge.pictures import HEIF_ADVICE
from edge.pictures import reads_heif

STANDARD_INPUT = "-"
ADDRESS = re.compile("[A-Za-z][A-Za-z0-9+.-]+://")
# A part of a pattern that stands for folders inside folders.
ANY_DEPTH = "**"
# Kinds of left-out files that are told by an example.
MOST_EXAMPLES = 4


class InputError(ValueError):
    """What was named holds nothing to look at."""


class Expanded(NamedTuple):
    """Files to read, and what the user should know of others.

    Attributes:
      files: in the order named, and sorted inside a folder or pattern.
      remarks: a sentence for each folder of which something is left out.
      unread: how many pictures and folders could not be read.
    """

    files: list[str]
    remarks: list[str]
    unread: int


def expand(named: Iterable[str]) -> Expanded:
    """Opens up folders and patterns.

    Args:
      named: files, folders (searched to the bottom, hidden ones left out),
        patterns such as `faces/**/*.png`, or `-`.

    Returns:
      The files; `-` stays, and so does one that is not there, to be reported
      in its turn.

    Raises:
      InputError: a folder or a pattern holds no picture and no video, or an
        address is named.
    """
    files, remarks, unread = [], [], 0
    for name in named:
        if os.path.isdir(name):
            folder = _Folder(name)
            files += folder.files
            remarks += folder.remarks()
            unread += folder.unread
        elif ADDRESS.match(name) and not os.path.exists(name):
            raise InputError(_about_address(name))
        elif glob.has_magic(name) and not os.path.lexists(name):
            files += _matching(name)
        else:
            files.append(name)
    return Expanded(files, remarks, unread)


@contextlib.contextmanager
def as_file(name: str) -> Iterator[str]:
    """Gives the path to read: of a copy, where `name` is standard input.

    Raises:
      InputError: `name` is a pipe or a device, or standard input cannot be
        read.
    """
    if name != STANDARD_INPUT:
        special = kinds.special(name)
        if special:
            raise InputError(_about_special(name, special))
        yield name
        return
    with tempfile.NamedTemporaryFile(prefix="edge-") as copy:
        _copy_standard_input(copy)
        yield copy.name


class _Folder:
    """What is in a folder, to the bottom; hidden files are nobody's concern.

    Attributes:
      files: pictures and videos, sorted.
      unread: pictures that cannot be read here, and folders.
    """

    def __init__(self, name: str):
        self.files: list[str] = []
        self.unread = 0
        self._name = name
        self._left_out: dict[str, list[str]] = collections.defaultdict(list)
        self._reads_heif: bool | None = None
        for place, folders, names in os.walk(name, onerror=self._note_closed):
            folders[:] = sorted(f for f in folders if not f.startswith("."))
            for folder in folders:
                self._look_at_folder(os.path.join(place, folder))
            for file in sorted(names):
                if not file.startswith("."):
                    self._look_at(os.path.join(place, file))
        if not self.files:
            said = "".join(f"; {remark}" for remark in self.remarks())
            raise InputError(
                f"no picture and no video in the folder {name}{said}"
            )

    def remarks(self) -> list[str]:
        """A sentence about what is left out, or none."""
        if not self._left_out:
            return []
        count = sum(map(len, self._left_out.values()))
        kinds_out = sorted(
            self._left_out.items(), key=lambda item: -len(item[1])
        )
        parts = [
            f"{len(paths)} {kind}, as {os.path.relpath(paths[0], self._name)}"
            for kind, paths in kinds_out[:MOST_EXAMPLES]
        ]
        if len(kinds_out) > MOST_EXAMPLES:
            parts.append("...")
        advice = "" if self._reads_heif is not False else f". {HEIF_ADVICE}"
        listed = "; ".join(parts)
        return [f"{self._name}: {count} left out ({listed}){advice}"]

    def _note_closed(self, error: OSError) -> None:
        self._left_out[f"unreadable ({error.strerror})"].append(error.filename)
        self.unread += 1

    def _look_at_folder(self, path: str) -> None:
        if os.path.islink(path):
            self._left_out["linked folder"].append(path)

    def _look_at(self, path: str) -> None:
        suffix = os.path.splitext(path)[1].lower()
        special = kinds.special(path)
        if special:
            self._left_out[special.removeprefix("a ")].append(path)
        elif suffix in kinds.HEIF_SUFFIXES and not self._knows_heif():
            self._left_out[suffix].append(path)
            self.unread += 1
        elif suffix in _WANTED:
            self.files.append(path)
        else:
            self._left_out[suffix or "without a suffix"].append(path)

    def _knows_heif(self) -> bool:
        if self._reads_heif is None:
            self._reads_heif = reads_heif()
        return self._reads_heif


_WANTED = frozenset(
    kinds.PICTURE_SUFFIXES + kinds.HEIF_SUFFIXES + kinds.VIDEO_SUFFIXES
)


def _matching(pattern: str) -> list[str]:
    if ANY_DEPTH in pathlib.PurePath(pattern).parts:
        found = _matching_at_any_depth(pattern)
    else:
        found = sorted(glob.glob(pattern))
    files = [path for path in found if not os.path.isdir(path)]
    if not files:
        folders = "; it matches folders: name them themselves" if found else ""
        raise InputError(f"no file matches the pattern {pattern}{folders}")
    return files


def _matching_at_any_depth(pattern: str) -> list[str]:
    """As glob, which follows links to folders and never ends in a loop."""
    path = pathlib.PurePath(pattern)
    if path.name == ANY_DEPTH:  # Alone it means folders to pathlib.
        path /= "*"
    base = pathlib.Path(path.anchor)
    rest = path.relative_to(path.anchor) if path.anchor else path
    wants_hidden = any(part.startswith(".") for part in rest.parts)
    return sorted(
        str(found)
        for found in base.glob(str(rest))
        if wants_hidden or not _is_hidden(found.relative_to(base))
    )


def _is_hidden(path: pathlib.PurePath) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _copy_standard_input(copy: IO[bytes]) -> None:
    if sys.stdin is None:
        raise InputError("cannot read standard input: it is closed")
    try:
        shutil.copyfileobj(sys.stdin.buffer, copy)
        copy.flush()
    except OSError as error:
        raise InputError(
            f"cannot read standard input: {error.strerror}"
        ) from None


def _about_address(name: str) -> str:
    scheme = name.split("://")[0].lower()
    if scheme == "file":
        return f"{name}: give the path without file://"
    if scheme in ("http", "https", "ftp", "ftps"):
        return (
            f"{name} is an address: download it first (curl -LO {name}) and "
            f"name the file; a camera that sends frames: --camera={name}"
        )
    return (
        f"{name} is an address: a camera that sends frames is watched with "
        f"--camera={name}"
    )


def _about_special(name: str, special: str) -> str:
    if special == "a pipe":
        return f"{name} is a pipe; type: cat {name} | python -m edge -"
    if special == "a device":
        return f"{name} is a device; a camera is named so: --camera={name}"
    return f"{name} is {special}, not a file"

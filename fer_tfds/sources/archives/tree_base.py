"""What folders and archives have in common: relative names and bytes.

Names are never used as paths on disk, but they end up in ids and messages, so
those that no honest copy has are refused. Which kind of tree a path is, is
decided in `file_trees`.
"""

import abc
import contextlib
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from typing import Self

from fer_tfds.sources.records import SourceError

# More than twice the files of AffectNet, the largest data set read here.
MAX_FILES = 2_000_000

_MAX_NAME_CHARS = 1024
_PIECE_BYTES = 1 << 16
_MAX_NAMES_LISTED = 8

# Droppings of file managers; names that begin with a dot are left out as well.
_JUNK = ("__macosx", "thumbs.db", "desktop.ini")


class FileTree(abc.ABC):
    """A folder, a zip or a tar archive, with what can be done to all of them.

    Use it in a `with` statement. A folder and a zip file are cheap to open, so
    that each of many processes can open its own.

    Attributes:
        path: the folder or archive, for messages.
        kind: what it is, in words.
        has_random_access: whether `open` and `read` work.
    """

    kind: str
    has_random_access = True

    def __init__(self, path: Path):
        self.path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:  # noqa: B027, most trees hold nothing open
        """Gives back what the tree holds open."""

    @abc.abstractmethod
    def names(self) -> list[str]:
        """Relative names of all regular files, with forward slashes, sorted.

        Hidden files and the droppings of file managers are left out.

        Raises:
            SourceError: a name is absolute, leads out with `..`, occurs twice
                or is no text; there are too many, or too many links to one
                folder; the archive is damaged.
        """

    @abc.abstractmethod
    def open(self, name: str) -> contextlib.AbstractContextManager[IO[bytes]]:
        """Opens one file as a stream that raises `SourceError` for damage.

        Raises:
            SourceError: it is absent or encrypted, or the tree is a tar
                archive, which can only be read from its beginning.
        """

    @abc.abstractmethod
    def streams(
        self, is_wanted: Callable[[str], bool]
    ) -> Iterator[tuple[str, IO[bytes]]]:
        """Opens the wanted files one after the other.

        In the order of `names`, in a tar archive in its own order.

        Args:
            is_wanted: tells from a name of `names` whether to open the file.

        Yields:
            Name, and content as a stream that ends with the next step and
            raises `SourceError` for damage.

        Raises:
            SourceError: as `names` and `open` do, or all files together
                unpack to more than the limit given to `open_tree`.
        """

    def read(self, name: str, max_bytes: int) -> bytes:
        """The content of one file.

        Raises:
            SourceError: as `open` does, or it is damaged or larger than
                `max_bytes`.
        """
        with self.open(name) as stream:
            return self._read_bounded(stream, name, max_bytes)

    def walk(
        self, is_wanted: Callable[[str], bool], max_bytes: int
    ) -> Iterator[tuple[str, bytes]]:
        """Reads the wanted files one after the other; see `streams`.

        Yields:
            Name and content, at most `max_bytes` long.

        Raises:
            SourceError: as `streams` does, or a file is larger.
        """
        for name, stream in self.streams(is_wanted):
            yield name, self._read_bounded(stream, name, max_bytes)

    def where(self, name: str) -> str:
        """How messages call one file."""
        return f"{self.path} ({name})"

    def _read_bounded(
        self, stream: IO[bytes], name: str, max_bytes: int
    ) -> bytes:
        pieces = []
        left = max_bytes + 1
        while piece := stream.read(min(left, _PIECE_BYTES)):
            pieces.append(piece)
            left -= len(piece)
        if not left:
            raise SourceError(
                f"{self.where(name)}: expected a file of at most "
                f"{max_bytes:,} bytes, it is larger. Get the file again."
            )
        return b"".join(pieces)

    def _absent(self, name: str) -> SourceError:
        return SourceError(
            f"{self.where(name)}: there is no such file. Get the complete data "
            "set and build again."
        )

    def _relative(self, name: str) -> str | None:
        """The name as `names` has it; None for what is left out there."""
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if name.startswith("/") or ".." in parts or name[1:3] == ":/":
            raise SourceError(
                f"{self.path}: {name[:200]!r} leads out of it, as no name in "
                "an honest copy does. Get it from another place."
            )
        if any(part[0] == "." or part.lower() in _JUNK for part in parts):
            return None
        relative = "/".join(parts)
        if len(name) > _MAX_NAME_CHARS or not is_text(relative):
            raise SourceError(
                f"{self.path}: the name {name[:200]!r} is too long or holds "
                "characters that cannot be shown. Rename or remove the file."
            )
        return relative or None

    def _check_number(self, number: int) -> None:
        if number > MAX_FILES:
            raise SourceError(
                f"{self.path}: more than {MAX_FILES:,} files in here, which no "
                "data set of this project has. Give the folder that holds "
                "nothing but the data."
            )


def check_path(path: Path) -> None:
    """Makes sure that the path of raw data can be printed.

    Raises:
        SourceError: it holds control characters, or bytes that are no text.
    """
    if not is_text(str(path)):
        raise SourceError(
            f"{path}: this path holds characters that cannot be shown. Rename "
            "the file or folder and build again."
        )


def is_text(name: str) -> bool:
    """Whether a name can be shown, on a terminal and in a list of ids."""
    # Bytes that are not UTF-8 come as surrogates.
    return not any(
        c < " " or c == "\x7f" or "\ud800" <= c <= "\udfff" for c in name
    )


def no_copy_in(place: Path, data_set: str, accepted_forms: str) -> SourceError:
    """The error for a place that is absent or holds no form of a data set.

    Args:
        place: what `--manual_dir` names.
        data_set: its name.
        accepted_forms: a table of them, each line indented.
    """
    problem = "there is no such folder"
    if place.exists():
        problem = f"no copy of {data_set} in here. Found: {_list_names(place)}"
    return SourceError(
        f"{place}: {problem}. Put one of these into {place}, or give the "
        f"folder that has it as --manual_dir, and build again:\n"
        f"{accepted_forms}"
    )


def _list_names(place: Path) -> str:
    if place.is_file():
        return "a file of another kind"
    names = sorted(path.name for path in place.iterdir())
    more = len(names) - _MAX_NAMES_LISTED
    listed = ", ".join(names[:_MAX_NAMES_LISTED]) or "nothing"
    return f"{listed} and {more} more" if more > 0 else listed

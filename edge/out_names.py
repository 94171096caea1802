"""Which file is written for which input, and never one of the inputs.

Reads no file; looks only at what is there.
"""

import functools
import os
from collections.abc import Sequence

from edge import kinds
from edge.inputs import STANDARD_INPUT
from edge.out_files import OutputError


class InputFiles:
    """The files that are read, told by what they are and not by their names.

    A link to an input, or another name of it, is that input.
    """

    def __init__(self, names: Sequence[str]):
        """Looks at the files.

        Args:
          names: of files, or `-`; those that are not there do not matter.
        """
        self._names = names
        found = ((_identity(name), name) for name in names)
        self._inputs = {key: name for key, name in found if key is not None}

    def relative(self, name: str) -> str:
        """The part of an input's path that tells it from the others."""
        if name == STANDARD_INPUT:
            return "stdin"
        if len(self._names) == 1:
            return os.path.basename(name)
        return os.path.relpath(name, self._folder)

    def refuse(self, path: str | os.PathLike, option: str) -> None:
        """Keeps an input from being written over.

        Args:
          path: what is to be written.
          option: what named it, such as `--out=DIR`.

        Raises:
          OutputError: `path` is an input, or no file at all.
        """
        special = kinds.special(path)
        if special:
            raise OutputError(f"{path} is {special}: name a file with {option}")
        name = self.find(path)
        if name is None:
            return
        which = "one of the inputs" if name == path else f"the input {name}"
        raise OutputError(
            f"{option} would write over {path}, which is {which}; name "
            "something else"
        )

    def find(self, path: str | os.PathLike) -> str | None:
        """The input that `path` is, or None."""
        key = _identity(path)
        return None if key is None else self._inputs.get(key)

    @functools.cached_property
    def _folder(self) -> str:
        """What all inputs lie in."""
        names = [name for name in self._names if name != STANDARD_INPUT]
        folders = {os.path.dirname(os.path.abspath(name)) for name in names}
        return os.path.commonpath(folders)


def _identity(path: str | os.PathLike) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino

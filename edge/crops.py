"""The faces of pictures, cut out into a folder with a table of them.

The way from photographs to a data set: a PNG file for each face, the very
pixels that were judged, and a row in `faces.csv`. An interrupted run keeps
what it has.
"""

import contextlib
import os
import re
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import TextIO

import numpy as np

from edge import console
from edge import out_files
from edge.analyser import Face
from edge.out_files import OutputError
from edge.out_names import InputFiles
from edge.reports import FORMULA_BEGINNINGS
from edge.reports import csv_row

TABLE = "faces.csv"
COLUMNS = (
    *("picture", "face", "left", "top", "width", "height"),
    *("label", "probability", "unsure", "crop"),
)
# A crop's name ends so, after that of its picture.
ENDING = re.compile(r"-\d+\.png")


class Crops:
    """Writes the crops of one run."""

    def __init__(
        self, folder: str, inputs: InputFiles, *, overwrite: bool = False
    ):
        """Checks what can be checked before anything is read.

        Args:
          folder: where to; made when it is missing.
          inputs: what must not be written over.
          overwrite: whether an earlier run's files may be replaced.

        Raises:
          OutputError: the folder cannot be used.
        """
        self._folder, self._overwrite = folder, overwrite
        self._inputs = inputs
        self._table: TextIO | None = None
        self._written: set[str] = set()
        if os.path.exists(folder) and not os.path.isdir(folder):
            raise OutputError(f"--crops={folder} is a file, not a folder")
        self._check(os.path.join(folder, TABLE))

    def check_names(self, names: Sequence[str]) -> None:
        """Looks through the folders in which crops are to be.

        Raises:
          OutputError: a file there that is named like a crop is an input.
        """
        paths = (os.path.join(self._folder, self._stem(n)) for n in names)
        for folder in {os.path.dirname(path) for path in paths}:
            with contextlib.suppress(OSError):
                for file in os.listdir(folder):
                    if ENDING.search(file):
                        self._refuse(os.path.join(folder, file))

    @contextlib.contextmanager
    def open(self) -> Iterator["Crops"]:
        """Keeps the table open for a block, and then moves it to its name.

        Raises:
          OutputError: it cannot be written.
        """
        path = os.path.join(self._folder, TABLE)
        ending = None
        with (
            _explained(path),
            out_files.write_aside(path) as aside,
            open(aside, "w", encoding="utf-8") as self._table,
        ):
            self._write_row(COLUMNS)
            try:
                yield self
            except BaseException as error:
                ending = error
        if ending is not None:
            raise ending

    def add(
        self,
        name: str,
        found: Sequence[Face],
        cut: Callable[[Face], np.ndarray],
    ) -> None:
        """Writes the crops of a picture.

        Args:
          name: of the picture.
          found: its faces.
          cut: gives a face's pixels, uint8 [h, w, 1] or [h, w, 3].

        Raises:
          OutputError: a file is there already, or cannot be written.
        """
        for face in found:
            crop = f"{self._stem(name)}-{face.number}.png"
            path = os.path.join(self._folder, crop)
            if path in self._written:
                raise OutputError(f"{path} was written for another picture")
            self._check(path)
            out_files.write_picture(path, cut(face))
            self._written.add(path)
            label, probability = face.best
            said = (label, f"{probability:.6f}", int(not face.is_sure))
            with _explained(os.path.join(self._folder, TABLE)):
                self._write_row((name, face.number, *face.box, *said, crop))

    def _stem(self, name: str) -> str:
        """The picture's name, without what a table cannot hold as it is."""
        safe = console.UNSAFE.sub("_", self._inputs.relative(name))
        return f"_{safe}" if safe.startswith(FORMULA_BEGINNINGS) else safe

    def _check(self, path: str) -> None:
        self._refuse(path)
        if os.path.lexists(path) and not self._overwrite:
            raise OutputError(
                f"{path} is there already; add --overwrite to replace it"
            )

    def _refuse(self, path: str) -> None:
        self._inputs.refuse(path, f"--crops={self._folder}")

    def _write_row(self, cells: Sequence[object]) -> None:
        self._table.write(f"{csv_row(cells)}\n")
        self._table.flush()


@contextlib.contextmanager
def _explained(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None

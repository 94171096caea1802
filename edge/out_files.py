"""Annotated pictures and videos, written as a whole or not at all.

Nothing is drawn here. A file appears under its name when it is complete; a
video that was interrupted is closed and kept up to there.
"""

import contextlib
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator

import numpy as np
from PIL import Image

from edge import opencv
from edge.video import Frame

VIDEO_SUFFIX = ".mp4"
# What OpenCV's packages can write everywhere, without patented encoders.
CODEC = "mp4v"
# A camera that paused must not fill the disk with copies of one frame.
MOST_COPIES = 250


class OutputError(ValueError):
    """An output file cannot be written."""


@contextlib.contextmanager
def write_aside(path: str | os.PathLike) -> Iterator[pathlib.Path]:
    """Gives a temporary path that becomes `path` when the block succeeds.

    Raises:
      OutputError: the folder cannot be written to.
    """
    path = pathlib.Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = pathlib.Path(
            tempfile.mkdtemp(prefix=".edge-", dir=path.parent)
        )
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None
    try:
        yield folder / path.name
        _move(folder / path.name, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _move(aside: pathlib.Path, path: pathlib.Path) -> None:
    try:
        os.replace(aside, path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None


def write_picture(path: str | os.PathLike, pixels: np.ndarray) -> None:
    """Writes a picture in the format that its name ends with.

    Args:
      path: the file.
      pixels: uint8 [H, W, 1] or [H, W, 3].

    Raises:
      OutputError: the format is unknown, or the file cannot be written.
    """
    shown = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    try:
        with write_aside(path) as aside:
            Image.fromarray(shown).save(aside)
    except OutputError:
        raise
    except (OSError, ValueError, KeyError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"cannot write {path}: {reason}") from None


class VideoWriter:
    """An MP4 video that grows frame by frame.

    Frames of a live source keep their times: one that stood for longer is
    written several times, one that came too early not at all.
    """

    def __init__(self, path: str | os.PathLike, fps: float, *, is_live: bool):
        self._path, self._fps, self._is_live = path, fps, is_live
        self._cv2 = opencv.load(f"writing the video {path}")
        self._writer = None
        self._size = (0, 0)
        self._written = 0

    @contextlib.contextmanager
    def open(self) -> Iterator["VideoWriter"]:
        """Keeps the video open for a block, and then moves it to its name.

        It is kept too when the block ends early because the source broke
        off or the user pressed ctrl-C.

        Raises:
          OutputError: the video cannot be written.
        """
        ending = None
        with (
            contextlib.suppress(_NothingWritten),
            write_aside(self._path) as aside,
        ):
            self._aside = aside
            try:
                yield self
            except (KeyboardInterrupt, ValueError) as error:
                ending = error
            finally:
                if self._writer is not None:
                    self._writer.release()
            if self._writer is None:
                raise _NothingWritten
            self._check_written()
        if ending is not None:
            raise ending

    def write(self, frame: Frame, pixels: np.ndarray) -> None:
        """Adds uint8 [H, W, 3], the drawn-on picture of `frame`."""
        if self._writer is None:
            self._begin(pixels)
        if pixels.shape[1::-1] != self._size:
            pixels = self._cv2.resize(pixels, self._size)
        for _ in range(self._copies(frame)):
            self._writer.write(pixels[..., ::-1])
            self._written += 1

    def _copies(self, frame: Frame) -> int:
        if not self._is_live:
            return 1
        due = round(frame.seconds * self._fps) + 1 - self._written
        return min(max(due, 0), MOST_COPIES)

    def _check_written(self) -> None:
        """OpenCV says nothing of a disk that is full."""
        with opencv.plain_path(self._aside) as plain:
            written = self._cv2.VideoCapture(plain, self._cv2.CAP_FFMPEG)
        is_whole = written.isOpened()
        written.release()
        if not is_whole:
            raise OutputError(
                f"cannot write {self._path}: what was written is no video; is "
                "the disk full?"
            )

    def _begin(self, pixels: np.ndarray) -> None:
        self._size = pixels.shape[1::-1]
        code = self._cv2.VideoWriter_fourcc(*CODEC)
        with opencv.plain_path(self._aside) as plain:
            self._writer = self._cv2.VideoWriter(
                plain, code, self._fps, self._size
            )
        if not self._writer.isOpened():
            raise OutputError(
                f"cannot write {self._path}: OpenCV as installed here writes "
                f"no {CODEC} video of {self._size[0]}x{self._size[1]} pixels"
            )


class _NothingWritten(Exception):
    """Takes the empty folder away and leaves no file."""

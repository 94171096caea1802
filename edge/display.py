"""Where drawn-on pictures go: files named by `--out`, and the window.

Decides names and whether anything is drawn at all; drawing, writing and
showing are `edge.annotate`, `edge.out_files` and `edge.window`.
"""

import argparse
import contextlib
import os
from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np

from edge import annotate
from edge import console
from edge import kinds
from edge import opencv
from edge import out_files
from edge import window
from edge.analyser import Face
from edge.out_files import OutputError
from edge.out_names import InputFiles
from edge.video import Camera
from edge.video import Frame
from edge.video import VideoFile

TITLE = "edge (q closes)"


class Display:
    """Takes pictures and frames with what was found in them.

    Attributes:
      is_closed: whether the user has closed the window.
    """

    def __init__(
        self,
        options: argparse.Namespace,
        names: Sequence[str],
        inputs: InputFiles,
    ):
        """Checks what can be checked before anything is read.

        Args:
          options: as `edge.options.parse` gives them.
          names: of the inputs.
          inputs: what must not be written over.

        Raises:
          ValueError: a file or a window that is asked for cannot be had.
        """
        self._out, self._overwrite = options.out, options.overwrite
        self._names, self._inputs = names, inputs
        self._written: dict[str, str] = {}
        self._is_folder = _is_folder(options.out)
        self._check_out()
        self.is_closed = False
        self._window = None
        if _wants_window(options):
            self._window = window.Window(TITLE)

    @property
    def is_wanted(self) -> bool:
        """Whether anything is to be drawn at all."""
        return self._out is not None or self._window is not None

    def show(self, drawn: np.ndarray, wait_ms: int = 1) -> None:
        """Shows a picture where there is a window, and notes its end.

        Args:
          drawn: uint8 [H, W, 3].
          wait_ms: how long to wait for a key; 0 waits for one.
        """
        if self._window is not None:
            self.is_closed = not self._window.show(drawn, wait_ms)

    def picture(
        self, name: str, pixels: np.ndarray, found: Sequence[Face]
    ) -> None:
        """Takes a picture, uint8 [H, W, 1] or [H, W, 3]."""
        if not self.is_wanted:
            return
        drawn = annotate.draw(pixels, found)
        if self._out is not None:
            out_files.write_picture(self._path(name), drawn)
        self.show(drawn, wait_ms=0)

    @contextlib.contextmanager
    def stream(self, source: VideoFile | Camera) -> Iterator["FrameDisplay"]:
        """Gives what takes the frames of a video or camera."""
        with contextlib.ExitStack() as stack:
            writer = None
            if self._out is not None:
                writer = out_files.VideoWriter(
                    self._path(source.name, out_files.VIDEO_SUFFIX),
                    source.fps,
                    is_live=source.is_live,
                )
                stack.enter_context(writer.open())
            yield FrameDisplay(self, writer)

    def close(self) -> None:
        """Takes the window away."""
        if self._window is not None:
            self._window.close()

    def _path(self, name: str, suffix: str = "") -> str:
        """The file that is written for an input."""
        path = self._target(name, suffix)
        is_wrong = suffix and not path.lower().endswith(suffix)
        if is_wrong:
            raise OutputError(
                f"{name} is a video: name an {suffix} file with --out, not "
                f"{path}"
            )
        if self._written.setdefault(path, name) != name:
            raise OutputError(f"{path} was written for {self._written[path]}")
        if os.path.exists(path) and not self._overwrite:
            raise OutputError(
                f"{path} is there already; add --overwrite to replace it"
            )
        return path

    def _target(self, name: str, suffix: str = "") -> str:
        if not self._is_folder:
            return self._out
        stem, own = os.path.splitext(self._inputs.relative(name))
        if not suffix and own.lower() not in kinds.PICTURE_SUFFIXES:
            own += ".png"
        return os.path.join(self._out, stem + (suffix or own))

    def _check_out(self) -> None:
        if self._out is None:
            return
        if len(self._names) > 1 and not self._is_folder:
            raise OutputError(
                f"--out={self._out} is one file for {len(self._names)} "
                f"inputs; give a folder: --out={self._out}/"
            )
        if self._is_folder and os.path.isfile(self._out):
            raise OutputError(f"--out={self._out} is a file, not a folder")
        if not self._is_folder:
            self._inputs.refuse(self._out, "--out")
            return
        for name in self._names:
            self._check_target(name)

    def _check_target(self, name: str) -> None:
        for suffix in ("", out_files.VIDEO_SUFFIX):
            path = self._target(name, suffix)
            # Few do, so that few files are opened here.
            is_there = self._inputs.find(path) is not None
            if is_there and bool(suffix) == kinds.is_video(name):
                self._inputs.refuse(path, f"--out={self._out}")


class FrameDisplay:
    """Takes the frames of one video or camera."""

    def __init__(self, display: Display, writer: out_files.VideoWriter | None):
        self._display, self._writer = display, writer

    def frame(self, frame: Frame, found: Sequence[Face], fps: float) -> bool:
        """Draws, writes and shows a frame where that is wanted.

        Args:
          frame: an `edge.video.Frame`.
          found: the faces in it.
          fps: frames per second that are reached, to be shown.

        Returns:
          False when the user has closed the window.
        """
        display = self._display
        if not display.is_wanted:
            return True
        drawn = annotate.draw(frame.pixels, found, f"{fps:.1f} FPS")
        if self._writer is not None:
            self._writer.write(frame, drawn)
        display.show(drawn)
        return not display.is_closed


def _is_folder(out: str | None) -> bool:
    if out is None:
        return False
    return out.endswith(("/", os.sep)) or os.path.isdir(out)


def _wants_window(options: argparse.Namespace) -> bool:
    """Whether to show a window; asked for, one that fails is an error."""
    if options.window is not None:
        if options.window:
            window.check()
        return options.window
    if options.camera is None or not window.has_display():
        return False
    try:
        window.check()
    except (window.WindowError, opencv.OpenCVError) as error:
        console.complain(str(error))
        return False
    return True

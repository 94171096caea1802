"""Videos and cameras -> frames, one after the other.

A file is read in order, every frame. A camera is read by a thread of its own
into a slot for one frame: whoever is slower than the camera misses frames and
never lags behind it. Both are told apart by `is_live` alone.
"""

import contextlib
import math
import os
import threading
import time
from collections.abc import Iterator
from typing import Any
from typing import NamedTuple

import numpy as np

from edge import kinds
from edge import opencv
from edge.pictures import MAX_PIXELS

# cv2.CAP_PROP_*, which stand for the same in every version.
POSITION_MS, WIDTH, HEIGHT, FPS, COUNT = 0, 3, 4, 5, 7
DEFAULT_FPS = 25.0
# A header that states another frame rate is not believed.
LEAST_FPS, MOST_FPS = 1.0, 240.0
# A camera that gives nothing for so long is taken for gone.
STALL_S = 5.0
# Containers state the number of frames only roughly; fewer than this share
# of it is a file that breaks off.
COMPLETE = 0.95


class VideoError(ValueError):
    """A video or a camera cannot be opened, or broke off."""


class Frame(NamedTuple):
    """A picture of a video.

    Attributes:
      pixels: uint8 [H, W, 3], RGB.
      index: from 0; a camera's frames that were missed are counted.
      seconds: since the beginning; never decreases.
    """

    pixels: np.ndarray
    index: int
    seconds: float


class VideoFile:
    """A video file, every frame in order.

    Attributes:
      fps: frames per second as the file says; 25 when it says nonsense.
      dropped: 0, as nothing is left out.
      empty: frames without a picture, which are skipped.
    """

    is_live = False
    dropped = 0

    def __init__(self, path: str | os.PathLike, name: str = ""):
        """Opens the file.

        Args:
          path: the file.
          name: what messages call it; default: the path.

        Raises:
          OpenCVError: OpenCV is missing.
          VideoError: no such file, or no video that OpenCV reads.
        """
        self.name = name or os.fspath(path)
        cv2 = opencv.load(f"reading the video {self.name}")
        if not os.path.exists(path):
            raise VideoError(f"no such video: {self.name}")
        refusal = kinds.refusal(path)
        if refusal:
            raise VideoError(f"cannot read {self.name}: {refusal}")
        with opencv.plain_path(path) as plain:
            self._capture = cv2.VideoCapture(plain, cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            raise VideoError(
                f"cannot read {self.name} as a video; give a file that "
                "OpenCV's FFmpeg reads, such as MP4, AVI or WebM"
            )
        self.fps = frame_rate(self._capture)
        self.empty = 0

    def frames(self) -> Iterator[Frame]:
        """Yields the frames.

        Raises:
          VideoError: the file holds no frame, is too large, or breaks off
            before the number of frames that its header states.
        """
        expected = self._capture.get(COUNT)
        _check_size(self.name, self._capture)
        index, seconds = 0, 0.0
        while self._grab():
            stamp = self._capture.get(POSITION_MS) / 1000
            is_later = math.isfinite(stamp) and stamp > seconds
            seconds = stamp if is_later else seconds + (index > 0) / self.fps
            pixels = self._retrieve()
            if pixels is None:
                self.empty += 1
            else:
                yield Frame(pixels, index, seconds)
            index += 1
        if index == self.empty:
            raise VideoError(f"{self.name}: no frame in it can be read")
        if math.isfinite(expected) and index < expected * COMPLETE - 1:
            raise VideoError(
                f"{self.name}: broke off after frame {index} of "
                f"{expected:.0f}; the file is damaged or incomplete"
            )

    def close(self) -> None:
        """Gives the file back."""
        self._capture.release()

    def _grab(self) -> bool:
        return self._capture.grab()

    def _retrieve(self) -> np.ndarray | None:
        _, pixels = self._capture.retrieve()
        return to_rgb(pixels)


class Camera:
    """A camera, or anything that gives frames like one.

    Attributes:
      fps: as the camera says; 25 when it says nonsense.
      dropped: frames that came while the last one was being worked on.
      empty: frames without a picture, which are skipped.
    """

    is_live = True

    def __init__(self, capture: Any, name: str):
        """Begins to read.

        Args:
          capture: has `read() -> (bool, uint8 [H, W, 3] BGR)`, `get(property)`
            and `release()`, as cv2.VideoCapture; False means it is gone.
          name: what messages call it.
        """
        self.name = name
        self.fps = frame_rate(capture)
        self.dropped = self.empty = 0
        self._capture = capture
        self._changed = threading.Condition()
        self._slot: Frame | None = None
        self._is_open = True
        self._failure = ""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def frames(self) -> Iterator[Frame]:
        """Yields the newest frame each time.

        Raises:
          VideoError: the camera is gone, or gives nothing for 5 s.
        """
        while True:
            with self._changed:
                is_told = self._changed.wait_for(self._has_news, STALL_S)
                frame, self._slot = self._slot, None
                failure = self._failure
            if frame is not None:
                yield Frame(to_rgb(frame.pixels), frame.index, frame.seconds)
            elif failure:
                raise VideoError(f"{self.name} {failure}")
            elif not is_told:
                raise VideoError(
                    f"{self.name} gave no picture for {STALL_S:g} s; is it "
                    "plugged in, and not used by another program?"
                )
            else:
                return

    def close(self) -> None:
        """Stops reading and gives the camera back."""
        with self._changed:
            self._is_open = False
            self._changed.notify_all()
        self._thread.join(STALL_S)
        # A thread that hangs in the driver still uses it.
        if not self._thread.is_alive():
            self._capture.release()

    def _has_news(self) -> bool:
        is_over = not self._is_open or bool(self._failure)
        return is_over or self._slot is not None

    def _read(self) -> None:
        start, index = time.monotonic(), 0
        while self._is_open:
            try:
                is_read, pixels = self._capture.read()
            except Exception as error:  # Drivers raise what they like.
                is_read, pixels = False, error
            seconds = time.monotonic() - start
            with self._changed:
                if not is_read:
                    self._failure = f"stopped giving pictures after {index}"
                    if isinstance(pixels, Exception):
                        self._failure += f" ({pixels})"
                elif pixels is None or pixels.size == 0:
                    self.empty += 1
                else:
                    self.dropped += self._slot is not None
                    self._slot = Frame(pixels, index, seconds)
                    index += 1
                self._changed.notify_all()
            if not is_read:
                return


class _Paced:
    """A video file that gives its frames at its own speed, like a camera."""

    def __init__(self, capture: Any):
        self._capture = capture
        self._step_s = 1 / frame_rate(capture)
        self._next_s = time.monotonic()
        self.get, self.release = capture.get, capture.release

    def read(self) -> tuple[bool, np.ndarray | None]:
        self._next_s = max(self._next_s + self._step_s, time.monotonic())
        time.sleep(max(0.0, self._next_s - time.monotonic()))
        return self._capture.read()


def can_read(path: str) -> bool:
    """Whether a file that is no picture is a video, whatever its name."""
    if not kinds.may_be_video(path):
        return False
    try:
        with contextlib.closing(VideoFile(path)) as file:
            return next(file.frames(), None) is not None
    except ValueError:
        return False


def open_camera(source: str) -> Camera:
    """Opens a camera.

    Args:
      source: a number from 0, a device such as /dev/video0, a network
        address that OpenCV reads, or a video file, which is then played at
        its own speed.

    Raises:
      OpenCVError: OpenCV is missing.
      VideoError: there is no such camera.
    """
    name = f"camera {source}"
    capture = opencv.open_camera(source)
    if not capture.isOpened():
        raise VideoError(
            f"cannot open {name}; is it plugged in, not used by another "
            "program, and may you read it? On Linux `ls /dev/video*` lists "
            "cameras"
        )
    _check_size(name, capture)
    is_file = os.path.isfile(source)
    return Camera(_Paced(capture) if is_file else capture, name)


def frame_rate(capture: Any) -> float:
    """Returns the frames per second that a capture states, or 25."""
    fps = capture.get(FPS)
    return float(fps) if LEAST_FPS <= fps <= MOST_FPS else DEFAULT_FPS


def to_rgb(pixels: np.ndarray | None) -> np.ndarray | None:
    """Uint8 [H, W] or [H, W, 3] (BGR) -> uint8 [H, W, 3]; None when empty."""
    if pixels is None or pixels.size == 0:
        return None
    if pixels.ndim == 2:
        return np.repeat(pixels[..., np.newaxis], 3, axis=-1)
    cv2 = opencv.load("reading a frame")  # Six times as fast as numpy.
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def _check_size(name: str, capture: Any) -> None:
    width, height = capture.get(WIDTH), capture.get(HEIGHT)
    if not width * height <= MAX_PIXELS:
        with contextlib.suppress(Exception):
            capture.release()
        raise VideoError(
            f"{name}: frames of {width:.0f}x{height:.0f} pixels; at most "
            f"{MAX_PIXELS:,} pixels are read"
        )

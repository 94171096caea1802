"""OpenCV, loaded only where faces are looked for or a video is read.

The one importer of cv2: the runtime answers for face crops without it, and
whoever needs it gets it here, or an error that says how to install it.
"""

import contextlib
import os
import select
import tempfile
from collections.abc import Iterator
from types import ModuleType

from edge import kinds

INSTALL = "pip install './edge[video]'"
LIBRARIES = (
    "on Debian type: apt-get install libgl1 libglib2.0-0, or install "
    "opencv-python-headless, which has no windows, instead of opencv-python"
)
# OpenCV and the FFmpeg in it write about every damaged byte of a video; what
# a user has to know is in our own messages. The values mean "nothing".
QUIET = {"OPENCV_LOG_LEVEL": "SILENT", "OPENCV_FFMPEG_LOGLEVEL": "-8"}
# No system numbers its cameras so far, and OpenCV takes no larger numbers.
LAST_CAMERA = 9999
PIPE_WAIT_S = 5


class OpenCVError(ValueError):
    """OpenCV is missing, or is a build without what is needed."""


def load(purpose: str) -> ModuleType:
    """Imports OpenCV and returns it.

    Args:
      purpose: what it is needed for, as the beginning of a sentence.

    Raises:
      OpenCVError: it is not installed, or lacks a library of the system.
    """
    for name, level in QUIET.items():
        os.environ.setdefault(name, level)
    try:
        import cv2
    except ModuleNotFoundError:
        raise OpenCVError(
            f"{purpose} needs OpenCV, which is not installed; type: {INSTALL}"
        ) from None
    except ImportError as error:
        raise OpenCVError(
            f"{purpose} needs OpenCV, which does not load ({error}); "
            f"{LIBRARIES}"
        ) from None
    return cv2


@contextlib.contextmanager
def plain_path(path: str | os.PathLike) -> Iterator[str]:
    """Gives a name for a file that OpenCV may open during the block.

    It is whole, as FFmpeg would take a:b for an address; and text, for a name
    with other bytes brings OpenCV down.
    """
    whole = os.path.abspath(path)
    try:
        whole.encode()
    except UnicodeEncodeError:
        with tempfile.TemporaryDirectory(prefix="edge-") as folder:
            suffix = os.path.splitext(whole)[1]
            link = os.path.join(folder, "link" + ascii(suffix)[1:-1])
            os.symlink(whole, link)
            yield link
    else:
        yield whole


def open_camera(source: str) -> object:
    """Gives a cv2.VideoCapture of a number, a file, a device or an address.

    Raises:
      OpenCVError: OpenCV is missing, or nobody writes to a pipe.
    """
    cv2 = load(f"camera {source}")
    if source.isascii() and source.isdecimal():
        return cv2.VideoCapture(min(int(source), LAST_CAMERA))
    if kinds.special(source) == "a pipe":
        # Open for as long as the process lives, as a camera is.
        return cv2.VideoCapture(f"pipe:{_open_pipe(source)}", cv2.CAP_FFMPEG)
    if os.path.exists(source):
        with plain_path(source) as plain:
            return cv2.VideoCapture(plain)
    return cv2.VideoCapture(source.encode(errors="replace").decode())


def _open_pipe(path: str) -> int:
    """Opens a pipe once somebody has written to it; OpenCV would wait for ever.

    FFmpeg is given the number: opened by its name again, it would wait for a
    writer, who may have written everything and gone.
    """
    pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    waiting = select.poll()
    waiting.register(pipe, select.POLLIN)
    if not waiting.poll(PIPE_WAIT_S * 1000):
        os.close(pipe)
        raise OpenCVError(
            f"camera {path} is a pipe that nobody wrote to for {PIPE_WAIT_S} s"
        )
    os.set_blocking(pipe, True)
    return pipe

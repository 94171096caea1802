"""OpenCV, loaded only where faces are looked for or a video is read.

The one importer of cv2: the runtime answers for face crops without it, and
whoever needs it gets it here, or an error that says how to install it.
"""

import os

INSTALL = "pip install './edge[video]'"
LIBRARIES = (
    "on Debian type: apt-get install libgl1 libglib2.0-0, or install "
    "opencv-python-headless, which has no windows, instead of opencv-python"
)
# OpenCV and the FFmpeg in it write about every damaged byte of a video; what
# a user has to know is in our own messages. The values mean "nothing".
QUIET = {"OPENCV_LOG_LEVEL": "SILENT", "OPENCV_FFMPEG_LOGLEVEL": "-8"}


class OpenCVError(ValueError):
    """OpenCV is missing, or is a build without what is needed."""


def load(purpose: str):
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

"""A window that shows what is seen, while it is seen; `q` closes it.

Only shows: drawing is `edge.annotate`. All calls must come from one thread.
"""

import os
import subprocess
import sys

import numpy as np

from edge import opencv

QUIT_KEYS = (ord("q"), ord("Q"), 27)  # 27: escape
PROBE_SECONDS = 30
# A window system that is there but does not answer makes the library end the
# whole process, so a process of its own tries first.
PROBE = (
    "import cv2; cv2.namedWindow('edge'); cv2.waitKey(1); "
    "cv2.destroyAllWindows()"
)
# Qt, inside OpenCV, misses fonts that we do not use, and says so.
QUIET_QT = {"QT_LOGGING_RULES": "*.warning=false"}


class WindowError(ValueError):
    """No window can be shown here."""


def check() -> None:
    """Tries whether a window can be shown.

    Raises:
      OpenCVError: OpenCV is missing.
      WindowError: there is no display, or OpenCV was built without windows.
    """
    opencv.load("showing a window")
    is_linux = sys.platform.startswith("linux")
    if is_linux and not has_display():
        raise WindowError(
            "no window can be shown: there is no display (DISPLAY is not "
            "set); give --no_window"
        )
    try:
        done = subprocess.run(
            [sys.executable, "-c", PROBE],
            env={**os.environ, **QUIET_QT},
            capture_output=True,
            timeout=PROBE_SECONDS,
            text=True,
        )
        said = done.stderr.strip()
    except subprocess.TimeoutExpired:
        done, said = None, f"no answer in {PROBE_SECONDS} s"
    if done is None or done.returncode:
        if "not implemented" in said:
            said = (
                "this OpenCV was built without windows: opencv-python has "
                "them, opencv-python-headless has not"
            )
        reason = said.splitlines()[-1] if said else "it ended without a word"
        raise WindowError(
            f"no window can be shown ({reason}); give --no_window"
        )


def has_display() -> bool:
    """Whether a window system is named in the environment."""
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


class Window:
    """A window on the screen."""

    def __init__(self, title: str):
        """Prepares a window; it appears with the first picture."""
        for name, value in QUIET_QT.items():
            os.environ.setdefault(name, value)
        self._cv2 = opencv.load("showing a window")
        self._title = title
        self._is_shown = False

    def show(self, pixels: np.ndarray, wait_ms: int = 1) -> bool:
        """Shows a picture.

        Args:
          pixels: uint8 [H, W, 3], RGB.
          wait_ms: how long to wait for a key; 0 waits for one.

        Returns:
          False when the user pressed q or escape, or closed the window.
        """
        if not self._is_shown:
            cv2 = self._cv2
            flags = cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL
            cv2.namedWindow(self._title, flags)
            self._is_shown = True
        self._cv2.imshow(self._title, pixels[..., ::-1])
        key = self._cv2.waitKey(wait_ms) & 0xFF
        return key not in QUIT_KEYS and self._is_open()

    def close(self) -> None:
        """Takes the window away."""
        if self._is_shown:
            self._cv2.destroyAllWindows()

    def _is_open(self) -> bool:
        visible = self._cv2.WND_PROP_VISIBLE
        return self._cv2.getWindowProperty(self._title, visible) >= 1

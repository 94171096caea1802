"""The face detectors that OpenCV has: Haar's cascade, and YuNet."""

import os
from collections.abc import Sequence

import numpy as np

from edge import detector_files
from edge import opencv
from edge.boxes import Box
from edge.detector import Detector
from edge.detector_files import FaceModelError

# OpenCV searches a picture at this many pixels on its longer side at most, and
# a frame of a video at fewer, as it has to be done before the next one comes.
PICTURE_PX, FRAME_PX = 960, 480
# The window that OpenCV's frontal cascade was trained with, in pixels.
HAAR_WINDOW_PX = 24
HAAR_FILE = "haarcascade_frontalface_default.xml"
# OpenCV's own example values.
HAAR_SCALE_STEP, HAAR_NEIGHBOURS = 1.1, 5
# YuNet: least score, and the overlap above which the lower score is dropped.
YUNET_SCORE, YUNET_OVERLAP, YUNET_MAX_FACES = 0.7, 0.3, 500
ADVICE = (
    f"give a file of BlazeFace, as `{detector_files.COMMAND}` brings them, or "
    "YuNet's, such as face_detection_yunet_2023mar.onnx of OpenCV's model zoo"
)


class OpenCVDetector(Detector):
    """What searches a smaller copy of a large picture with OpenCV."""

    def _search(
        self,
        picture: np.ndarray,
        least_px: int | None,
        *,
        is_frame: bool,
        known: Sequence[Box] | None,
    ) -> list[Box]:
        least = self.smallest(picture) if least_px is None else least_px
        height, width = picture.shape[:2]
        search_px = FRAME_PX if is_frame else PICTURE_PX
        scale = min(1.0, search_px / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = picture
        if scale < 1:
            small = self._cv2.resize(
                picture, size, interpolation=self._cv2.INTER_AREA
            ).reshape(size[1], size[0], -1)
        factors = width / size[0], height / size[1]
        found = self._search_small(small, least * scale)
        return [_scaled(box, factors) for box in found]

    def _search_small(
        self, picture: np.ndarray, least_px: float
    ) -> Sequence[Sequence[float]]:
        """Boxes [left, top, width, height] of a picture of search size."""
        raise NotImplementedError


class HaarDetector(OpenCVDetector):
    """The frontal cascade that is part of OpenCV's packages below 5."""

    name = "haar"

    def __init__(self, num_threads: int = 1):
        """Loads the cascade.

        Raises:
          OpenCVError: OpenCV is missing, or has no cascade.
        """
        self._cv2 = opencv.load("looking for faces")
        self._cv2.setNumThreads(num_threads)
        folder = getattr(getattr(self._cv2, "data", None), "haarcascades", "")
        path = os.path.join(folder, HAAR_FILE)
        has_class = hasattr(self._cv2, "CascadeClassifier")
        if not has_class or not os.path.exists(path):
            raise opencv.OpenCVError(
                f"OpenCV {self._cv2.__version__} as installed here has no "
                f"Haar cascade; type: {detector_files.COMMAND}"
            )
        self._cascade = self._cv2.CascadeClassifier(path)

    def _search_small(
        self, picture: np.ndarray, least_px: float
    ) -> Sequence[Sequence[float]]:
        is_colour = picture.shape[2] == 3
        grey = picture
        if is_colour:
            grey = self._cv2.cvtColor(picture, self._cv2.COLOR_RGB2GRAY)
        least = max(HAAR_WINDOW_PX, int(least_px))
        return self._cascade.detectMultiScale(
            np.ascontiguousarray(grey.reshape(grey.shape[:2])),
            HAAR_SCALE_STEP,
            HAAR_NEIGHBOURS,
            minSize=(least, least),
        )


class YuNetDetector(OpenCVDetector):
    """The network of OpenCV's model zoo, from a file that the user has."""

    name = "yunet"

    def __init__(self, path: str | os.PathLike, num_threads: int = 1):
        """Loads the network.

        Args:
          path: the ONNX file.
          num_threads: CPU threads.

        Raises:
          OpenCVError: OpenCV is missing.
          FaceModelError: no such file, or not a YuNet model.
        """
        self._path = os.fspath(path)
        if not os.path.isfile(self._path):
            raise FaceModelError(f"no such face model: {self._path}; {ADVICE}")
        self._cv2 = opencv.load("looking for faces with YuNet")
        self._cv2.setNumThreads(num_threads)
        try:
            with opencv.plain_path(self._path) as plain:
                self._network = self._cv2.FaceDetectorYN.create(
                    plain,
                    "",
                    (320, 320),
                    YUNET_SCORE,
                    YUNET_OVERLAP,
                    YUNET_MAX_FACES,
                )
            self._search_small(np.zeros([64, 64, 3], np.uint8), 0)
        except (self._cv2.error, AttributeError) as error:
            raise FaceModelError(
                f"cannot use {self._path} as a face model "
                f"({_first_line(error)}); {ADVICE}"
            ) from None

    def _search_small(
        self, picture: np.ndarray, least_px: float
    ) -> Sequence[Sequence[float]]:
        is_colour = picture.shape[2] == 3
        cv2 = self._cv2
        order = cv2.COLOR_RGB2BGR if is_colour else cv2.COLOR_GRAY2BGR
        self._network.setInputSize((picture.shape[1], picture.shape[0]))
        _, found = self._network.detect(cv2.cvtColor(picture, order))
        found = [] if found is None else found[:, :4]
        return [box for box in found if max(box[2:]) >= least_px]


def _scaled(box: Sequence[float], factors: tuple[float, float]) -> Box:
    """A box of the small picture as whole pixels of the large one."""
    left, top, width, height = map(float, box)
    across, down = factors
    return Box(
        round(left * across),
        round(top * down),
        round(width * across),
        round(height * down),
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]

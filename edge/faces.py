"""Face detection with what OpenCV has: a Haar cascade, or YuNet.

A YuNet model file that the user gives is used; otherwise the frontal Haar
cascade that OpenCV's packages below 5 carry. Only finds boxes: no crop, no
classification, no tracking. A detector serves one thread.
"""

import os

import numpy as np

from edge import opencv
from edge.boxes import Box

# A picture is searched at this many pixels on its longer side at most, and a
# frame of a video at fewer, as it has to be done before the next one comes.
PICTURE_PX, FRAME_PX = 960, 480
# Smaller faces, as a share of the longer side, are mostly false alarms.
SMALLEST_FACE = 1 / 20
# The window that OpenCV's frontal cascade was trained with, in pixels.
HAAR_WINDOW_PX = 24
HAAR_FILE = "haarcascade_frontalface_default.xml"
# OpenCV's own example values.
HAAR_SCALE_STEP, HAAR_NEIGHBOURS = 1.1, 5
# YuNet: least score, and the overlap above which the lower score is dropped.
YUNET_SCORE, YUNET_OVERLAP, YUNET_MAX_FACES = 0.7, 0.3, 500
YUNET_ADVICE = (
    "give a YuNet model such as face_detection_yunet_2023mar.onnx of "
    "OpenCV's model zoo"
)


class FaceModelError(ValueError):
    """A face detection model is missing or is none."""


class Detector:
    """Finds faces in pictures of any size.

    Attributes:
      name: "haar" or "yunet".
    """

    name = ""

    def find(
        self, picture: np.ndarray, search_px: int = PICTURE_PX
    ) -> list[Box]:
        """Finds the faces in a picture.

        Args:
          picture: uint8 [H, W, 1] or [H, W, 3] (RGB), at least one pixel.
          search_px: the longer side of the picture that is searched, a
            smaller copy where `picture` is larger.

        Returns:
          Boxes in pixels of `picture`, from left to right.
        """
        height, width = picture.shape[:2]
        scale = min(1.0, search_px / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = picture
        if scale < 1:
            small = self._cv2.resize(
                picture, size, interpolation=self._cv2.INTER_AREA
            ).reshape(size[1], size[0], -1)
        factors = width / size[0], height / size[1]
        found = [_scaled(box, factors) for box in self._search(small)]
        return sorted(box for box in found if box.width > 0 and box.height > 0)

    def _search(self, picture):
        """Boxes [left, top, width, height] of a picture of search size."""
        raise NotImplementedError


class HaarDetector(Detector):
    """The frontal cascade that is part of OpenCV's packages below 5."""

    name = "haar"

    def __init__(self):
        """Loads the cascade.

        Raises:
          OpenCVError: OpenCV is missing, or has no cascade.
        """
        self._cv2 = opencv.load("looking for faces")
        folder = getattr(getattr(self._cv2, "data", None), "haarcascades", "")
        path = os.path.join(folder, HAAR_FILE)
        has_class = hasattr(self._cv2, "CascadeClassifier")
        if not has_class or not os.path.exists(path):
            raise opencv.OpenCVError(
                f"OpenCV {self._cv2.__version__} as installed here has no "
                f"Haar cascade; type: {opencv.INSTALL} (it takes a version "
                "below 5), or give a YuNet model with --face_model=FILE"
            )
        self._cascade = self._cv2.CascadeClassifier(path)

    def _search(self, picture):
        is_colour = picture.shape[2] == 3
        grey = picture
        if is_colour:
            grey = self._cv2.cvtColor(picture, self._cv2.COLOR_RGB2GRAY)
        least = max(HAAR_WINDOW_PX, int(max(grey.shape[:2]) * SMALLEST_FACE))
        return self._cascade.detectMultiScale(
            np.ascontiguousarray(grey.reshape(grey.shape[:2])),
            HAAR_SCALE_STEP,
            HAAR_NEIGHBOURS,
            minSize=(least, least),
        )


class YuNetDetector(Detector):
    """The network of OpenCV's model zoo, from a file that the user has."""

    name = "yunet"

    def __init__(self, path):
        """Loads the network.

        Args:
          path: the ONNX file.

        Raises:
          OpenCVError: OpenCV is missing.
          FaceModelError: no such file, or not a YuNet model.
        """
        self._path = os.fspath(path)
        if not os.path.isfile(self._path):
            raise FaceModelError(
                f"no such face model: {self._path}; {YUNET_ADVICE}"
            )
        self._cv2 = opencv.load("looking for faces")
        try:
            self._network = self._cv2.FaceDetectorYN.create(
                self._path,
                "",
                (320, 320),
                YUNET_SCORE,
                YUNET_OVERLAP,
                YUNET_MAX_FACES,
            )
            self._search(np.zeros([64, 64, 3], np.uint8))
        except (self._cv2.error, AttributeError) as error:
            raise FaceModelError(
                f"cannot use {self._path} as a face model "
                f"({_first_line(error)}); {YUNET_ADVICE}"
            ) from None

    def _search(self, picture):
        is_colour = picture.shape[2] == 3
        cv2 = self._cv2
        order = cv2.COLOR_RGB2BGR if is_colour else cv2.COLOR_GRAY2BGR
        self._network.setInputSize((picture.shape[1], picture.shape[0]))
        _, found = self._network.detect(cv2.cvtColor(picture, order))
        return [] if found is None else found[:, :4]


def load_detector(face_model=None) -> Detector:
    """Returns YuNet when its model file is given, and Haar otherwise.

    Raises:
      OpenCVError: OpenCV is missing, or has no Haar cascade.
      FaceModelError: the file is no YuNet model.
    """
    return HaarDetector() if face_model is None else YuNetDetector(face_model)


def _scaled(box, factors):
    """A box of the small picture as whole pixels of the large one."""
    left, top, width, height = map(float, box)
    across, down = factors
    return Box(
        round(left * across),
        round(top * down),
        round(width * across),
        round(height * down),
    )


def _first_line(error):
    return str(error).strip().splitlines()[0]

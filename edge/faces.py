"""Face detection: BlazeFace by LiteRT, or what OpenCV has (Haar, YuNet).

BlazeFace needs its two files and nothing else, see `edge.detector_files`.
"""

import os
from collections.abc import Sequence

import numpy as np

from edge import detector_files
from edge import opencv
from edge.boxes import Box
from edge.detector import Detector
from edge.detector_files import FaceModelError
from edge.opencv_faces import HaarDetector
from edge.opencv_faces import YuNetDetector


class BlazeFaceDetector(Detector):
    """MediaPipe's two networks, run by LiteRT."""

    name = "blazeface"

    def __init__(self, contents: dict, num_threads: int = 1):
        """Loads the networks.

        Args:
          contents: file of `detector_files.FILES` -> its content; one of
            them may be missing.
          num_threads: CPU threads.
        """
        # LiteRT loads for a tenth of a second.
        from edge.blazeface import BlazeFace
        from edge.search import Search

        self._searcher = Search(
            *(
                BlazeFace(contents[file], num_threads)
                if file in contents
                else None
                for file in detector_files.FILES
            )
        )

    def _search(
        self,
        picture: np.ndarray,
        least_px: int | None,
        *,
        is_frame: bool,
        known: Sequence[Box] | None,
    ) -> list[Box]:
        if known is not None:
            near = np.array(known, np.float32).reshape(-1, 4)
            found = self._searcher.follow(picture, near)
        else:
            # One look at a whole frame finds what is large enough.
            usual = max(picture.shape[:2]) if is_frame else None
            least = least_px or usual or self.smallest(picture)
            found = self._searcher.find(picture, least)
        return [Box(*map(round, map(float, box))) for box in found.boxes]


def load_detector(
    face_model: str | os.PathLike | None = None, num_threads: int = 1
) -> Detector:
    """Chooses and loads a detector.

    Args:
      face_model: one of BlazeFace's `.tflite` files, or YuNet's `.onnx`; None
        is BlazeFace where its files are, otherwise Haar.
      num_threads: CPU threads.

    Raises:
      OpenCVError: OpenCV is needed, and is missing or has no cascade.
      FaceModelError: no such file, or one that is no face model.
    """
    if face_model is not None:
        if os.fspath(face_model).lower().endswith(".onnx"):
            return YuNetDetector(face_model, num_threads)
        return BlazeFaceDetector(_one_file(face_model), num_threads)
    contents = detector_files.find()
    if contents is not None:
        return BlazeFaceDetector(contents, num_threads)
    try:
        return HaarDetector(num_threads)
    except opencv.OpenCVError as error:
        raise FaceModelError(
            "looking for faces needs a detector; type: "
            f"{detector_files.COMMAND} ({error})"
        ) from None


def _one_file(
    path: str | os.PathLike,
) -> dict[detector_files.DetectorFile, bytes]:
    content = detector_files.check(path)
    return {
        file: content
        for file in detector_files.FILES
        if file.size == len(content)
    }

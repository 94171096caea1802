"""Face detection: BlazeFace by LiteRT, or what OpenCV has (Haar, YuNet).

BlazeFace needs its two files and nothing else, see `edge.detector_files`. Only
finds boxes: no crop, no classification, no tracking. A detector serves one
thread.
"""

import os
from collections.abc import Iterable
from collections.abc import Sequence

import numpy as np

from edge import detector_files
from edge import opencv
from edge.boxes import Box
from edge.boxes import CropRule
from edge.detector_files import FaceModelError

# OpenCV searches a picture at this many pixels on its longer side at most, and
# a frame of a video at fewer, as it has to be done before the next one comes.
PICTURE_PX, FRAME_PX = 960, 480
# Smaller faces, as a fraction of the longer side, are not looked for: with
# Haar they are mostly false alarms, and BlazeFace takes its time for them.
SMALLEST_FACE = {"blazeface": 1 / 40, "haar": 1 / 20, "yunet": 0.0}
# What is cut out around each detector's boxes: the table in docs/results.md.
CROPS = {
    "blazeface": CropRule(margin=0.2, up=0.1),
    "haar": CropRule(margin=0.1),
    "yunet": CropRule(margin=0.0),
}
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


class Detector:
    """Finds faces in pictures of any size.

    Attributes:
      name: "blazeface", "haar" or "yunet".
    """

    name = ""

    def find(
        self,
        picture: np.ndarray,
        least_px: int | None = None,
        *,
        is_frame: bool = False,
        known: Sequence[Box] | None = None,
    ) -> list[Box]:
        """Finds the faces in a picture.

        Args:
          picture: uint8 [H, W, 1] or [H, W, 3] (RGB), at least one pixel.
          least_px: smaller faces, in pixels, are not looked for; None is
            `smallest(picture)`.
          is_frame: of a video: what takes longer than a frame is left out.
          known: faces of the frame before. Where they are given, small faces
            may be looked for near them alone.

        Returns:
          Boxes in pixels of `picture`, from left to right.
        """
        found = self._search(picture, least_px, is_frame=is_frame, known=known)
        return sorted(box for box in found if box.width > 0 and box.height > 0)

    def smallest(self, picture: np.ndarray) -> int:
        """Returns the size down to which faces are looked for, in pixels."""
        return round(max(picture.shape[:2]) * SMALLEST_FACE[self.name])

    def _search(
        self,
        picture: np.ndarray,
        least_px: int | None,
        *,
        is_frame: bool,
        known: Sequence[Box] | None,
    ) -> Iterable[Box]:
        """Boxes in pixels of a picture, in any order."""
        raise NotImplementedError


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

    def _search(self, picture, least_px, *, is_frame, known):
        if known is not None:
            near = np.array(known, np.float32).reshape(-1, 4)
            found = self._searcher.follow(picture, near)
        else:
            # One look at a whole frame finds what is large enough.
            usual = max(picture.shape[:2]) if is_frame else None
            least = least_px or usual or self.smallest(picture)
            found = self._searcher.find(picture, least)
        return [Box(*map(round, map(float, box))) for box in found.boxes]


class OpenCVDetector(Detector):
    """What searches a smaller copy of a large picture with OpenCV."""

    def _search(self, picture, least_px, *, is_frame, known):
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

    def _search_small(self, picture, least_px):
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

    def _search_small(self, picture, least_px):
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

    def __init__(self, path, num_threads: int = 1):
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

    def _search_small(self, picture, least_px):
        is_colour = picture.shape[2] == 3
        cv2 = self._cv2
        order = cv2.COLOR_RGB2BGR if is_colour else cv2.COLOR_GRAY2BGR
        self._network.setInputSize((picture.shape[1], picture.shape[0]))
        _, found = self._network.detect(cv2.cvtColor(picture, order))
        found = [] if found is None else found[:, :4]
        return [box for box in found if max(box[2:]) >= least_px]


def load_detector(face_model=None, num_threads: int = 1) -> Detector:
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


def _one_file(path):
    content = detector_files.check(path)
    return {
        file: content
        for file in detector_files.FILES
        if file.size == len(content)
    }


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

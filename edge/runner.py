"""Looks at everything the user named, and reports it.

Brings inputs, analysis, reports and display together. An input that cannot be
read is reported, and the next one is looked at.
"""

import argparse
import contextlib
import functools
import time
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np

from edge import console
from edge import faces
from edge import inputs
from edge import kinds
from edge import reports
from edge import video
from edge.analyser import Analyser
from edge.analyser import Face
from edge.analyser import shows_something
from edge.boxes import CropRule
from edge.classifier import Classifier
from edge.crops import Crops
from edge.detector import CROPS
from edge.detector import Detector
from edge.display import Display
from edge.out_names import InputFiles
from edge.pictures import load_picture
from edge.reports import Answer
from edge.tracks import Tracker

NO_FACE_ADVICE = "--no_detect takes the whole picture as one face"
NOTHING_SHOWN = "one grey level: no face to judge"
# What the newest frame counts in the frames per second that are shown.
PACE_WEIGHT = 0.1


class Runner:
    """One run of the command."""

    def __init__(self, options: argparse.Namespace):
        """Checks what can be checked, and loads the model.

        Args:
          options: as `edge.options.parse` gives them.

        Raises:
          ValueError: something named cannot be used; the text says what to
            do.
        """
        self._options = options
        self._names, remarks, self._unread = inputs.expand(options.inputs)
        sources = self._names or ["camera"]
        read = InputFiles(self._names or [options.camera])
        self._display = Display(options, sources, read)
        self._crops = None
        if options.crops is not None:
            self._crops = Crops(
                options.crops, read, overwrite=options.overwrite
            )
            self._crops.check_names(self._names)
        self._classifier = Classifier(
            options.model,
            num_threads=options.threads,
            views=options.views,
            delegate=options.delegate,
        )
        self._detector = None
        if options.face_model is not None:
            self._load_detector("")
        for remark in remarks:
            console.complain(remark)
        self._report = reports.make_report(options, self._classifier.labels)

    def run(self) -> int:
        """Looks at everything; returns how many inputs had a failure.

        Raises:
          OutputError: the table of crops cannot be written.
        """
        with contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.closing(self._display))
            if self._crops is not None:
                stack.enter_context(self._crops.open())
            if self._options.camera is not None:
                return self._look("camera", self._look_at_camera)
            failures = self._unread
            for name in self._names:
                failures += self._look(name, self._look_at_file)
                if self._display.is_closed:
                    break
        return failures

    def _look(self, name: str, look: Callable[[str], None]) -> int:
        """Runs `look`; a foreseen error is reported and counted."""
        try:
            look(name)
        except ValueError as error:
            message = str(error)
        except OSError as error:
            message = f"{name}: {error}"
        except MemoryError:
            message = f"{name}: it takes more memory than there is"
        else:
            return 0
        self._report.failure(name, message)
        return 1

    def _look_at_file(self, name: str) -> None:
        with inputs.as_file(name) as path:
            if not kinds.is_video(path) and not video.can_read(path):
                self._look_at_picture(name, path)
                return
            if self._crops is not None:
                console.complain(f"{name}: a video; --crops takes pictures")
            with contextlib.closing(video.VideoFile(path, name)) as source:
                self.watch(source)

    def _look_at_camera(self, _: str) -> None:
        camera = video.open_camera(self._options.camera)
        with contextlib.closing(camera):
            self.watch(camera)

    def _look_at_picture(self, name: str, path: str) -> None:
        picture, read_as = load_picture(path, name)
        height, width = picture.shape[:2]
        detector = self._load_detector(name)
        analyser = self._analyser(detector)
        found = analyser.analyse(picture)
        notes = [read_as, self._note(picture, detector, found)]
        note = "; ".join(filter(None, notes))
        used = detector if found and found[0].is_found else None
        self._report.answer(
            Answer(name, (width, height), found, _name_of(used), note)
        )
        if self._crops is not None:
            self._crops.add(
                name, found, functools.partial(analyser.crop, picture)
            )
        self._display.picture(name, picture, found)

    def _note(
        self,
        picture: np.ndarray,
        detector: Detector | None,
        found: Sequence[Face],
    ) -> str:
        """What the user should know of how a picture was taken."""
        if not found and not shows_something(picture):
            return NOTHING_SHOWN
        if detector is None:
            return ""
        if not found:
            least = self._options.min_face or detector.smallest(picture)
            advice = f"looked down to {least} pixels; {NO_FACE_ADVICE}"
            return f"{advice}, --min_face=PX looks for smaller ones"
        if found[0].is_found:
            return ""
        height, width = picture.shape[:2]
        return f"{width}x{height} pixels, no face found: taken whole"

    def watch(self, source: video.VideoFile | video.Camera) -> None:
        """Looks at every frame that a video or camera gives.

        Raises:
          ValueError: the source broke off, or faces cannot be looked for.
        """
        detector = self._load_detector(source.name)
        analyser = self._analyser(detector)
        tracker = Tracker(self._options.smoothing)
        pace = Pace()
        try:
            with self._display.stream(source) as display:
                for frame in source.frames():
                    found = analyser.analyse(
                        frame.pixels, tracker, frame.seconds
                    )
                    self._answer_frame(source, frame, found, detector=detector)
                    pace.count(found)
                    if not display.frame(frame, found, pace.fps):
                        break
        finally:
            console.complain(pace.describe(source))

    def _answer_frame(
        self,
        source: video.VideoFile | video.Camera,
        frame: video.Frame,
        found: Sequence[Face],
        *,
        detector: Detector | None,
    ) -> None:
        self._report.answer(
            Answer(
                source.name,
                frame.pixels.shape[1::-1],
                found,
                _name_of(detector),
                frame=frame.index,
                seconds=frame.seconds,
            )
        )

    def _rule(self, detector: Detector | None) -> CropRule | None:
        if detector is None:
            return None
        rule, margin = CROPS[detector.name], self._options.margin
        return rule if margin is None else rule._replace(margin=margin)

    def _analyser(self, detector: Detector | None) -> Analyser:
        options = self._options
        return Analyser(
            self._classifier,
            detector,
            self._rule(detector),
            least_px=options.min_face,
            min_confidence=options.min_confidence,
        )

    def _load_detector(self, name: str) -> Detector | None:
        """The detector, loaded when the first input needs it."""
        options = self._options
        if self._detector is None and not options.no_detect:
            try:
                self._detector = faces.load_detector(
                    options.face_model, options.threads
                )
            except ValueError as error:
                if not name:
                    raise
                raise faces.FaceModelError(
                    f"{name}: {error}; or add --no_detect if it shows one "
                    "face and nothing else"
                ) from None
        return self._detector


class Pace:
    """Counts frames and how fast they go.

    Attributes:
      fps: frames per second, averaged over about the last ten.
    """

    def __init__(self):
        self.fps = 0.0
        self._frames = self._with_face = 0
        self._start = self._last = time.monotonic()

    def count(self, found: Sequence[Face]) -> None:
        """Counts a frame that was answered."""
        now = time.monotonic()
        rate = 1 / max(now - self._last, 1e-6)
        weight = PACE_WEIGHT if self._frames else 1.0
        self.fps += weight * (rate - self.fps)
        self._frames += 1
        self._with_face += bool(found)
        self._last = now

    def describe(self, source: video.VideoFile | video.Camera) -> str:
        """Says in a line what became of a video or camera."""
        rate = self._frames / max(self._last - self._start, 1e-6)
        parts = [
            f"{source.name}: {self._frames} frames",
            f"{self._with_face} with a face",
            f"{rate if self._frames else 0:.1f} frames/s",
        ]
        if source.is_live:
            parts.append(f"{source.dropped} dropped")
        if source.empty:
            parts.append(f"{source.empty} empty")
        return ", ".join(parts)


def _name_of(detector: Detector | None) -> str | None:
    return None if detector is None else detector.name

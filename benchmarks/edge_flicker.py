"""How much smoothing calms the answers for a video.

  python -m benchmarks.edge_flicker --model=M.tflite

Faces of a drawn video keep their expressions, so that every change of an
answer is flicker. Counts the changes in a hundred answers for a face, without
smoothing and with more and more of it, over the same faces found in the same
noisy frames. What smoothing costs is said beside it: how long an answer takes
to follow a face whose expression changes at once, from one certain answer to
another.
"""

import argparse
import math
from collections.abc import Iterable
from collections.abc import Iterator

import numpy as np

from benchmarks import drawn_video
from benchmarks import harness
from edge import boxes
from edge.boxes import Box
from edge.classifier import Classifier
from edge.detector import CROPS
from edge.detector import Detector
from edge.faces import load_detector
from edge.tracks import Tracker

HEADER = "| smoothing | changes in 100 answers | delay of a real change |"
SMOOTHINGS_S = (0.0, 0.1, 0.25, 0.5, 1.0)
NUM_VIDEOS = 3
NOISE = 16.0

Sequence = list[tuple[float, list[Box], np.ndarray]]


def look(
    classifier: Classifier, detector: Detector, video: drawn_video.DrawnVideo
) -> Iterator[tuple[float, list[Box], np.ndarray]]:
    """Yields for each frame: seconds, boxes, float32 [n, K], not smoothed."""
    for index in range(video.num_frames):
        frame = video.frame(index)
        found = detector.find(frame, is_frame=True)
        rule = CROPS[detector.name]
        crops = [boxes.crop(frame, box, rule) for box in found]
        yield index / drawn_video.FPS, found, classifier.predict(crops)


def count_changes(sequence: Sequence, smoothing_s: float) -> tuple[int, int]:
    """Returns how often an answer changed, and how often it could have."""
    tracker, last = Tracker(smoothing_s), {}
    changes = chances = 0
    for seconds, found, rows in sequence:
        for number, row in tracker.update(seconds, found, rows):
            label = int(row.argmax())
            chances += number in last
            changes += last.get(number, label) != label
            last[number] = label
    return changes, chances


def flicker(sequences: Iterable[Sequence], smoothing_s: float) -> float:
    """Returns the changes in a hundred answers."""
    counts = np.sum([count_changes(s, smoothing_s) for s in sequences], axis=0)
    return float(100 * counts[0] / counts[1])


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", required=True)
    parser.add_argument("--num_frames", type=int, default=100)
    options = parser.parse_args()
    classifier, detector = Classifier(options.model), load_detector()
    videos = [
        drawn_video.DrawnVideo(
            num_frames=options.num_frames, noise=NOISE, seed=seed
        )
        for seed in range(NUM_VIDEOS)
    ]
    sequences = [list(look(classifier, detector, v)) for v in videos]
    print("\n".join([HEADER, "|" + " --- |" * (HEADER.count("|") - 1)]))
    for smoothing_s in SMOOTHINGS_S:
        rate = flicker(sequences, smoothing_s)
        delay_s = smoothing_s * math.log(2)
        print(f"| {smoothing_s:g} s | {rate:.1f} | {delay_s:.2f} s |")


if __name__ == "__main__":
    harness.run_stoppable(main)

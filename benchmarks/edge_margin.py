"""How wide a face is to be cut out around the box of each detector.

  python -m benchmarks.edge_margin --data_dir=DIR --photographs=DIR

Puts faces of a validation split, enlarged, into a larger picture, finds them
there with the detectors of `python -m edge`, and classifies what is cut out
with each margin and each shift upwards; the same for photographs in class
folders. Pasted faces flatter tight crops, photographs wide ones, so that one
rule has to do for both: `edge.detector.CROPS` has it, in bold here. Never looks
at a test split: the margin is a choice.
"""

import argparse
import itertools
import pathlib
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmarks import harness
from benchmarks import pages
from benchmarks import photograph_folder
from benchmarks import photographs
from edge import boxes
from edge.boxes import Box
from edge.boxes import CropRule
from edge.classifier import Classifier
from edge.detector import CROPS
from edge.detector import Detector
from fer_tfds import labels
from trainer.data import prepared
from trainer.settings.model_and_data import DataSettings

MARGINS, UPS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3), (0.0, 0.05, 0.1)
FACE_PX, SIZE = 144, (480, 360)
# A box that overlaps the face by less is of something else.
LEAST_OVERLAP = 0.2


class FoundFace(NamedTuple):
    """A face that a detector found.

    Attributes:
      picture: uint8 [H, W, C].
      box: where.
      label: what it shows, a canonical name.
    """

    picture: np.ndarray
    box: Box
    label: str


def place(face: np.ndarray, rng: np.random.Generator) -> tuple:
    """Puts a face, uint8 [S, S, C], on a background of soft patches.

    Returns:
      uint8 [360, 480, 3] and the box of the face.
    """
    patches = rng.integers(60, 180, (4, 5, 3), np.uint8)
    picture = Image.fromarray(patches).resize(SIZE, Image.Resampling.BICUBIC)
    plane = face[..., 0] if face.shape[-1] == 1 else face
    large = Image.fromarray(plane).resize(
        (FACE_PX, FACE_PX), Image.Resampling.BICUBIC
    )
    left, top = (int(rng.integers(40, side - FACE_PX - 40)) for side in SIZE)
    picture.paste(large.convert("RGB"), (left, top))
    return np.asarray(picture), Box(left, top, FACE_PX, FACE_PX)


def find(
    faces: np.ndarray, detector: Detector
) -> Iterator[tuple[int, np.ndarray, Box]]:
    """Yields index, picture and box of each face that is found."""
    rng = np.random.default_rng(0)
    for index, face in enumerate(faces):
        picture, known = place(face, rng)
        for box in detector.find(picture):
            if boxes.overlap(box, known) >= LEAST_OVERLAP:
                yield index, picture, box
                break


def find_pasted(
    split: prepared.Split, names: Sequence[str], detector: Detector
) -> list[FoundFace]:
    """Finds the faces of a split in the pictures that they are put into."""
    return [
        FoundFace(picture, box, names[split.labels[index]])
        for index, picture, box in find(split.images, detector)
    ]


def find_in_photographs(
    listed: Sequence[photograph_folder.Photograph], detector: Detector
) -> list[FoundFace]:
    """Finds the largest face of each photograph."""
    found = []
    for photograph in listed:
        picture = photograph.pixels()
        boxes_found = detector.find(picture)
        if boxes_found:
            largest = max(boxes_found, key=lambda box: box.width * box.height)
            found.append(FoundFace(picture, largest, photograph.label))
    return found


def accuracies(
    found: Sequence[FoundFace],
    rules: Sequence[CropRule],
    answer: Callable[[list[np.ndarray]], list[str]],
) -> list[float]:
    """Returns the fraction of right answers for each rule."""
    truth = [face.label for face in found]
    result = []
    for rule in rules:
        given = answer([boxes.crop(f.picture, f.box, rule) for f in found])
        result.append(float(np.mean(np.array(given) == truth)))
    return result


def as_table(
    rules: Sequence[CropRule], columns: dict[str, list[list[float]]]
) -> str:
    """Returns the table of all detectors, the rule in use by each in bold.

    Args:
      rules: one for each row.
      columns: detector, as in `edge.detector.CROPS` -> fractions of right
        answers for each rule, on each kind of picture.
    """
    rows = []
    for index, rule in enumerate(rules):
        row = [f"{rule.margin:g}, {rule.up:g}"]
        for name, each in columns.items():
            cell = ", ".join(f"{values[index]:.1%}" for values in each)
            row.append(f"**{cell}**" if rule == CROPS[name] else cell)
        rows.append(row)
    return harness.as_table(["margin, up", *columns], rows)


def make_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--model", default="edge")
    add("--data_dir", help="of prepared FER-2013; none: photographs alone")
    add("--photographs", type=pathlib.Path, metavar="DIR")
    add("--face_model", metavar="FILE", help="YuNet's .onnx, measured too")
    add("--num_faces", type=int, default=1000)
    add("--results", type=pathlib.Path, help="Markdown file")
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Prints the table; with --results also puts it between its markers."""
    pages.run_page(make_parser(), measure, "edge_margin", arguments=arguments)


def measure(options: argparse.Namespace) -> str:
    """Returns the table of all detectors.

    Raises:
      ValueError: there is nothing to measure on, or it cannot be used.
    """
    classifier = Classifier(options.model)
    finders = load_finders(options)

    def answer(crops: list[np.ndarray]) -> list[str]:
        rows = classifier.predict(crops).argmax(axis=1)
        return [labels.canonical_name(classifier.labels[row]) for row in rows]

    grid = itertools.starmap(CropRule, itertools.product(MARGINS, UPS))
    rules = sorted({*grid, *CROPS.values()})
    columns, lines = {}, []
    for _, detector in photographs.load_detectors(options.face_model):
        if detector is None:
            continue
        found = {name: find(detector) for name, find in finders.items()}
        columns[detector.name] = [
            accuracies(each, rules, answer) for each in found.values()
        ]
        counts = (f"{len(each):,} {name}" for name, each in found.items())
        lines.append(f"{detector.name}: right on {' and on '.join(counts)}.")
    return "\n".join(lines) + "\n\n" + as_table(rules, columns)


def load_finders(
    options: argparse.Namespace,
) -> dict[str, Callable[[Detector], list[FoundFace]]]:
    """Returns what is measured on -> what finds the faces of it."""
    finders = {}
    if options.data_dir:
        data = DataSettings(data_dir=options.data_dir)
        split = prepared.load_split(data, f"validation[:{options.num_faces}]")
        names = [labels.canonical_name(name) for name in data.class_names]
        finders["pasted faces"] = lambda d: find_pasted(split, names, d)
    if options.photographs:
        listed = photograph_folder.read_folder(options.photographs)
        finders["photographs"] = lambda d: find_in_photographs(listed, d)
    if not finders:
        raise ValueError("give --data_dir, --photographs or both")
    return finders


if __name__ == "__main__":
    harness.run_stoppable(main)

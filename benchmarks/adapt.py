"""What `adapt.flags` gains on your own pictures, against other beginnings.

  python -m benchmarks.adapt --photographs=DIR --results=docs/results.md

DIR holds pictures that `tfds build fer_tfds/image_folder` reads, of expressions
that the released model knows, and a `people.csv` (FILE,PERSON). Five times
their people are split into those to train on, to validate by and to test on,
so nobody is on two sides. With 10, 30 and 100 pictures of each class and with
all of them, the recipe trains the released model on, its network from random
weights, and MobileNetV2 from random weights. All answer for the same pictures,
one view of each, and so does the released model without any training.
"""

import argparse
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import numpy as np

from benchmarks import adapt_runs
from benchmarks import harness
from benchmarks import pages

SECTION = "adapt"
# A line for each training that is done; the same command goes on from there.
KEPT = harness.SCRATCH / "adapt.jsonl"
SIZES = (10, 30, 100, 0)
SPLITS = 5
RELEASED = "released model, as it is"
ADAPTED = "released model, adapted"
# From random weights there is no head to begin with, and more to learn.
_RANDOM = {
    "weights": "none",
    "head_epochs": 0,
    "fine_tune_epochs": 30,
    "fine_tune_learning_rate": 0.001,
    "fine_tune_batch_norm": True,
}
# What is trained -> the settings that it has in place of the recipe's.
SYSTEMS = {
    ADAPTED: {},
    "the same network, random": _RANDOM,
    "MobileNetV2, random": {**_RANDOM, "backbone": "mobilenetv2"},
}
# `fer_tfds.synthetic` draws so many of each of seven classes: 1,001.
_DRAWN = {"train": 101, "validation": 21, "test": 21}


# System -> pictures of each class (0 is all) -> accuracy in [0, 1] on the test
# pictures of each split.
Results = dict[str, dict[int, list[float]]]


def main(arguments: list[str] | None = None) -> None:
    """Prints the tables; with --results also puts them between their marks."""
    pages.run_page(make_parser(), measure, SECTION, arguments=arguments)


def make_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--photographs", type=pathlib.Path, required=True, metavar="DIR")
    add("--recipe", default="adapt.flags", help="the flagfile that is tried")
    add("--sizes", nargs="+", type=int, default=SIZES, help="0 is all")
    add("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    add("--results", type=pathlib.Path, help="Markdown file")
    return parser


def measure(options: argparse.Namespace) -> str:
    """Returns the tables, with what was measured and on what machine.

    Raises:
      ValueError: the pictures, their people or the recipe cannot be used.
    """
    with tempfile.TemporaryDirectory() as scratch:
        data_dir = f"{scratch}/data"
        _build(options.photographs, data_dir)
        settings = adapt_runs.read_recipe(options.recipe, data_dir)
        pictures = adapt_runs.read_pictures(settings, options.photographs)
        found: Results = {}
        for system, size, score in _scores(options, settings, pictures):
            found.setdefault(system, {}).setdefault(size, []).append(score)
            print(f"{system}, {size or 'all'}: {score:.1%}", flush=True)
        seconds = time_command(options.recipe, scratch)
    people = len(set(pictures.people.tolist()))
    return "\n\n".join(
        [
            f"{len(pictures.ids):,} pictures of {people:,} people or series.\n"
            + harness.machine_line(),
            accuracy_table(found, options.sizes),
            gain_table(found, options.sizes),
            f"`python -m trainer --flagfile={options.recipe}` on "
            f"{7 * sum(_DRAWN.values()):,} drawn pictures: {seconds:.0f} s.",
        ]
    )


def _scores(
    options: argparse.Namespace,
    settings: adapt_runs.Settings,
    pictures: adapt_runs.Pictures,
) -> Iterator[tuple[str, int, float]]:
    """Yields system, pictures of each class and accuracy, split by split."""
    names = settings.data.class_names
    for number in range(SPLITS):
        parts = adapt_runs.split_people(pictures.people, number)
        score = adapt_runs.score_released(pictures, parts.test, names)
        yield RELEASED, 0, score
        for size in options.sizes:
            taken = adapt_runs.take(pictures, parts, size, seed=number)
            for system in options.systems:
                changed = adapt_runs.change(settings, SYSTEMS[system])
                yield system, size, _train_once(changed, pictures, taken)


def _train_once(
    settings: adapt_runs.Settings,
    pictures: adapt_runs.Pictures,
    taken: adapt_runs.Parts,
) -> float:
    """Trains and scores, unless an earlier start of the command has done it."""
    key = adapt_runs.key_of(settings, pictures, taken)
    kept = KEPT.read_text("utf-8").splitlines() if KEPT.is_file() else []
    for line in map(json.loads, kept):
        if line["key"] == key:
            return line["accuracy"]
    predict = adapt_runs.train(settings, pictures, taken)
    accuracy = adapt_runs.score(predict, pictures, taken.test)
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    with KEPT.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"key": key, "accuracy": accuracy}) + "\n")
    return accuracy


def accuracy_table(found: Results, sizes: list[int]) -> str:
    """Returns accuracy by system and number of pictures, as Markdown."""
    rows = []
    for system, by_size in found.items():
        if system == RELEASED:
            cells = [_mean_and_spread(by_size[0])] + ["-"] * (len(sizes) - 1)
        else:
            cells = [_mean_and_spread(by_size[size]) for size in sizes]
        rows.append([system, *cells])
    columns = [f"{size} a class" if size else "all" for size in sizes]
    return harness.as_table(("accuracy", *columns), rows)


def gain_table(found: Results, sizes: list[int]) -> str:
    """Returns by how much adapting gains, split by split, as Markdown."""
    rows = []
    for size in sizes if ADAPTED in found else ():
        gains = [
            100 * (ours - theirs)
            for ours, theirs in zip(
                found[ADAPTED][size], found[RELEASED][0], strict=True
            )
        ]
        name = f"{size} a class" if size else "all"
        each = ", ".join(f"{gain:+.1f}" for gain in gains)
        mean = f"{np.mean(gains):+.1f} ± {np.std(gains, ddof=1):.1f}"
        rows.append([name, mean, each])
    return harness.as_table(("points gained", "mean", "each split"), rows)


def time_command(recipe: str, scratch: str) -> float:
    """Seconds that the trainer takes for a thousand drawn pictures."""
    counts = [f"--{split}={count}" for split, count in _DRAWN.items()]
    _run(
        "fer_tfds.synthetic",
        f"--out={scratch}/raw",
        "--layout=folders",
        *counts,
    )
    _build(pathlib.Path(scratch, "raw"), f"{scratch}/drawn")
    flags = [f"--data_dir={scratch}/drawn", f"--workdir={scratch}/run"]
    started = time.monotonic()
    _run("trainer", f"--flagfile={recipe}", *flags)
    return time.monotonic() - started


def _mean_and_spread(scores: list[float]) -> str:
    percent = [100 * score for score in scores]
    return f"{np.mean(percent):.1f}% ± {np.std(percent, ddof=1):.1f}"


def _build(pictures: pathlib.Path, data_dir: str) -> None:
    """Prepares pictures as `tfds build fer_tfds/image_folder` does."""
    folder = str(harness.ROOT / "fer_tfds" / adapt_runs.DATASET)
    flags = [f"--manual_dir={pictures}", f"--data_dir={data_dir}"]
    tfds = pathlib.Path(sys.executable).with_name("tfds")
    _check([str(tfds), "build", folder, *flags])


def _run(module: str, *flags: str) -> None:
    _check([sys.executable, "-m", module, *flags])


def _check(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(
            f"{shlex.join(command)} ended with {done.returncode}:\n"
            + done.stderr[-2000:]
        )


if __name__ == "__main__":
    harness.run_stoppable(main)

"""What our loop and our input add to a training step.

  python -m benchmarks.training_step

First table: a recipe's network is trained, through our loop, on its own
augmented batches and on one batch held in memory, and with Keras's
`train_on_batch` on that batch: same network, update rule and batch. All take a
few steps by turns, in one process, since the same steps differ by a tenth from
one process to the next, and from one minute to the next. Averaging of weights
and counting of right answers are part of our step where the recipe has them.

Second table, for every recipe: the share of the time that steps wait for their
batch, which is fetched between two steps: in a compiled loop the next batch is
taken while other work of the steps goes on, and not all of that is waiting. On
few cores the input also takes time from the step itself, which the first table
has in it.

Faces are drawn, weights are random, and it is the last phase of the recipe
that runs: times do not depend on what is in a picture or a weight.
"""

import argparse
import dataclasses
import pathlib
import sys
import tempfile
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks import drawn_data
from benchmarks import harness
from trainer.settings.settings import Settings

MODULE = "benchmarks.training_step"
LOOP, MEMORY, BARE = "loop", "memory", "train_on_batch"
COMPARED = ("edge.flags", "recipes/cnn_zoo.flags", "recipes/resnet50_fer.flags")

# What a benchmark holds of a recipe's images, in bytes and in number.
MOST_BYTES, MOST_IMAGES = 2**28, 8_192
FEWEST_STEPS = 2
# A turn of the first table: so many blocks of each way, of so many steps.
BLOCKS, BLOCK_STEPS = 6, 3

STEP_HEADER = (
    "recipe",
    "our loop and input, ms a step",
    "our loop, batch in memory, ms",
    "`train_on_batch`, ms",
    "loop and input / `train_on_batch`",
    "loop / `train_on_batch`",
)
WAIT_HEADER = (
    "recipe",
    "pixels",
    "batch",
    "ms a step",
    "waiting for input, % of a step",
)


def main(arguments: list[str] | None = None) -> None:
    """Measures and writes the tables."""
    parser = harness.make_parser(__doc__)
    parser.add_argument(
        "--compared",
        nargs="*",
        default=COMPARED,
        help="with train_on_batch; none: leave that table alone",
    )
    parser.add_argument(
        "--recipes",
        nargs="*",
        default=all_recipes(),
        help="for their wait; none: as above",
    )
    parser.add_argument(
        "--seconds", type=float, default=8, help="for the wait of a recipe"
    )
    parser.set_defaults(repetitions=9)
    harness.run_program(parser, measure, measure_alone, arguments=arguments)


def all_recipes() -> list[str]:
    """Returns every flagfile of a recipe, relative to the root."""
    found = [
        *harness.ROOT.glob("recipes/*.flags"),
        *(harness.ROOT / name for name in ("edge.flags", "densenet.flags")),
    ]
    return sorted(path.relative_to(harness.ROOT).as_posix() for path in found)


def measure(options: argparse.Namespace) -> dict[str, str]:
    """Returns section of the page -> text, of the tables that are asked for."""
    step = _rows(step_row, options.compared, turns=options.repetitions)
    wait = _rows(wait_row, options.recipes, seconds=options.seconds)
    tables = {
        "training_step": (STEP_HEADER, step),
        "input_wait": (WAIT_HEADER, wait),
    }
    return {
        section: harness.as_table(header, rows)
        for section, (header, rows) in tables.items()
        if rows
    }


def _rows(
    as_row: Callable[[str, dict[str, Any]], list[Any]],
    flagfiles: Sequence[str],
    **how: Any,
) -> list[list[Any]]:
    rows = []
    for flagfile in flagfiles:
        print(f"{as_row.__name__}: {flagfile}", file=sys.stderr)
        found = harness.run_alone(MODULE, flagfile=flagfile, **how)
        rows.append(as_row(flagfile, found))
    return rows


def step_row(flagfile: str, measured: dict[str, Any]) -> list[Any]:
    """Returns a row of the first table."""
    times = {
        name: [1000 * seconds for seconds in measured[name]]
        for name in (LOOP, MEMORY, BARE)
    }
    return [
        f"`{flagfile}`",
        *map(harness.spread, times.values()),
        harness.ratios(times[LOOP], times[BARE]),
        harness.ratios(times[MEMORY], times[BARE]),
    ]


def wait_row(flagfile: str, measured: dict[str, Any]) -> list[Any]:
    """Returns a row of the second table."""
    size, channels = measured["size"], measured["channels"]
    return [
        f"`{flagfile}`",
        f"{size}x{size}x{channels}",
        measured["batch"],
        harness.digits(1000 * measured["step_seconds"]),
        f"{100 * measured['wait_fraction']:.2f}",
    ]


def measure_alone(
    flagfile: str, turns: int = 0, seconds: float = 0
) -> dict[str, Any]:
    """Measures a recipe in this process.

    Args:
      flagfile: the recipe's, relative to the root.
      turns: how many, for the first table; 0: for the second.
      seconds: for the second: for how long.

    Returns:
      With turns: of each way, the seconds a step in each turn. Without:
      `step_seconds`, `wait_fraction` in [0, 1], and `size`, `channels` and
      `batch` of the recipe.
    """
    settings = read_recipe(flagfile)
    data = settings.data
    count = count_images(settings)
    images = drawn_data.pictures(count, data.image_size, data.channels)
    with tempfile.TemporaryDirectory() as folder:
        if turns:
            return _compare(settings, images, pathlib.Path(folder), turns=turns)
        return _wait(settings, images, pathlib.Path(folder), seconds=seconds)


def _compare(
    settings: Settings, images: np.ndarray, folder: pathlib.Path, *, turns: int
) -> dict[str, list[float]]:
    from benchmarks import timed_run

    ours, bare = (
        timed_run.make_run(settings, images, folder / name, is_ours=is_ours)
        for name, is_ours in (("ours", True), ("bare", False))
    )
    ways = {
        LOOP: ours.loop_steps(in_memory=False),
        MEMORY: ours.loop_steps(in_memory=True),
        BARE: bare.bare_steps(),
    }
    return compare_steps(ways, turns)


def compare_steps(
    ways: Mapping[str, Callable[[int], Any]], turns: int
) -> dict[str, list[float]]:
    """Takes steps in several ways, a few at a time.

    Args:
      ways: name -> what takes so many steps.
      turns: how many figures of each.

    Returns:
      Name -> seconds a step, in each turn.
    """
    blocks = harness.in_turns(
        {name: _block(take_steps) for name, take_steps in ways.items()},
        turns * BLOCKS,
    )
    return {
        name: np.reshape(seconds, [turns, BLOCKS]).mean(axis=1).tolist()
        for name, seconds in blocks.items()
    }


def _block(take_steps: Callable[[int], Any]) -> Callable[[], float]:
    def time_block() -> float:
        take_steps(1)  # compiles, or finds the caches as another way left them
        begin = time.perf_counter()
        take_steps(BLOCK_STEPS)
        return (time.perf_counter() - begin) / BLOCK_STEPS

    return time_block


def _wait(
    settings: Settings,
    images: np.ndarray,
    folder: pathlib.Path,
    *,
    seconds: float,
) -> dict[str, Any]:
    from benchmarks import timed_run

    run = timed_run.make_run(settings, images, folder, is_ours=True)
    found = time_steps(run.waiting_steps(), seconds)
    return {
        "step_seconds": found["seconds"] / found["steps"],
        "wait_fraction": run.waited_seconds / found["seconds"],
        "size": settings.data.image_size,
        "channels": settings.data.channels,
        "batch": settings.training.batch_size,
    }


def time_steps(
    take_steps: Callable[[int], Any], seconds: float
) -> dict[str, float]:
    """Takes steps for about so many seconds, after the first ones.

    Args:
      take_steps: takes a number of steps; what it measures itself begins
        anew with each call.

    Returns:
      `steps` and `seconds`.
    """
    take_steps(1)  # compiles
    begin = time.perf_counter()
    take_steps(FEWEST_STEPS)
    each = (time.perf_counter() - begin) / FEWEST_STEPS
    steps = max(FEWEST_STEPS, round(seconds / each))
    begin = time.perf_counter()
    take_steps(steps)
    return {"steps": steps, "seconds": time.perf_counter() - begin}


def read_recipe(flagfile: str) -> Settings:
    """Returns the settings of a recipe, with random weights."""
    from trainer.settings import cli_flags

    settings = cli_flags.read_flagfile(harness.ROOT / flagfile)
    return dataclasses.replace(
        settings,
        model=dataclasses.replace(settings.model, weights="none"),
    )


def count_images(settings: Settings) -> int:
    """Returns how many images to draw: some batches, and not too many bytes."""
    data, batch = settings.data, settings.training.batch_size
    most = MOST_BYTES // (data.image_size**2 * data.channels)
    return int(np.clip(most, 2 * batch, MOST_IMAGES))


if __name__ == "__main__":
    harness.run_stoppable(main)

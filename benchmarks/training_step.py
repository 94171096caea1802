"""What our loop and our input add to a training step.

  python -m benchmarks.training_step

First table: a recipe's network is trained, through our loop, on its own
augmented batches and on one batch held in memory, and with Keras's
`train_on_batch` on that batch: same network, update rule and batch, each in a
process of its own. Averaging of weights and counting of right answers are
part of our step where the recipe has them.

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
import statistics
import tempfile
import time
from typing import Any

import numpy as np

from benchmarks import drawn_data
from benchmarks import paired

MODULE = "benchmarks.training_step"
LOOP, MEMORY, BARE = "loop", "memory", "train_on_batch"
WAIT = "wait"
COMPARED = ("edge.flags", "recipes/cnn_zoo.flags", "recipes/resnet50_fer.flags")

# What a benchmark holds of a recipe's images, in bytes and in number.
MOST_BYTES, MOST_IMAGES = 2**28, 8_192
FEWEST_STEPS = 2

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
    parser = paired.make_parser(__doc__)
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
    parser.add_argument("--seconds", type=float, default=8, help="each figure")
    paired.run_program(parser, measure, measure_alone, arguments)


def all_recipes() -> list[str]:
    """Returns every flagfile of a recipe, relative to the root."""
    found = [
        *paired.ROOT.glob("recipes/*.flags"),
        *(paired.ROOT / name for name in ("edge.flags", "densenet.flags")),
    ]
    return sorted(path.relative_to(paired.ROOT).as_posix() for path in found)


def measure(options: argparse.Namespace) -> dict[str, str]:
    """Returns section of the page -> text, of the tables that are asked for."""
    tables = {}
    if options.compared:
        rows = [
            step_row(
                flagfile,
                paired.in_turns(
                    {
                        name: _way(name, flagfile, options)
                        for name in (LOOP, MEMORY, BARE)
                    },
                    options.repetitions,
                ),
            )
            for flagfile in options.compared
        ]
        tables["training_step"] = paired.as_table(STEP_HEADER, rows)
    if options.recipes:
        measured = paired.in_turns(
            {name: _way(WAIT, name, options) for name in options.recipes}, 1
        )
        waits = [wait_row(name, turns) for name, turns in measured.items()]
        tables["input_wait"] = paired.as_table(WAIT_HEADER, waits)
    return tables


def _way(name, flagfile, options):
    return lambda: paired.run_alone(
        MODULE, way=name, flagfile=flagfile, seconds=options.seconds
    )


def step_row(flagfile: str, measured: dict[str, list[dict]]) -> list[Any]:
    """Returns a row of the first table."""
    times = {
        name: [1000 * turn["step_seconds"] for turn in turns]
        for name, turns in measured.items()
    }
    return [
        f"`{flagfile}`",
        *(paired.spread(times[name]) for name in (LOOP, MEMORY, BARE)),
        paired.ratios(times[LOOP], times[BARE]),
        paired.ratios(times[MEMORY], times[BARE]),
    ]


def wait_row(flagfile: str, turns: list[dict]) -> list[Any]:
    """Returns a row of the second table."""
    share = statistics.median(turn["wait_share"] for turn in turns)
    first = turns[0]
    return [
        f"`{flagfile}`",
        f"{first['size']}x{first['size']}x{first['channels']}",
        first["batch"],
        paired.spread(1000 * turn["step_seconds"] for turn in turns),
        f"{100 * share:.2f}",
    ]


def measure_alone(way: str, flagfile: str, seconds: float) -> dict[str, Any]:
    """Measures one way in this process.

    Returns:
      `step_seconds`; `wait_share` (None where nothing was waited for); `size`,
      `channels` and `batch` of the recipe.
    """
    from benchmarks import timed_run

    settings = read_recipe(flagfile)
    count = count_images(settings)
    data = settings.data
    images = drawn_data.pictures(count, data.image_size, data.channels)
    with tempfile.TemporaryDirectory() as folder:
        run = timed_run.make_run(
            settings, images, pathlib.Path(folder), is_ours=way != BARE
        )
        take_steps = {
            LOOP: lambda: run.loop_steps(in_memory=False),
            MEMORY: lambda: run.loop_steps(in_memory=True),
            WAIT: run.waiting_steps,
            BARE: run.bare_steps,
        }[way]()
        found = time_steps(take_steps, seconds)
        waited = run.waited_seconds
    return {
        "step_seconds": found["seconds"] / found["steps"],
        "wait_share": None if waited is None else waited / found["seconds"],
        "size": data.image_size,
        "channels": data.channels,
        "batch": settings.training.batch_size,
    }


def time_steps(take_steps, seconds: float) -> dict[str, float]:
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


def read_recipe(flagfile: str):
    """Returns the settings of a recipe, with random weights."""
    from trainer import cli_flags

    settings = cli_flags.read_flagfile(paired.ROOT / flagfile)
    return dataclasses.replace(
        settings,
        model=dataclasses.replace(settings.model, weights="none"),
    )


def count_images(settings) -> int:
    """Returns how many images to draw: some batches, and not too many bytes."""
    data, batch = settings.data, settings.training.batch_size
    most = MOST_BYTES // (data.image_size**2 * data.channels)
    return int(np.clip(most, 2 * batch, MOST_IMAGES))


if __name__ == "__main__":
    main()

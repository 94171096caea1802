"""Training from records that stay on disk, at 224 pixels; for `growth`.

Drawn AffectNet in two sizes. What starting, memory and reading take must not
depend on the number of images; the plain TFDS way (`tfds.load`, decode,
`shuffle`, `batch`, `prefetch`) is what one would write without this project.
"""

import argparse
from typing import Any

from benchmarks import drawn_data
from benchmarks import harness
from benchmarks import streamed_child as child

MODULE = "benchmarks.streamed_child"
RATES = {
    child.OURS: "streamed, float32 as a network takes it",
    child.PLAIN: "plain TFDS, uint8",
    child.FLOAT: "plain TFDS, float32",
    child.AUGMENTED: "streamed, augmented",
}
# For the smaller size alone: it has to fit.
IN_MEMORY = {
    child.MEMORY: "in memory",
    f"{child.MEMORY} {child.AUGMENTED}": "in memory, augmented",
}
GIB = 2**30


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds what this measurement may be told."""
    parser.add_argument(
        "--large_images", type=int, nargs="*", default=[20_000, 100_000]
    )
    parser.add_argument("--rate_seconds", type=float, default=15)
    parser.add_argument("--wait_steps", type=int, default=4)
    parser.add_argument("--wait_backbone", default="densenet121")


def measure(options: argparse.Namespace) -> str:
    """Returns the tables, or "" where no number of images is given."""
    rows = [measure_size(count, options) for count in options.large_images]
    return as_tables(rows) if rows else ""


def measure_size(count: int, options: argparse.Namespace) -> dict[str, Any]:
    """Measures all of it with so many images: name -> figure."""
    folder = drawn_data.affectnet_dir(
        count, child.SIZE_PX, options.scratch, processes=options.processes
    )
    common = {"data_dir": str(folder)}
    start = harness.run_alone(
        MODULE, task="start", backbone=options.wait_backbone, **common
    )
    row = {"count": count, "start": start["seconds"]}
    row["start_peak"] = start["watched"]["peak_bytes"] / GIB
    row["written"] = start["written"]
    ways = [*RATES, *(IN_MEMORY if count == options.large_images[0] else ())]
    measured = harness.in_turns(
        {
            way: lambda way=way: harness.run_alone(
                MODULE,
                task="rate",
                way=way,
                seconds=options.rate_seconds,
                **common,
            )
            for way in ways
        },
        options.repetitions,
    )
    row["rates"] = {
        way: [turn["rate"] for turn in turns] for way, turns in measured.items()
    }
    watched = [turn["watched"] for turn in measured[child.AUGMENTED]]
    row["peak"] = max(each["peak_bytes"] for each in watched) / GIB
    row["read"] = [
        harness.run_alone(MODULE, task="read", worker=worker, **common)["read"]
        for worker in range(2)
    ]
    wait = {"steps": options.wait_steps, "backbone": options.wait_backbone}
    return row | harness.run_alone(MODULE, task="wait", **wait, **common)


def as_tables(rows: list[dict[str, Any]]) -> str:
    """Returns the table of starting and memory, and that of images/s."""
    header = ["images", "first step after, s", "peak until then, GiB"]
    header += ["peak of augmented batches, GiB", "bytes written"]
    header += ["read by each of two workers", "waiting for input"]
    first = [
        [
            f"{row['count']:,}",
            harness.digits(row["start"]),
            harness.digits(row["start_peak"]),
            harness.digits(row["peak"]),
            f"{row['written']:,}",
            " and ".join(f"{100 * part:.1f}%" for part in row["read"]),
            f"{100 * row['wait_fraction']:.2f}% of {row['step_seconds']:.1f} s",
        ]
        for row in rows
    ]
    names = RATES | IN_MEMORY
    second = [
        [
            f"{row['count']:,}",
            names[way],
            harness.spread(rates),
            *(
                "-"
                if way == base
                else harness.ratios(rates, row["rates"][base])
                for base in (child.PLAIN, child.FLOAT)
            ),
        ]
        for row in rows
        for way, rates in row["rates"].items()
    ]
    columns = ["images", "batches", "images/s"]
    columns += ["against plain TFDS, uint8", "against plain TFDS, float32"]
    return "\n\n".join(
        [harness.as_table(header, first), harness.as_table(columns, second)]
    )

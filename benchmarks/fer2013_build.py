"""Time of `tfds build fer_tfds/fer2013`, against no framework at all.

  python -m benchmarks.fer2013_build

Both start from the same drawn `fer2013.csv`. The baseline reads it with the csv
module and numpy, encodes each face as PNG with Pillow and writes the bytes one
after the other into a file (`benchmarks.png_writer`). Both are
processes of their own; times include their start, memory is that of all
processes of a way together.
"""

import argparse
import pathlib
import shutil
import statistics
import sys
import tempfile

from benchmarks import drawn_data
from benchmarks import harness

BUILDER, BARE = "`tfds build fer_tfds/fer2013`", "CSV to PNG, no framework"
HEADER = (
    "{} rows",
    "seconds, start included",
    "images/s",
    "peak memory, MiB",
    "times the bare one",
)


def main(arguments: list[str] | None = None) -> None:
    """Measures and writes the table."""
    parser = harness.make_parser(__doc__)
    parser.add_argument("--num_images", type=int, default=35_887)
    parser.add_argument("--scratch", type=pathlib.Path, default=harness.SCRATCH)
    harness.run_program(parser, measure, arguments=arguments)


def measure(options: argparse.Namespace) -> dict[str, str]:
    """Returns section of the page -> text."""
    raw = drawn_data.csv_folder(options.num_images, options.scratch)
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        target = pathlib.Path(folder) / "records"
        bare = [sys.executable, "-m", "benchmarks.png_writer"]
        bare += [str(raw / "fer2013.csv"), f"{folder}/faces"]

        def build() -> dict[str, float]:
            shutil.rmtree(target, ignore_errors=True)
            command = drawn_data.build_command("fer2013", raw, target)
            return harness.run_watched(command)

        measured = harness.in_turns(
            {BUILDER: build, BARE: lambda: harness.run_watched(bare)},
            options.repetitions,
        )
    return {"fer2013_build": as_table(options.num_images, measured)}


def as_table(num_images: int, measured: dict[str, list[dict]]) -> str:
    """Returns the table from what was measured of each way."""
    seconds = {
        name: [turn["seconds"] for turn in turns]
        for name, turns in measured.items()
    }
    rows = [
        [
            name,
            harness.spread(seconds[name]),
            harness.digits(num_images / statistics.median(seconds[name])),
            f"{max(turn['peak_bytes'] for turn in turns) / 2**20:,.0f}",
            "-"
            if name == BARE
            else harness.ratios(seconds[name], seconds[BARE]),
        ]
        for name, turns in measured.items()
    ]
    header = [cell.format(f"{num_images:,}") for cell in HEADER]
    return harness.as_table(header, rows)


if __name__ == "__main__":
    harness.run_stoppable(main)

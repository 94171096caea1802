"""Time and memory of building AffectNet, against a plain TFDS generator.

  python -m benchmarks.affectnet_build

Drawn photographs of mixed sizes in the layout of the full release (as many
names, few distinct pictures) are built with the `tfds build` command in one and
more processes, and with a builder of the usual form in one: a generator that
reads the same rows through the same reader. Each build is a process of its own,
started fresh; its memory is the resident memory of all its processes together,
looked at ten times a second (pages that two processes share count twice). Times
include the start.
"""

import argparse
import json
import pathlib
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import tensorflow_datasets as tfds

from benchmarks import drawn_data
from benchmarks import harness
from fer_tfds.affectnet import shards
from fer_tfds.sources.affectnet import find
from fer_tfds.sources.affectnet import settings as affectnet_settings
from fer_tfds.sources.affectnet.records import Annotation
from fer_tfds.sources.affectnet.records import Reject

SIZE_PX = 96

HEADER = ("images", "build", "seconds", "images/s", "peak memory")
PLAIN = "plain generator, 1 process"


class PlainAffectNet(tfds.core.GeneratorBasedBuilder):
    """The same records from a generator, for comparison only."""

    VERSION = tfds.core.Version("1.0.0")
    MANUAL_DOWNLOAD_INSTRUCTIONS = "Any layout of AffectNet."

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self, features=shards.make_features(SIZE_PX)
        )

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Iterator]:
        manual_dir = pathlib.Path(dl_manager.manual_dir)
        settings = affectnet_settings.load(manual_dir)
        source = find.find_source(manual_dir, settings)
        return {"train": self._generate_examples(source)}

    def _generate_examples(self, source: find.Source) -> Iterator:
        with source.open() as load:
            for row in source.annotations():
                if isinstance(row, Annotation):
                    for example in shards.make_examples([row], load, SIZE_PX):
                        if not isinstance(example, Reject):
                            yield example["id"], example


def main(arguments: list[str] | None = None) -> None:
    """Measures and writes the table."""
    parser = harness.make_parser(__doc__)
    parser.set_defaults(repetitions=1)
    sizes = [20_000, 100_000]
    parser.add_argument("--num_images", type=int, nargs="+", default=sizes)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--scratch", type=pathlib.Path, default=harness.SCRATCH)
    harness.run_program(parser, measure, build_plainly, arguments=arguments)


def measure(options: argparse.Namespace) -> dict[str, str]:
    """Returns section of the page -> text."""
    rows = []
    for count in options.num_images:
        rows += measure_size(count, options)
    return {"affectnet_build": harness.as_table(HEADER, rows)}


def build_plainly(manual_dir: str, data_dir: str) -> dict[str, Any]:
    """Builds with the plain builder in this process."""
    builder = PlainAffectNet(data_dir=data_dir)
    config = tfds.download.DownloadConfig(manual_dir=manual_dir)
    builder.download_and_prepare(download_config=config)
    return {}


def measure_size(count: int, options: argparse.Namespace) -> list[list[str]]:
    """Builds so many images; returns a row of the table for each build."""
    raw = drawn_data.photographs(count, options.scratch)

    def way(command: list[str]) -> Callable[[], dict[str, float]]:
        def build() -> dict[str, float]:
            shutil.rmtree(data_dir, ignore_errors=True)
            return harness.run_watched(command)

        return build

    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        data_dir = pathlib.Path(folder) / "data"
        found = harness.in_turns(
            {
                name: way(command)
                for name, command in commands(
                    raw, data_dir, options.processes
                ).items()
            },
            options.repetitions,
        )
    shutil.rmtree(raw)
    return [table_row(count, name, turns) for name, turns in found.items()]


def table_row(num_images: int, name: str, turns: list[dict]) -> list[str]:
    """Returns the row of one build."""
    seconds = [turn["seconds"] for turn in turns]
    peak_bytes = max(turn["peak_bytes"] for turn in turns)
    return [
        f"{num_images:,}",
        name,
        str(harness.spread(seconds)),
        f"{num_images / statistics.median(seconds):,.0f}",
        f"{peak_bytes / 2**20:,.0f} MiB",
    ]


def commands(
    raw: pathlib.Path, data_dir: pathlib.Path, processes: list[int]
) -> dict[str, list[str]]:
    """What is measured: name -> command."""
    folders = {"manual_dir": str(raw), "data_dir": str(data_dir)}
    module = [sys.executable, "-m", "benchmarks.affectnet_build"]
    return {
        PLAIN: [*module, f"--alone={json.dumps(folders)}"],
        **{
            f"tfds build, {number} process{'es' if number > 1 else ''}": (
                drawn_data.build_command(
                    "affectnet", raw, data_dir, processes=number
                )
            )
            for number in processes
        },
    }


if __name__ == "__main__":
    harness.run_stoppable(main)

"""Time and memory of building AffectNet, against a plain TFDS generator.

  python -m benchmarks.affectnet_build --num_images 2000 20000 100000

Draws faces in the layout of the full release, at mixed sizes, and builds them
with the `tfds build` command in one and more processes, and with a builder of
the usual form in one: a generator that reads the same rows through the same
reader. Each build is a process of its own, started fresh; its memory is the
resident memory of all its processes together, looked at ten times a second
(pages that two processes share count twice). Times include the start.
"""

import argparse
import json
import pathlib
import shutil
import statistics
import sys
import tempfile
from typing import Any

import tensorflow_datasets as tfds

from benchmarks import drawn_data
from benchmarks import paired
from fer_tfds.affectnet import affectnet_shards
from fer_tfds.drawing import synthetic_affectnet
from fer_tfds.sources import affectnet
from fer_tfds.sources import affectnet_settings
from fer_tfds.sources.affectnet_records import Annotation
from fer_tfds.sources.affectnet_records import Reject

SEED = 0
SIZE_PX = 96
NUM_EXPRESSIONS = 8

HEADER = ("images", "build", "seconds", "images/s", "peak memory")
PLAIN = "plain generator, 1 process"


class PlainAffectNet(tfds.core.GeneratorBasedBuilder):
    """The same records from a generator, for comparison only."""

    VERSION = tfds.core.Version("1.0.0")
    MANUAL_DOWNLOAD_INSTRUCTIONS = "Any layout of AffectNet."

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self, features=affectnet_shards.make_features(SIZE_PX)
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager):
        manual_dir = pathlib.Path(dl_manager.manual_dir)
        settings = affectnet_settings.load(manual_dir)
        source = affectnet.find_source(manual_dir, settings)
        return {"train": self._generate_examples(source)}

    def _generate_examples(self, source):
        with source.open() as load:
            for row in source.annotations():
                if isinstance(row, Annotation):
                    for example in affectnet_shards.make_examples(
                        [row], load, SIZE_PX
                    ):
                        if not isinstance(example, Reject):
                            yield example["id"], example


def main(arguments: list[str] | None = None) -> None:
    """Measures and writes the table."""
    parser = paired.make_parser(__doc__)
    parser.set_defaults(repetitions=1)
    parser.add_argument("--num_images", type=int, nargs="+", default=[20_000])
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument(
        "--folder", type=pathlib.Path, help="for scratch; default: /tmp"
    )
    paired.run_program(parser, measure, build_plainly, arguments)


def measure(options: argparse.Namespace) -> dict[str, str]:
    """Returns section of the page -> text."""
    rows = []
    for num_images in options.num_images:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            rows += measure_all(pathlib.Path(folder), num_images, options)
    return {"affectnet_build": paired.as_table(HEADER, rows)}


def build_plainly(manual_dir: str, data_dir: str) -> dict[str, Any]:
    """Builds with the plain builder in this process."""
    builder = PlainAffectNet(data_dir=data_dir)
    config = tfds.download.DownloadConfig(manual_dir=manual_dir)
    builder.download_and_prepare(download_config=config)
    return {}


def measure_all(
    folder: pathlib.Path, num_images: int, options: argparse.Namespace
) -> list[list[str]]:
    """Draws the faces; returns a row of the table for each build."""
    raw, data_dir = folder / "raw", folder / "data"
    row = [-(-num_images // NUM_EXPRESSIONS)] * NUM_EXPRESSIONS
    synthetic_affectnet.write_full(raw, {"train": [*row, 0, 0, 0]}, SEED)

    def way(command):
        def build():
            shutil.rmtree(data_dir, ignore_errors=True)
            return paired.run_watched(command)

        return build

    found = paired.in_turns(
        {
            name: way(command)
            for name, command in commands(
                raw, data_dir, options.processes
            ).items()
        },
        options.repetitions,
    )
    return [table_row(sum(row), name, turns) for name, turns in found.items()]


def table_row(num_images: int, name: str, turns: list[dict]) -> list[str]:
    """Returns the row of one build."""
    seconds = [turn["seconds"] for turn in turns]
    peak_bytes = max(turn["peak_bytes"] for turn in turns)
    return [
        f"{num_images:,}",
        name,
        str(paired.spread(seconds)),
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
    main()

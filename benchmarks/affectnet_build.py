"""Time and memory of building AffectNet, against a plain TFDS generator.

  python -m benchmarks.affectnet_build --num_images 2000 20000 100000

Draws faces in the layout of the full release, at mixed sizes, and builds them
with the `tfds build` command in one process and in two, and with a builder of
the usual form in one: a generator that reads the same rows through the same
reader. Each build is a process of its own, started fresh; its memory is the
resident memory of all its processes together, looked at ten times a second
(pages that two processes share count twice). Times include the start.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import psutil
import tensorflow_datasets as tfds

from fer_tfds.affectnet import affectnet_shards
from fer_tfds.drawing import synthetic_affectnet
from fer_tfds.sources import affectnet
from fer_tfds.sources import affectnet_settings
from fer_tfds.sources.affectnet_records import Annotation
from fer_tfds.sources.affectnet_records import Reject

ROOT = pathlib.Path(__file__).parents[1]
SEED = 0
SIZE_PX = 96
SECONDS_BETWEEN_LOOKS = 0.1
NUM_EXPRESSIONS = 8

HEADER = "| images | build | seconds | images/s | peak memory |"
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


def main() -> None:
    """Prints the table, row by row as builds end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--num_images", type=int, nargs="+", default=[2_000])
    parser.add_argument(
        "--folder", type=pathlib.Path, help="for scratch; default: /tmp"
    )
    parser.add_argument("--plain", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.plain:
        build_plainly(*options.plain)
        return
    print("\n".join([HEADER, "|" + " --- |" * (HEADER.count("|") - 1)]))
    for num_images in options.num_images:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            for row in measure_all(pathlib.Path(folder), num_images):
                print(row, flush=True)


def build_plainly(manual_dir: str, data_dir: str) -> None:
    """Builds with the plain builder in this process."""
    builder = PlainAffectNet(data_dir=data_dir)
    config = tfds.download.DownloadConfig(manual_dir=manual_dir)
    builder.download_and_prepare(download_config=config)


def measure_all(folder: pathlib.Path, num_images: int):
    """Draws the faces, then yields a row of the table for each build."""
    raw, data_dir = folder / "raw", folder / "data"
    row = [-(-num_images // NUM_EXPRESSIONS)] * NUM_EXPRESSIONS
    synthetic_affectnet.write_full(raw, {"train": [*row, 0, 0, 0]}, SEED)
    for name, command in commands(raw, data_dir).items():
        seconds, peak_bytes = measure(command)
        yield (
            f"| {sum(row):,} | {name} | {seconds:.1f} | "
            f"{sum(row) / seconds:.0f} | {peak_bytes / 2**20:,.0f} MiB |"
        )
        shutil.rmtree(data_dir)


def commands(raw: pathlib.Path, data_dir: pathlib.Path) -> dict[str, list[str]]:
    """What is measured: name -> command."""
    tfds_command = pathlib.Path(sys.executable).with_name("tfds")
    build = [str(tfds_command), "build", "fer_tfds/affectnet"]
    build += [f"--manual_dir={raw}", f"--data_dir={data_dir}"]
    beam = "--beam_pipeline_options=direct_running_mode=multi_processing,"
    module = [sys.executable, "-m", "benchmarks.affectnet_build"]
    return {
        PLAIN: [*module, "--plain", str(raw), str(data_dir)],
        "tfds build, 1 process": build,
        "tfds build, 2 processes": [*build, f"{beam}direct_num_workers=2"],
    }


def measure(command: list[str]) -> tuple[float, int]:
    """Runs a command: seconds, and most bytes in memory at any time.

    Raises:
        RuntimeError: it failed; holds the end of what it wrote.
    """
    with tempfile.TemporaryFile("w+") as log:
        start = time.monotonic()
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
        )
        peak_bytes = 0
        while process.poll() is None:
            peak_bytes = max(peak_bytes, resident_bytes(process.pid))
            time.sleep(SECONDS_BETWEEN_LOOKS)
        seconds = time.monotonic() - start
        if process.returncode:
            log.seek(0)
            raise RuntimeError(f"{command} failed:\n{log.read()[-4000:]}")
    return seconds, peak_bytes


def resident_bytes(pid: int) -> int:
    """Resident memory of a process and all below it."""
    total = 0
    try:
        parent = psutil.Process(pid)
        for process in [parent, *parent.children(recursive=True)]:
            total += process.memory_info().rss
    except psutil.NoSuchProcess:
        pass  # it ended between two looks
    return total


if __name__ == "__main__":
    main()

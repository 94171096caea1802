"""Memory and speed of the device runtime over a long time.

  OPENBLAS_NUM_THREADS=1 python -m benchmarks.edge_soak --model=M.tflite

Runs the loop of `python -m edge VIDEO` over a drawn video that begins again
whenever it ends: it is opened, decoded, searched for faces, classified,
tracked and reported, on one thread. A row for each minute says how
much memory is resident and how many frames were answered in a second of the
clock and in a second of CPU time, which other work on the machine disturbs
less.
"""

import argparse
import contextlib
import os
import pathlib
import sys
import tempfile
import time
from collections.abc import Iterator

import psutil

from benchmarks import drawn_video
from benchmarks import harness
from edge import options as command_line
from edge import runner
from edge import video

ROW_SECONDS = 60
HEADER = "| minute | resident memory | frames/s | frames/s of CPU time |"


class LoopingVideo:
    """A video file that begins again when it ends, for a given time."""

    is_live = False
    fps = drawn_video.FPS
    dropped = empty = 0

    def __init__(self, path: pathlib.Path, minutes: float):
        """Does nothing yet; the time begins with the first frame."""
        self.name = path.name
        self._path, self._minutes = path, minutes
        self._table = sys.stdout

    def frames(self) -> Iterator[video.Frame]:
        """Yields frames, and prints a row after each minute."""
        total = minute = 0
        start = Mark(0)
        while minute < self._minutes:
            with contextlib.closing(video.VideoFile(self._path)) as file:
                for frame in file.frames():
                    yield video.Frame(frame.pixels, total, total / self.fps)
                    total += 1
            if start.seconds() >= ROW_SECONDS:
                minute += 1
                row = f"| {minute} | {start.describe(total)} |"
                print(row, file=self._table, flush=True)
                start = Mark(total)


class Mark:
    """A moment, to measure from."""

    def __init__(self, frames: int):
        self._frames = frames
        self._clock, self._cpu = time.monotonic(), time.process_time()

    def seconds(self) -> float:
        """Returns the seconds since then."""
        return time.monotonic() - self._clock

    def describe(self, frames: int) -> str:
        """Returns memory now, and speed since then, as cells of a table."""
        megabytes = psutil.Process().memory_info().rss / 2**20
        frames -= self._frames
        per_cpu = frames / (time.process_time() - self._cpu)
        return (
            f"{megabytes:.1f} MiB | {frames / self.seconds():.1f} | "
            f"{per_cpu:.1f}"
        )


def main() -> None:
    """Prints the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--minutes", type=int, default=30)
    options = parser.parse_args()
    print("\n".join([HEADER, "|" + " --- |" * (HEADER.count("|") - 1)]))
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "faces.mp4"
        drawn_video.DrawnVideo(num_frames=50).write(path)
        command = ["--json", "--no_window", f"--model={options.model}"]
        run = runner.Runner(command_line.parse([*command, str(path)]))
        looping = LoopingVideo(path, options.minutes)
        with (
            open(os.devnull, "w", encoding="utf-8") as nowhere,
            contextlib.redirect_stdout(nowhere),
        ):
            run.watch(looping)


if __name__ == "__main__":
    harness.run_stoppable(main)

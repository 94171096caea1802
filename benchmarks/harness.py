"""What all measurements share: turns, ratios, the machine, tables, memory.

Two ways of doing the same are run by turns (A B A B), most of them in a process
of its own each time, so that whatever else the machine does falls on both. A
ratio is taken within each turn; the table has their median and, in brackets,
the smallest and the largest. Imports no TensorFlow: that would take memory from
what is measured.
"""

import argparse
import dataclasses
import json
import math
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NoReturn

import psutil

from trainer import console
from trainer import files

ROOT = pathlib.Path(__file__).parents[1]
# Drawn data and whatever else is wanted again; may be deleted at any time.
SCRATCH = ROOT / "runs" / "benchmark"
SECONDS_BETWEEN_LOOKS = 0.1
# Columns that a page shows without being scrolled sideways.
WIDEST_TABLE = 6

# Of the names that systems give, those that matrix code depends on.
INSTRUCTIONS = ("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512_vnni")
INSTRUCTIONS += ("avx_vnni", "amx_int8", "asimd", "asimddp", "i8mm")


@dataclasses.dataclass(frozen=True)
class Spread:
    """Median, smallest and largest of several figures."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        """Returns three digits of each, as `2.51 (2.40 to 2.73)`.

        Where they are the same, as in a single turn: `2.51`.
        """
        median, low, high = map(digits, (self.median, self.low, self.high))
        return median if low == high else f"{median} ({low} to {high})"


def spread(values: Iterable[float]) -> Spread:
    """Returns the spread of at least one figure."""
    values = list(values)
    return Spread(statistics.median(values), min(values), max(values))


def ratios(one: Sequence[float], other: Sequence[float]) -> Spread:
    """Returns the spread of `one / other`, turn by turn."""
    return spread(a / b for a, b in zip(one, other, strict=True))


def digits(value: float) -> str:
    """Returns a figure with three digits that count, such as 1,234 or 0.57."""
    size = abs(value)
    places = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:,.{places}f}"


def in_turns(
    ways: Mapping[str, Callable[[], Any]], repetitions: int
) -> dict[str, list[Any]]:
    """Runs every way once, then every way again, and so on.

    Args:
      ways: name -> what does it and returns what was measured.
      repetitions: how many turns.

    Returns:
      Name -> what was measured in each turn.
    """
    measured = {name: [] for name in ways}
    for turn in range(1, repetitions + 1):
        for name, way in ways.items():
            print(f"turn {turn} of {repetitions}: {name}", file=sys.stderr)
            measured[name].append(way())
    return measured


def run_alone(module: str, **arguments: Any) -> dict[str, Any]:
    """Measures in a fresh process: `python -m MODULE --alone=JSON`.

    Args:
      module: has a function `measure_alone(**arguments)`, and hands it to
        `run_program`.
      arguments: plain JSON values.

    Returns:
      What the function returned, and `watched` as from `run_watched`.

    Raises:
      RuntimeError: the process failed; holds the end of what it wrote.
    """
    text = json.dumps(arguments)
    # As our own commands do (docs/traps.md), for both sides of a pair.
    environment = {"TF_ENABLE_ONEDNN_OPTS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}
    command = [sys.executable, "-m", module, f"--alone={text}"]
    output, watched = _watch(command, {**environment, **os.environ})
    return {**json.loads(output.splitlines()[-1]), "watched": watched}


def make_parser(description: str) -> argparse.ArgumentParser:
    """Returns a parser with the options that all programs share."""
    parser = argparse.ArgumentParser(
        description=description,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--repetitions", type=_at_least_one, default=3, help="turns"
    )
    parser.add_argument(
        "--results", type=pathlib.Path, help="Markdown file; none: print only"
    )
    parser.add_argument(
        "--pictures", type=pathlib.Path, help="folder for PNG; none: no PNG"
    )
    parser.add_argument("--alone", type=json.loads, help=argparse.SUPPRESS)
    return parser


def _at_least_one(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} turns measure nothing")
    return int(text)


def run_program(
    parser: argparse.ArgumentParser,
    measure: Callable[[argparse.Namespace], dict[str, str]],
    measure_alone: Callable[..., dict[str, Any]] | None = None,
    *,
    arguments: list[str] | None = None,
) -> None:
    """Runs a program: its tables, or in a fresh process one measurement.

    Args:
      parser: from `make_parser`.
      measure: options -> section of the page -> Markdown text.
      measure_alone: for `run_alone`; None where nothing calls it.
      arguments: default: those of the command line.
    """
    options = parser.parse_args(arguments)
    if options.alone is not None:
        print(json.dumps(measure_alone(**options.alone)))
        return
    for name, text in measure(options).items():
        page = f"{machine_line()}\n\n{text}"
        print(page, flush=True)
        if options.results:
            write_section(options.results, name, page)


def run_stoppable(main: Callable[[], None]) -> NoReturn:
    """Ends the process with a command; Ctrl-C and SIGTERM become one line."""
    sys.exit(console.run_stoppable(main, "the same command measures anew"))


def machine_line() -> str:
    """Names the machine by its cores and instruction set, and nothing else."""
    known = []
    info = pathlib.Path("/proc/cpuinfo")
    if info.is_file():
        text = info.read_text(errors="replace").lower()
        line = re.search(r"^(?:flags|features)\s*:(.*)$", text, re.MULTILINE)
        has = set(line[1].split() if line else [])
        known = [name.upper() for name in INSTRUCTIONS if name in has]
    machine = platform.machine()
    return f"{os.cpu_count()} cores, {', '.join([machine, *known])}."


def as_table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Returns rows under a header, in Markdown.

    What is wider than a page takes is set as several tables of about the same
    width, each with the first column.
    """
    lines = [list(map(str, line)) for line in (header, *rows)]
    others = len(header) - 1
    width = math.ceil(others / math.ceil(others / (WIDEST_TABLE - 1)))
    return "\n\n".join(
        _one_table([line[:1] + line[first : first + width] for line in lines])
        for first in range(1, len(header), width)
    )


def _one_table(lines: list[list[str]]) -> str:
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_section(path: pathlib.Path, name: str, text: str) -> None:
    """Replaces what stands between `<!-- name -->` and `<!-- /name -->`.

    Raises:
      ValueError: the file has no such markers.
    """
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    page = path.read_text(encoding="utf-8")
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{path} has no line {begin} with {end} after it")
    files.write_text(path, f"{before}{begin}\n{text}\n{end}{after}")


def run_watched(command: Sequence[str]) -> dict[str, float]:
    """Runs a command and watches its memory, and that of all below it.

    Returns:
      `seconds`, `peak_bytes` (resident, pages that two processes share count
      twice) and `own_bytes` (the same without pages of files, which the
      system takes back when it needs room).

    Raises:
      RuntimeError: it failed; holds the end of what it wrote.
    """
    return _watch(command, os.environ)[1]


def _watch(
    command: Sequence[str], environment: Mapping[str, str]
) -> tuple[str, dict[str, float]]:
    """What a command wrote, and how `run_watched` saw it."""
    with (
        tempfile.TemporaryFile("w+") as output,
        tempfile.TemporaryFile("w+") as log,
    ):
        start = time.monotonic()
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=output, stderr=log, env=environment
        )
        peak = own = 0
        try:
            while process.poll() is None:
                resident, of_files = resident_bytes(process.pid)
                peak, own = max(peak, resident), max(own, resident - of_files)
                time.sleep(SECONDS_BETWEEN_LOOKS)
        except BaseException:
            process.kill()
            raise
        seconds = time.monotonic() - start
        texts = []
        for file in (output, log):
            file.seek(0)
            texts.append(file.read())
        if process.returncode:
            end = "".join(texts)[-4000:]
            raise RuntimeError(f"{' '.join(command)} failed:\n{end}")
    measured = {"seconds": seconds, "peak_bytes": peak, "own_bytes": own}
    return texts[0], measured


def resident_bytes(pid: int) -> tuple[int, int]:
    """Memory of a process and all below it: all, and what is of files."""
    total = of_files = 0
    try:
        parent = psutil.Process(pid)
        for process in [parent, *parent.children(recursive=True)]:
            memory = process.memory_info()
            total += memory.rss
            of_files += getattr(memory, "shared", 0)
    except psutil.NoSuchProcess:
        pass  # it ended between two looks
    return total, of_files

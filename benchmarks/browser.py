"""Our models in a browser against the networks that others run there.

  python -m benchmarks.browser --data_dir=DIR --results=docs/results.md

DIR has prepared FER-2013, whose test split is answered: each image by itself,
one view of it, no face detector, in Chromium, on one thread of WebAssembly.
Ours is what the page runs (`web/`). The rivals are the emotion network of
`@vladmandic/human` and the expression network of `@vladmandic/face-api`,
which npm installs into `runs/benchmark/browser`. Every one is given the same
48x48 pixels and prepares them as its own library does: human enlarges them to
64x64, as its `src/gear/emotion.ts` does; face-api enlarges them to 112x112 in
`predictExpressions`. What else these libraries do with a picture is left out.
Class names are brought to ours.

The systems take turns, and each turn is a first visit of a browser without a
cache. The first answer counts from the beginning of the visit. "ms a face" is
the median over blocks of five pictures, with preparing them and reading the
answer; the table has the median of the turns. Files come from this machine,
so that no network counts.
"""

import argparse
import dataclasses
import functools
import gzip
import pathlib
import statistics
import subprocess
import tempfile
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from benchmarks import browser_site
from benchmarks import harness
from benchmarks import pages
from benchmarks import visits
from fer_tfds import labels
from trainer.data import prepared
from trainer.evaluation import intervals
from trainer.settings.model_and_data import DataSettings

SECTION = "browser"
HEADER = (
    "network",
    "right (95%)",
    "ms a face",
    "time of `edge`'s",
    "MB loaded (gzipped)",
    "first answer, s",
)
# Name in the table -> what measure.mjs is to load.
OURS = {
    "`edge`": "module=ours&name=edge",
    "`pocket`": "module=ours&name=pocket",
}
RIVALS = {
    "`human`'s emotion": "module=human",
    "`face-api`'s expression": "module=face_api",
}
MEGABYTE = 1e6
PATIENCE_S = 600


@dataclasses.dataclass(frozen=True)
class Turn:
    """What one visit of one system gave.

    Attributes:
      first_s: seconds from the beginning of the visit to the first answer.
      ms: of a face.
      answers: a label for each image, under our names.
      asked: the files that the first answer needed.
    """

    first_s: float
    ms: float
    answers: tuple[str, ...]
    asked: frozenset[str]


def main(arguments: list[str] | None = None) -> None:
    """Prints the table; with --results also puts it between its markers."""
    pages.run_page(make_parser(), measure, SECTION, arguments=arguments)


def make_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--data_dir", help="of prepared FER-2013")
    add("--images", type=int, help="how many of the test split; none: all")
    add("--repetitions", type=int, default=3, help="turns (default 3)")
    add(
        "--rivals",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="--no-rivals: ours alone, without npm",
    )
    add("--results", type=pathlib.Path, help="Markdown file")
    return parser


def measure(options: argparse.Namespace) -> str:
    """Returns the table, with what was measured and on what machine.

    Raises:
      ValueError: there is no Chromium, no npm or no prepared data.
    """
    program = visits.find(visits.CHROMIUM)
    if program is None:
        raise ValueError("no Chromium here; type: apt-get install chromium")
    if options.rivals:
        browser_site.install_rivals()
    split = prepared.load_split(DataSettings(data_dir=options.data_dir), "test")
    images = split.images[: options.images]
    names = labels.class_names("fer2013")
    truth = [names[label] for label in split.labels[: options.images]]
    with tempfile.TemporaryDirectory() as scratch:
        site = pathlib.Path(scratch)
        rivals = browser_site.RIVALS if options.rivals else None
        browser_site.write(site, images, rivals=rivals)
        systems = OURS | RIVALS if options.rivals else OURS
        turns = take_turns(
            program, site, systems, repetitions=options.repetitions
        )
        table = harness.as_table(HEADER, rows(turns, truth, site))
    lead = f"{len(truth):,} test images of FER-2013. {version(program)}.\n"
    lead += f"{harness.machine_line()}"
    told = verdict(turns, truth) if options.rivals else ""
    return f"{lead}\n\n{table}{told}"


def take_turns(
    program: str,
    site: pathlib.Path,
    systems: Mapping[str, str],
    *,
    repetitions: int,
) -> dict[str, list[Turn]]:
    """Measures each system in each turn; name in the table -> its turns."""
    ways = {
        name: functools.partial(visit, program, site, query)
        for name, query in systems.items()
    }
    return harness.in_turns(ways, repetitions)


def visit(program: str, folder: pathlib.Path, query: str) -> Turn:
    """Lets a browser load a network and answer for every picture.

    Raises:
      ValueError: the network could not be run; holds what the page said.
    """
    site = visits.Site(folder)
    address = f"{site.address}?{query}"
    with site.serve(), visits.chromium(program, address):
        first = _told(site)
        found = _told(site)
    asked = {path.split("?")[0].lstrip("/") for path in first["asked"]}
    return Turn(
        first["firstMs"] / 1000,
        statistics.median(found["ms"]),
        tuple(map(labels.canonical_name, found["labels"])),
        frozenset(name or "index.html" for name in asked),
    )


def _told(site: visits.Site) -> dict:
    content = site.wait(PATIENCE_S)
    if "error" in content:
        raise ValueError(f"the page failed: {content['error']}")
    return content


def rows(
    turns: Mapping[str, Sequence[Turn]],
    truth: Sequence[str],
    site: pathlib.Path,
) -> list[list[str]]:
    """Returns one row for each system, ours first."""
    edge, *_ = turns.values()
    return [
        [
            name,
            _accuracy(found[0], truth),
            str(harness.spread(turn.ms for turn in found)),
            str(harness.ratios(_times(found), _times(edge))),
            _bytes(site, found[0].asked),
            str(harness.spread(turn.first_s for turn in found)),
        ]
        for name, found in turns.items()
    ]


def _accuracy(turn: Turn, truth: Sequence[str]) -> str:
    right = int(_right(turn, truth).sum())
    low, high = intervals.wilson_interval(right, len(truth))
    return f"{right / len(truth):.2%} ({low:.2%} to {high:.2%})"


def _right(turn: Turn, truth: Sequence[str]) -> np.ndarray:
    return np.array(turn.answers) == np.array(truth)


def _times(turns: Sequence[Turn]) -> list[float]:
    return [turn.ms for turn in turns]


def _bytes(site: pathlib.Path, asked: frozenset[str]) -> str:
    contents = [(site / name).read_bytes() for name in sorted(asked)]
    plain = sum(map(len, contents)) / MEGABYTE
    packed = sum(len(gzip.compress(c)) for c in contents) / MEGABYTE
    return f"{plain:.1f} ({packed:.1f})"


def verdict(turns: Mapping[str, Sequence[Turn]], truth: Sequence[str]) -> str:
    """Returns how far ours are ahead of the best rival, as a table.

    Of the rivals the one that is right most often, and in each turn the
    fastest.
    """
    most_right = max(
        (turns[name] for name in RIVALS),
        key=lambda found: _right(found[0], truth).sum(),
    )
    rival_turns = zip(*(turns[name] for name in RIVALS), strict=True)
    fastest = [min(turn.ms for turn in each) for each in rival_turns]
    header = (
        "against the best rival",
        "points more right (95%)",
        "times as fast",
    )
    lines = [
        [
            name,
            _points(turns[name][0], most_right[0], truth),
            str(harness.ratios(fastest, _times(turns[name]))),
        ]
        for name in OURS
    ]
    return f"\n\n{harness.as_table(header, lines)}"


def _points(ours: Turn, other: Turn, truth: Sequence[str]) -> str:
    one, two = _right(ours, truth), _right(other, truth)
    only_one, only_two = int((one & ~two).sum()), int((two & ~one).sum())
    bounds = intervals.paired_interval(only_one, only_two, len(truth))
    points = 100 * (only_one - only_two) / len(truth)
    low, high = (100 * bound for bound in bounds)
    return f"{points:+.2f} ({low:+.2f} to {high:+.2f})"


def version(program: str) -> str:
    """Returns what a browser calls itself, such as `Chromium 156.0`."""
    done = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=True
    )
    name, number, *_ = done.stdout.split()
    return f"{name} {'.'.join(number.split('.')[:2])}"


if __name__ == "__main__":
    harness.run_stoppable(main)

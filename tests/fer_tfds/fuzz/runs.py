"""Runs inputs through a watched child process and judges what came of them.

The child works in a folder of its own, which is also its home and the place of
its temporary files, so that whatever it leaves anywhere is seen.
"""

import collections
import dataclasses
import json
import os
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.fer_tfds.fuzz import inputs
from tests.fer_tfds.fuzz.inputs import Input

ROOT = Path(__file__).parents[3]
SCRIPT = Path(__file__).with_name("child.py")

# On two busy cores the slowest of these inputs takes a few seconds.
SECONDS_PER_INPUT = 40
_SECONDS_TO_START = 120

# Peak of the whole process: Python and numpy take 60 MB of it, TensorFlow and
# Beam 800 MB, and the largest file that is read in one piece 64 MB.
MAX_MB = {"readers": 200, "builders": 1100}

# TFDS makes such a folder for each build, and leaves it behind empty.
_TFDS_FOLDER = re.compile(r"tmp\w{8}tfds")

# What TFDS leaves after a failed build: names of versions, no version.
_TFDS_LEFTOVERS = {"metadata.json"}


@dataclasses.dataclass
class Tally:
    """What came of many inputs.

    Attributes:
        outcomes: how many were built, refused, ...
        findings: what must not happen, in words.
        peak_mb: largest memory that the child has ever used.
        slowest: seconds for one input, and which.
    """

    outcomes: collections.Counter = dataclasses.field(
        default_factory=collections.Counter
    )
    findings: list[str] = dataclasses.field(default_factory=list)
    peak_mb: int = 0
    slowest: tuple[float, str] = (0.0, "")

    def describe(self) -> str:
        return (
            f"{dict(self.outcomes)}, peak {self.peak_mb} MB, slowest "
            f"{self.slowest[0]:.1f} s ({self.slowest[1]})"
        )


class Child:
    """A process that reads or builds; started again when it has died."""

    def __init__(self, kind: str, folder: Path):
        self.kind = kind
        self.folder = folder
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> "Child":
        for name in ("home", "data"):
            (self.folder / name).mkdir(parents=True)
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def ask(self, manual_dir: Path, config: str, data_dir: Path) -> dict:
        """Has one input read; never waits for ever."""
        if self._process is None:
            self._start()
            assert self._read_line(_SECONDS_TO_START) == b"ready\n", self._why()
        request = {
            "manual_dir": str(manual_dir),
            "config": config,
            "data_dir": str(data_dir),
        }
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        line = self._read_line(SECONDS_PER_INPUT)
        if line:
            return json.loads(line)
        is_dead = line is not None
        detail = self._why() if is_dead else f"{SECONDS_PER_INPUT} s"
        self.stop()
        return {
            "outcome": "death" if is_dead else "hang",
            "detail": detail,
            "peak_mb": 0,
        }

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _start(self) -> None:
        home = self.folder / "home"
        environment = {
            **os.environ,
            **dict.fromkeys(("HOME", "TMPDIR", "XDG_CACHE_HOME"), str(home)),
            "CUDA_VISIBLE_DEVICES": "-1",
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            # Each thread of it would reserve memory.
            "OPENBLAS_NUM_THREADS": "1",
        }
        with (self.folder / "stderr").open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, SCRIPT, self.kind, self.folder / "data"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                cwd=home,
            )

    def _read_line(self, seconds: float) -> bytes | None:
        """A line of the child; nothing when it has died, None if it hangs."""
        output = self._process.stdout
        readable, _, _ = select.select([output], [], [], seconds)
        return output.readline() if readable else None

    def _why(self) -> str:
        errors = (self.folder / "stderr").read_bytes()[-800:]
        return f"exit {self._process.wait()}: {errors.decode(errors='replace')}"


def run(child: Child, seeds: range, max_seconds: float) -> Tally:
    """Tries the inputs of these seeds, for as long as there is time."""
    tally = Tally()
    end = time.monotonic() + max_seconds
    for seed in seeds:
        if time.monotonic() > end:
            tally.findings.append(f"no time for seeds from {seed} on")
            break
        judge(child, inputs.make_input(seed), tally)
    return tally


def judge(
    child: Child, made: Input, tally: Tally, max_mb: int | None = None
) -> dict:
    """Tries one input and notes what must not happen; returns the answer."""
    raw, data_dir = child.folder / "raw", child.folder / "data" / "now"
    inputs.write(made.files, raw)
    data_dir.mkdir()
    before = _list_all(child.folder)
    start = time.monotonic()
    answer = child.ask(raw / made.manual_dir, made.config, data_dir)
    seconds = time.monotonic() - start
    changed = before ^ _list_all(child.folder)
    tally.outcomes[answer["outcome"]] += 1
    tally.slowest = max(tally.slowest, (seconds, made.describe()))
    tally.peak_mb = max(tally.peak_mb, answer["peak_mb"])
    for finding in (
        *_judge_answer(answer, raw, max_mb or MAX_MB[child.kind]),
        *([f"left outside: {sorted(changed)[:5]}"] if changed else []),
        *_judge_data(child.kind, answer, data_dir),
    ):
        tally.findings.append(f"{made.describe()}:\n{finding}")
    shutil.rmtree(raw)
    shutil.rmtree(data_dir)
    return answer


def _judge_answer(answer: dict, raw: Path, max_mb: int) -> list[str]:
    findings = []
    detail = answer["detail"]
    if answer["outcome"] not in ("built", "refused"):
        findings.append(f"{answer['outcome']}: {detail}")
    elif answer["outcome"] == "refused":
        findings += _judge_message(detail, raw)
    if answer["peak_mb"] > max_mb:
        findings.append(f"{answer['peak_mb']} MB of memory, not {max_mb}")
    return findings


def _judge_message(text: str, raw: Path) -> list[str]:
    """A message says where, fits on a screen, and what to do next."""
    findings = []
    # That one compares all of the data with numbers that are nobody's file.
    if str(raw) not in text and "The number of faces is not" not in text:
        findings.append(f"does not say where: {text}")
    if len(text) > 6000:
        findings.append(f"a message of {len(text)} characters: {text[:300]}")
    if re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text):
        findings.append(f"control characters in {text!r}")
    return findings


def _judge_data(kind: str, answer: dict, data_dir: Path) -> list[str]:
    """A build that failed leaves no record, and one that did not, does."""
    if kind != "builders":
        return []
    names = {path.name for path in data_dir.rglob("*") if path.is_file()}
    if answer["outcome"] == "built" and "dataset_info.json" not in names:
        return [f"built, but there is only {sorted(names)[:5]}"]
    if answer["outcome"] != "built" and names - _TFDS_LEFTOVERS:
        return [f"left after the error: {sorted(names)[:5]}"]
    if any("incomplete" in path.name for path in data_dir.rglob("*")):
        return ["left an incomplete version"]
    return []


def _list_all(folder: Path) -> set[tuple]:
    """All that lies outside the data folder, to be compared with later."""
    found = set()
    for parent, folders, files in os.walk(folder):
        if parent == str(folder):
            folders.remove("data")
            files.remove("stderr") if "stderr" in files else None
        for name in (*folders, *files):
            if name in folders and _TFDS_FOLDER.fullmatch(name):
                continue
            status = os.lstat(os.path.join(parent, name))
            key = (os.path.join(parent, name), status.st_mode, status.st_size)
            found.add((*key, status.st_mtime_ns if name in files else 0))
    return found

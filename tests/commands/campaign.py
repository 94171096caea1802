"""Commands that are killed at any moment, and files that are damaged.

For `campaign_test.py`. A command works in a folder of its own, a copy of one in
which everything stands ready for it; what it leaves is compared by the hashes
of `quickstart_hashes`.
"""

import collections
import dataclasses
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from tests.commands.command_line import BIN
from tests.commands.command_line import ROOT
from tests.commands.quickstart_hashes import hash_file

TINY = (
    "--data_dir={0}/data --backbone=tiny_cnn --batch_size=28 --flip "
    "--rotation=5 --ema=0.9 --head_learning_rate=0.003 "
    "--fine_tune_learning_rate=0.003"
)
TRAINER = f"trainer --workdir={{0}}/run {TINY}"
LAST_LINES = 12
ALREADY_DONE = ("holds a finished run", "exists; give --overwrite")


@dataclasses.dataclass(frozen=True)
class Command:
    """One of our commands, and what it leaves.

    Attributes:
      words: after the program; `{0}` in them stands for the folder.
      results: patterns of the files that are compared.
      program: what is run.
      after: the command whose folder it begins with.
    """

    words: str
    results: tuple[str, ...]
    program: tuple[str, ...] = (sys.executable, "-m")
    after: str = ""

    def line(self, folder: pathlib.Path) -> list[str]:
        """The command as a process is given it."""
        return [*self.program, *self.words.format(folder).split()]

    def left(self, folder: pathlib.Path) -> dict[str, str]:
        """File -> hash of what it left in a folder."""
        return {
            str(path.relative_to(folder)): hash_file(path)
            for pattern in self.results
            for path in sorted(folder.glob(pattern))
        }


TRAINED = ("run/best.weights.h5", "run/metrics.json")
COMMANDS = {
    "build": Command(
        "build fer_tfds/fer2013 --manual_dir={0}/raw --data_dir={0}/data",
        ("data/fer2013/original/*/*tfrecord*",),
        program=(str(BIN / "tfds"),),
    ),
    "head phase": Command(
        f"{TRAINER} --head_epochs=6 --fine_tune_epochs=0",
        TRAINED,
        after="build",
    ),
    "fine-tuning": Command(
        f"{TRAINER} --fine_tune_epochs=6 --test_split=none",
        TRAINED,
        after="build",
    ),
    "evaluate": Command(
        f"{TRAINER} --fine_tune_epochs=6", TRAINED, after="fine-tuning"
    ),
    "export": Command(
        "export --workdir={0}/run --tflite",
        ("run/export/*.tflite", "run/export/parity.json"),
        after="evaluate",
    ),
    "search": Command(
        f"tuning {TINY} --out={{0}}/search --feature_cache={{0}}/cache "
        "--head_epochs=3 --max_trials=6 --confirm_seeds=0 "
        "--tune=head_depth,head_learning_rate",
        ("search/trials.csv", "search/best.flags"),
        after="build",
    ),
}


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code, what it said, how long it took."""

    code: int
    errors: str
    seconds: float


def run(command: Command, folder: pathlib.Path) -> Ended:
    """Runs a command to its end."""
    start = time.monotonic()
    done = subprocess.run(
        command.line(folder),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    return Ended(done.returncode, done.stderr, time.monotonic() - start)


def kill(command: Command, folder: pathlib.Path, seconds: float) -> None:
    """Starts a command and kills it and its children -9 after some time."""
    process = subprocess.Popen(
        command.line(folder),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def judge(
    command: Command,
    folder: pathlib.Path,
    ended: Ended,
    *,
    whole: dict[str, str],
) -> str:
    """Returns "same", "clear error", or what is wrong.

    Args:
      command: it was run in `folder`.
      folder: what it left is there.
      ended: how it ended.
      whole: what it leaves when nothing befalls it.
    """
    # A command killed after its last step has left everything.
    is_there = any(said in ended.errors for said in ALREADY_DONE)
    if ended.code == 0 or is_there:
        left = command.left(folder)
        return "same" if left == whole else f"{left} instead of {whole}"
    lines = ended.errors.strip().splitlines()
    said = [line for line in lines if line.startswith("error: ")]
    if len(said) == 1 and "Traceback" not in ended.errors:
        return "clear error"
    return f"exit code {ended.code}: " + "\n".join(lines[-LAST_LINES:])


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _flip(content: bytes) -> bytes:
    middle = len(content) // 2
    turned = bytes(byte ^ 0xFF for byte in content[middle : middle + 8])
    return content[:middle] + turned + content[middle + 8 :]


def _drop_records(content: bytes) -> bytes:
    """All but the first record: 8 bytes of length, 4 + 4 of checksums."""
    return content[: 16 + int.from_bytes(content[:8], "little")]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut": _cut,
    "empty": lambda content: b"",
    "flipped": _flip,
    "a list": lambda content: b"[]",
    "deep": lambda content: b"[" * 100_000,
    "cut between records": _drop_records,
}


def damages_of(path: pathlib.Path) -> list[str]:
    """Names of the damages that are tried on a file."""
    named = ["cut", "empty", "flipped"]
    if path.suffix == ".json":
        named += ["a list", "deep"]
    if "tfrecord" in path.name:
        named += ["cut between records"]
    return named


def damage(path: pathlib.Path, kind: str) -> None:
    """Damages a file in place."""
    path.write_bytes(DAMAGES[kind](path.read_bytes()))


class Tally:
    """Counts what became of each try, in a table."""

    HEADER = "| what | tried | as if nothing had been | clear error | else |"

    def __init__(self):
        self.rows = collections.defaultdict(collections.Counter)

    def add(self, row: str, outcome: str) -> None:
        """Counts an outcome of `judge`."""
        known = outcome in ("same", "clear error")
        self.rows[row][outcome if known else "else"] += 1

    def __str__(self):
        lines = [self.HEADER, "|" + " --- |" * 5]
        for name, row in self.rows.items():
            cells = (row.total(), row["same"], row["clear error"], row["else"])
            lines.append(f"| {name} | {' | '.join(map(str, cells))} |")
        return "\n".join(lines)


def copy_folder(source: pathlib.Path, target: pathlib.Path) -> pathlib.Path:
    """Copies a folder; commands name theirs, so each has one of its own."""
    shutil.rmtree(target, ignore_errors=True)
    return shutil.copytree(source, target, symlinks=True)

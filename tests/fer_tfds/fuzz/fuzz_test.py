"""Two thousand damaged inputs: built or refused, and nothing else."""

import collections
import json
import os
import pathlib
import subprocess
import sys

import pytest

from tests.fer_tfds.fuzz import inputs

ROOT = pathlib.Path(__file__).parents[3]
# So many are tried by default; the slow tier goes on where they end.
NUM_INPUTS, ALL_INPUTS = 150, 2000
MAX_MB = 300  # Peak of the process, which also makes the inputs.


def run(folder, requests):
    """Has one process try them; asserts that all is well, counts outcomes."""
    own = dict.fromkeys(("HOME", "TMPDIR"), str(folder))
    done = subprocess.run(
        [sys.executable, "-m", "tests.fer_tfds.fuzz.child", str(folder)],
        input="\n".join(map(str, requests)),
        env={**os.environ, **own, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    for answer in answers:
        assert answer["outcome"][0] in ("built", "refused"), answer
        assert answer["peak_mb"] < MAX_MB, answer
    number = len(answers)
    # One that brings the process down, or is never done, is the next one.
    assert number == len(requests), (requests[number], done.stderr[-2000:])
    assert not list(folder.iterdir())
    return collections.Counter(answer["outcome"][0] for answer in answers)


def check(folder, seeds):
    outcomes = run(folder, seeds)
    # If all were refused, or none, the inputs would be of no use.
    assert 0.05 < outcomes["built"] / len(seeds) < 0.5


def test_damaged_copies_are_built_or_refused(tmp_path):
    check(tmp_path, range(NUM_INPUTS))


@pytest.mark.slow
def test_more_damaged_copies(tmp_path):
    check(tmp_path, range(NUM_INPUTS, ALL_INPUTS))


def test_whole_copies_are_built(tmp_path):
    assert set(run(tmp_path, list(inputs.list_bases()))) == {"built"}


def test_links_take_bounded_memory(tmp_path):
    run(tmp_path, ["clean links"])


@pytest.mark.slow
def test_giants_take_bounded_memory(tmp_path):
    run(tmp_path, list(inputs.GIANTS))


def test_the_same_seed_gives_the_same_input():
    for seed in ("1", "4", "10", "33"):
        one, two = (inputs.make(seed).files for _ in range(2))
        assert list(one.items()) == list(two.items())

"""Two thousand damaged inputs: built or refused, and nothing else.

Every finding names a seed; `python -m tests.fuzz_inputs SEED DIR` writes that
input. Memory is measured in the process that reads: see `fuzz_runs.MAX_MB`.
"""

import pytest

from tests import fuzz_giants
from tests import fuzz_inputs
from tests import fuzz_runs
from tests.fuzz_inputs import Input

# So many are tried by each; the slow tier goes on where the other ends.
NUM_READ = (130, 1850)
NUM_BUILT = (10, 150)

# The slow tier takes five minutes on two cores that have nothing else to do.
MAX_SECONDS = 900

QUICK_GIANTS = ("file_fer2013", "file_affectnet", "scans", "links")
GIANTS = [
    pytest.param(name, marks=[] if name in QUICK_GIANTS else pytest.mark.slow)
    for name in fuzz_giants.GIANTS
]


@pytest.fixture(scope="module")
def readers(tmp_path_factory):
    with fuzz_runs.Child("readers", tmp_path_factory.mktemp("read")) as child:
        yield child


@pytest.fixture(scope="module")
def builders(tmp_path_factory):
    """A process that has built both; libraries write files when they start."""
    with fuzz_runs.Child("builders", tmp_path_factory.mktemp("build")) as child:
        for base, config in (
            ("fer2013/csv_votes", "plus"),
            ("affectnet/full", "size_48"),
        ):
            made = make_undamaged(base, config)
            answer = fuzz_runs.judge(child, made, fuzz_runs.Tally())
            assert answer["outcome"] == "built", answer
        yield child


def make_undamaged(base, config):
    files = fuzz_inputs.list_bases()[base]
    return Input(0, base, config, "", ["nothing"], files)


def check(tally, num_inputs):
    print(tally.describe())
    assert not tally.findings, "\n\n".join(tally.findings)
    assert tally.outcomes.total() == num_inputs
    # If all were refused, or none, the inputs would be of no use.
    assert 0.05 < tally.outcomes["built"] / num_inputs < 0.5
    assert set(tally.outcomes) == {"built", "refused"}


def test_undamaged_copies_are_built(readers):
    tally = fuzz_runs.Tally()
    for base in fuzz_inputs.list_bases():
        config = "size_96" if base.startswith("affectnet") else "clean"
        fuzz_runs.judge(readers, make_undamaged(base, config), tally)
    assert not tally.findings, tally.findings
    assert set(tally.outcomes) == {"built"}


def test_readers_survive(readers):
    seeds = range(NUM_READ[0])
    check(fuzz_runs.run(readers, seeds, MAX_SECONDS), len(seeds))


def test_builders_survive(builders):
    seeds = range(3000, 3000 + NUM_BUILT[0])
    check(fuzz_runs.run(builders, seeds, MAX_SECONDS), len(seeds))


@pytest.mark.slow
def test_readers_survive_more(readers):
    seeds = range(NUM_READ[0], sum(NUM_READ))
    check(fuzz_runs.run(readers, seeds, MAX_SECONDS), len(seeds))


@pytest.mark.slow
def test_builders_survive_more(builders):
    seeds = range(3000 + NUM_BUILT[0], 3000 + sum(NUM_BUILT))
    check(fuzz_runs.run(builders, seeds, MAX_SECONDS), len(seeds))


@pytest.mark.parametrize("name", GIANTS)
def test_giants_take_bounded_memory(readers, name):
    giant = fuzz_giants.GIANTS[name]
    made = Input(0, name, giant.config, "", ["giant"], giant.make())
    tally = fuzz_runs.Tally()
    answer = fuzz_runs.judge(readers, made, tally, giant.max_mb)
    assert not tally.findings, tally.findings
    assert answer["outcome"] in ("built", "refused")


def test_the_same_seed_gives_the_same_input():
    for seed in (1, 4, 10, 33):
        one, two = (fuzz_inputs.make_input(seed) for _ in range(2))
        assert one.describe() == two.describe()
        assert {n: c for n, c in one.files.items() if isinstance(c, bytes)} == {
            n: c for n, c in two.files.items() if isinstance(c, bytes)
        }

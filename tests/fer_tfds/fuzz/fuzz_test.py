"""Two thousand damaged inputs: built or refused, and nothing else.

Every finding names a seed; `python -m tests.fer_tfds.fuzz.inputs SEED DIR`
writes that input. Memory is measured in the process that reads: see
`runs.MAX_MB`.
"""

import pytest

from tests.fer_tfds.fuzz import giants
from tests.fer_tfds.fuzz import inputs
from tests.fer_tfds.fuzz import runs
from tests.fer_tfds.fuzz.inputs import Input

# So many are tried by each; the slow tier goes on where the other ends.
NUM_READ = (130, 1850)
NUM_BUILT = (10, 150)

# The slow tier takes five minutes on two cores that have nothing else to do.
MAX_SECONDS = 900

QUICK_GIANTS = ("file_fer2013", "file_affectnet", "scans", "links")
GIANTS = [
    pytest.param(name, marks=[] if name in QUICK_GIANTS else pytest.mark.slow)
    for name in giants.GIANTS
]


@pytest.fixture(scope="module")
def readers(tmp_path_factory):
    with runs.Child("readers", tmp_path_factory.mktemp("read")) as child:
        yield child


@pytest.fixture(scope="module")
def builders(tmp_path_factory):
    """A process that has built both; libraries write files when they start."""
    with runs.Child("builders", tmp_path_factory.mktemp("build")) as child:
        for base, config in (
            ("fer2013/csv_votes", "plus"),
            ("affectnet/full", "size_48"),
        ):
            made = make_undamaged(base, config)
            answer = runs.judge(child, made, runs.Tally())
            assert answer["outcome"] == "built", answer
        yield child


def make_undamaged(base, config):
    files = inputs.list_bases()[base]
    return Input(0, base, config, "", ["nothing"], files)


def check(tally, num_inputs):
    print(tally.describe())
    assert not tally.findings, "\n\n".join(tally.findings)
    assert tally.outcomes.total() == num_inputs
    # If all were refused, or none, the inputs would be of no use.
    assert 0.05 < tally.outcomes["built"] / num_inputs < 0.5
    assert set(tally.outcomes) == {"built", "refused"}


def test_undamaged_copies_are_built(readers):
    tally = runs.Tally()
    for base in inputs.list_bases():
        config = "size_96" if base.startswith("affectnet") else "clean"
        runs.judge(readers, make_undamaged(base, config), tally)
    assert not tally.findings, tally.findings
    assert set(tally.outcomes) == {"built"}


def test_readers_survive(readers):
    seeds = range(NUM_READ[0])
    check(runs.run(readers, seeds, MAX_SECONDS), len(seeds))


def test_builders_survive(builders):
    seeds = range(3000, 3000 + NUM_BUILT[0])
    check(runs.run(builders, seeds, MAX_SECONDS), len(seeds))


@pytest.mark.slow
def test_readers_survive_more(readers):
    seeds = range(NUM_READ[0], sum(NUM_READ))
    check(runs.run(readers, seeds, MAX_SECONDS), len(seeds))


@pytest.mark.slow
def test_builders_survive_more(builders):
    seeds = range(3000 + NUM_BUILT[0], 3000 + sum(NUM_BUILT))
    check(runs.run(builders, seeds, MAX_SECONDS), len(seeds))


@pytest.mark.parametrize("name", GIANTS)
def test_giants_take_bounded_memory(readers, name):
    giant = giants.GIANTS[name]
    made = Input(0, name, giant.config, "", ["giant"], giant.make())
    tally = runs.Tally()
    answer = runs.judge(readers, made, tally, giant.max_mb)
    assert not tally.findings, tally.findings
    assert answer["outcome"] in ("built", "refused")


def test_the_same_seed_gives_the_same_input():
    for seed in (1, 4, 10, 33):
        one, two = (inputs.make_input(seed) for _ in range(2))
        assert one.describe() == two.describe()
        assert {n: c for n, c in one.files.items() if isinstance(c, bytes)} == {
            n: c for n, c in two.files.items() if isinstance(c, bytes)
        }

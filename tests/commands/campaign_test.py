"""Every command killed at random moments, every file that is read damaged.

Slow: some hundred processes. A table of figures is printed at the end:

  python -m pytest --run_slow -s tests/commands/campaign_test.py
"""

import functools
import pathlib
import random
import shutil
import tempfile

import pytest

from fer_tfds import synthetic
from tests.commands import campaign
from tests.commands.campaign import COMMANDS

pytestmark = pytest.mark.slow
KILLS = 20
# Command -> files of its folder that are damaged before it is run. Of the
# search and the fine-tuning they are those that a killed one has left.
DAMAGED = {
    "head phase": "data/fer2013/**/*",
    "fine-tuning": "run/**/*",
    "evaluate": "run/**/*",
    "export": "run/**/*",
    "search": "search/**/*",
}


@pytest.fixture(scope="module")
def tally():
    found = campaign.Tally()
    yield found
    print(f"\n{found}")


@pytest.fixture(scope="module")
def folders():
    """Gives each command a folder in which everything is ready for it.

    All copies of a folder stand at one place in turn, since settings and
    searches remember where their data was.
    """
    with tempfile.TemporaryDirectory(prefix="campaign-") as name:
        place = pathlib.Path(name)
        counts = {"train": [40] * 7, "validation": [8] * 7, "test": [6] * 7}
        synthetic.write("csv", place / "kept" / "raw", counts, seed=0)

        @functools.cache
        def ready(command):
            """Returns the folder before, and what is left after."""
            after = COMMANDS[command].after
            before = ready(after)[1] if after else place / "kept"
            work = campaign.copy_folder(before, place / "work")
            ended = campaign.run(COMMANDS[command], work)
            assert ended.code == 0, ended.errors[-2000:]
            done = place / command
            shutil.copytree(work, done)
            return before, done, ended.seconds

        yield ready, place / "work"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_killed_command_ends_as_if_it_had_not_been(name, folders, tally):
    ready, work = folders
    before, done, seconds = ready(name)
    command, rng = COMMANDS[name], random.Random(name)
    whole, wrong = command.left(done), []
    assert whole
    for number in range(KILLS):
        campaign.copy_folder(before, work)
        after_s = rng.uniform(0.1, 1) * seconds
        campaign.kill(command, work, after_s)
        ended = campaign.run(command, work)
        outcome = campaign.judge(command, work, ended, whole=whole)
        if outcome != "same":
            wrong.append(f"kill {number} after {after_s:.1f} s: {outcome}")
        tally.add(f"{name}, killed", outcome)
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_named_or_harmless(name, folders, tally):
    ready, work = folders
    before, done, seconds = ready(name)
    command, kept = COMMANDS[name], work.with_name(f"half {name}")
    campaign.copy_folder(before, work)
    if name in ("fine-tuning", "search"):
        campaign.kill(command, work, 0.8 * seconds)
    shutil.copytree(work, kept)
    whole, wrong = command.left(done), []
    files = sorted(kept.glob(DAMAGED[name]))
    for file in filter(pathlib.Path.is_file, files):
        for kind in campaign.damages_of(file):
            campaign.copy_folder(kept, work)
            campaign.damage(work / file.relative_to(kept), kind)
            ended = campaign.run(command, work)
            outcome = campaign.judge(command, work, ended, whole=whole)
            if outcome not in ("same", "clear error"):
                wrong.append(f"{file.relative_to(kept)} {kind}: {outcome}")
            tally.add(f"{name}, damaged", outcome)
    assert wrong or files
    assert not wrong, "\n\n".join(wrong)

"""`python -m tuning` as a user types it."""

import json

import pytest

from tests.commands.command_line import ROOT
from tests.commands.command_line import kill_once
from tests.commands.command_line import python
from tuning import results

WRONG = [
    ("--flagfile=densenet.flags", "give --out=FOLDER"),
    ("--out=x --head_epochs=0", "give --head_epochs=10"),
    ("--out=x --scope=full --fine_tune_epochs=0 --head_epochs=1", "is 0"),
    ("--out=x --head_epochs=1 --tune=depth", "received depth"),
    ("--out=x --head_epochs=1 --tune=weight_decay", "nothing to search"),
    ("--out=x --head_epochs=1 --feature_passes=2", "such as --flip"),
    ("--out=x --head_epochs=1 --flip --mixup=0.2 --feature_passes=2", "mixed"),
    ("--out=x --head_epochs=1 --strategy=mirrored", "on one device"),
    ("--out=x --scope=full --feature_passes=1 --flip", "--scope=head"),
    ("--out=x --algorithm=luck", "algorithm"),
    ("--out=x densenet.flags", "are not flags"),
]


# What each line of arguments is answered, without TensorFlow to say it with.
REFUSALS = """
import sys, json
from absl import app, flags
from tuning import __main__ as command
said = []
for line in json.loads(sys.argv.pop()):
    flags.FLAGS.unparse_flags()
    for name in flags.FLAGS:
        flags.FLAGS[name].unparse()
    try:
        command.main(flags.FLAGS(["tuning", *line.split()]))
    except (app.UsageError, flags.Error) as error:
        said.append(str(error))
assert "tensorflow" not in sys.modules
print(json.dumps(said))
"""


def test_wrong_flags_are_refused_before_tensorflow_is_loaded():
    lines = json.dumps([line for line, _ in WRONG])
    done = python("-c", REFUSALS, lines)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    for (line, text), message in zip(WRONG, said, strict=True):
        assert text in message, line


def test_the_command_says_what_is_wrong_and_ends():
    done = python("-m", "tuning", "--out=x", "--head_epochs=0")
    assert done.returncode != 0
    assert "give --head_epochs=10" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert not (ROOT / "x").exists()


def command(data_dir, out, *more):
    return [
        "-m", "tuning", f"--data_dir={data_dir}",
        f"--out={out}", f"--feature_cache={out.parent}/cache",
        "--backbone=tiny_cnn", "--head_epochs=2", "--batch_size=28",
        "--fine_tune_epochs=1", "--max_trials=4", "--confirm_seeds=1",
        "--tune=head_depth,head_learning_rate", *more,
    ]  # fmt: skip


def begun_trials(out):
    return [*out.glob("trials/*/settings.json")]


def finish(arguments):
    done = python(*arguments)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["random", "grid", "hyperband"])
def test_a_killed_search_ends_like_a_whole(algorithm, prepared_data, tmp_path):
    more = f"--algorithm={algorithm}"
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    finish(command(prepared_data, whole, more))
    # Each time in the trial after so many.
    for count in (1, 3):
        arguments = command(prepared_data, broken, more)
        kill_once(arguments, lambda c=count: len(begun_trials(broken)) > c)
    finish(command(prepared_data, broken, more))
    expected, got = (
        results.read_trials(folder / "trials") for folder in (whole, broken)
    )
    for one, other in zip(expected, got, strict=True):
        for name in ("name", "values", "metrics"):
            assert getattr(one, name) == getattr(other, name)
    texts = [(f / "best.flags").read_text() for f in (whole, broken)]
    assert texts[0].splitlines()[2:] == texts[1].splitlines()[2:]


@pytest.mark.slow
def test_whole_runs_are_searched_through_the_trainer(prepared_data, tmp_path):
    out = tmp_path / "out"
    more = ("--scope=full", "--max_trials=2", "--tune=unfrozen_share,schedule")
    printed = finish(command(prepared_data, out, *more, "--confirm_seeds=0"))
    assert "report:" in printed
    for trial in results.read_trials(out / "trials"):
        assert trial.is_completed, trial.message
        folder = out / "trials" / trial.name
        metrics = json.loads((folder / "metrics.json").read_text())
        assert set(metrics) == {"validation"}
        assert metrics["validation"]["accuracy"] == pytest.approx(
            trial.metrics["accuracy"], abs=1e-6
        )
        assert not (folder / "checkpoints").exists()
    text = (out / "best.flags").read_text()
    assert "--schedule=" in text and "--fine_tune_from=" in text
    assert "test_split" not in text


@pytest.mark.slow
def test_a_whole_run_that_diverges_is_called_that(prepared_data, tmp_path):
    out = tmp_path / "out"
    more = ("--scope=full", "--max_trials=1", "--optimizer=sgd")
    more += ("--tune=schedule", "--head_epochs=0")
    rate = "--fine_tune_learning_rate=1e38"
    done = python(*command(prepared_data, out, *more, rate))
    assert done.returncode == 1
    assert "none of 1 trials succeeded" in done.stderr
    assert results.read_trials(out / "trials")[0].status == "diverged"

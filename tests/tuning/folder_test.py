"""The folder of a search, and best.flags in it."""

import copy
import dataclasses

import pytest
from absl import flags

from tests.commands.command_line import python
from tests.tuning.tuning_fixtures import make_options
from trainer import checkpoints
from trainer.settings import cli_flags
from tuning import folder
from tuning import tuner


def given_and_best(finished, tmp_path):
    """The flags of a search, and best.flags after them."""
    given = tmp_path / "given.flags"
    given.write_text("\n".join(cli_flags.to_flags(finished[0].settings)))
    return [f"--flagfile={given}", f"--flagfile={finished[0].out}/best.flags"]


def winning_settings(finished):
    """The settings that best.flags must make of those of the search."""
    options, found = finished
    values = next(t.values for t in found.trials if t.name == found.winner)
    trial = tuner.trial_settings(options, values, options.epochs, layers=())
    return dataclasses.replace(
        trial, data=dataclasses.replace(trial.data, test_split="test")
    )


def test_best_flags_make_the_settings_of_the_winner(finished, tmp_path):
    values = flags.FlagValues()
    flags_of = flags.FLAGS.flags_by_module_dict()["trainer.settings.cli_flags"]
    for flag in flags_of:
        values[flag.name] = copy.deepcopy(flag)
    values(["trainer", *given_and_best(finished, tmp_path)])
    settings = cli_flags.settings_from_flags(values)
    assert settings == winning_settings(finished)
    assert values["workdir"].value == "runs/tiny_tuned"


@pytest.mark.slow
def test_best_flags_are_taken_by_the_trainer_as_they_are(finished, tmp_path):
    given = given_and_best(finished, tmp_path)
    result = python("-m", "trainer", *given, f"--workdir={tmp_path}/run")
    assert result.returncode == 0, result.stderr[-2000:]
    run = checkpoints.load_for_inference(tmp_path / "run")
    assert run.settings == winning_settings(finished)


def test_overwrite_begins_again(tmp_path):
    options = make_options(tmp_path / "out")
    folder.open_folder(options, overwrite=False)
    (options.out / "trials").mkdir()
    folder.open_folder(options, overwrite=False)
    assert (options.out / "trials").exists()
    folder.open_folder(options, overwrite=True)
    assert [p.name for p in options.out.iterdir()] == ["search.json"]


def test_overwrite_keeps_what_no_search_wrote(tmp_path, capsys):
    options = make_options(tmp_path / "out")
    folder.open_folder(options, overwrite=False)
    (options.out / "notes.txt").write_text("mine")
    (options.out / "trials").mkdir()
    folder.open_folder(options, overwrite=True)
    assert "of no search: notes.txt" in capsys.readouterr().out
    names = sorted(path.name for path in options.out.iterdir())
    assert names == ["notes.txt", "search.json"]


def test_a_lock_alone_is_no_search(tmp_path):
    options = make_options(tmp_path / "out")
    with folder.alone(options.out):
        folder.check_folder(options, overwrite=False)
    assert not options.out.exists()


def test_a_second_process_of_the_same_name_is_kept_out(tmp_path):
    with (
        folder.alone(tmp_path),
        pytest.raises(folder.SearchError, match="another process searches"),
        folder.alone(tmp_path),
    ):
        pass

"""`python -m trainer` as it is typed: first line, last line, wrong flags."""

import os

import pytest

from tests.commands.command_line import python


def test_a_run_that_learned_nothing_is_not_sent_to_export(
    prepared_data, tmp_path
):
    """The rate is far too high; what it runs on stands in the first line."""
    done = python(
        *("-m", "trainer", "--backbone=tiny_cnn", "--fine_tune_epochs=1"),
        *("--batch_size=28", "--fine_tune_learning_rate=30"),
        *(f"--workdir={tmp_path}/run", f"--data_dir={prepared_data}"),
    )
    assert done.returncode == 0, done.stderr
    first, *_, last = done.stdout.splitlines()
    assert f"; float32 on CPU ({os.cpu_count()} cores); " in first
    assert first.endswith("images in memory, 1 MiB")
    assert "WARNING: the model has learned nothing: it " in done.stderr
    assert last.startswith("next:    train again with --overwrite")
    assert "a lower --fine_tune_learning_rate (now 30)" in last
    assert "python -m export" not in done.stdout


@pytest.mark.parametrize(
    ("command", "meant"),
    [
        ("trainer --batch-size=8", "--batch_size"),
        ("trainer --epochs=8", "--head_epochs or --fine_tune_epochs"),
        ("tuning --out=x --max_trial=3", "--max_trials"),
        ("export --tflit", "--tflite"),
        ("export --zzz", None),
    ],
    ids=str,
)
def test_an_unknown_flag_is_told_its_nearest_names(command, meant):
    done = python("-m", *command.split())
    hint = f"did you mean {meant}?" if meant else "see --help"
    flag = command.split()[-1].partition("=")[0]
    assert done.stderr == f"error: unknown flag {flag}; {hint}\n"
    assert done.returncode == 1

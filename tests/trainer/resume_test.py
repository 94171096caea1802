"""Interrupting a run with -9 and typing the same command again."""

import re
import signal

import pytest

from tests.commands.command_line import python
from tests.trainer import stopped_runs
from tests.trainer import weight_files


def command(workdir, data_dir):
    return [
        "-m", "trainer",
        f"--workdir={workdir}", f"--data_dir={data_dir}",
        f"--weights={first_weights(workdir)}",
        "--backbone=tiny_cnn", "--batch_size=28", "--ema=0.9", "--flip",
        "--rotation=5", "--pooling_dropout=0.3", "--schedule=one_cycle",
        "--head_epochs=2", "--fine_tune_epochs=6", "--optimizer=adam",
        "--fine_tune_learning_rate=0.003", "--nohead_augmentation",
    ]  # fmt: skip


def first_weights(workdir):
    """Where the file lies that a run takes its backbone from."""
    return workdir.parent / "backbone.weights.h5"


def write_backbone(path, seed):
    """Writes a backbone's weights as a user may have them."""
    import keras

    from trainer.models import build_model
    from trainer.settings import settings

    keras.utils.set_random_seed(seed)
    flat = {"backbone": "tiny_cnn"}
    model = build_model(settings.from_flat(flat), 7, keras)
    features = model.get_layer("pooling").output
    keras.Model(model.inputs, features).save_weights(path)


@pytest.mark.parametrize(
    ("epoch", "number", "code"),
    [
        (1, signal.SIGKILL, -9),
        (4, signal.SIGINT, 130),
        (5, signal.SIGTERM, 143),
    ],
)
def test_a_stopped_run_ends_with_the_bits_of_an_uninterrupted_one(
    epoch, number, code, whole_run, prepared_data, tmp_path
):
    workdir = tmp_path / "killed"
    write_backbone(first_weights(workdir), seed=0)
    arguments = command(workdir, prepared_data)
    ended, told = stopped_runs.stop_after_epoch(
        arguments, workdir, epoch, number
    )
    assert ended == code
    if code > 0:
        assert re.fullmatch(
            rf"stopped by {number.name}: epoch \d+ is kept in {workdir}. "
            "The same command resumes\n",
            told,
        )
    # What the run began with is no longer what the file holds.
    write_backbone(first_weights(workdir), seed=1)
    assert not (workdir / "metrics.json").exists()
    again = python(*arguments)
    assert again.returncode == 0, again.stderr
    assert "resuming after epoch" in again.stdout
    # The checkpoints of phase 1 hold the head alone.
    is_reused = "computing the backbone's features once" in again.stdout
    assert is_reused == (epoch == 1)
    # The weights of the best epoch may be older than the interruption.
    assert stopped_runs.history(workdir) == stopped_runs.history(whole_run)
    weight_files.assert_equal(whole_run, workdir)


@pytest.fixture(scope="module")
def whole_run(prepared_data, tmp_path_factory):
    workdir = tmp_path_factory.mktemp("runs") / "whole"
    write_backbone(first_weights(workdir), seed=0)
    done = python(*command(workdir, prepared_data))
    assert done.returncode == 0, done.stderr
    return workdir


def test_other_settings_are_refused_and_named(whole_run, prepared_data):
    result = python(*command(whole_run, prepared_data), "--seed=5")
    assert result.returncode == 1
    assert "seed: 0 there, 5 now" in result.stderr
    assert "Traceback" not in result.stderr

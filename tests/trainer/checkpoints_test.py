import os

import keras
import numpy as np
import pytest

from trainer import checkpoints
from trainer import workdirs
from trainer.settings.settings import Settings


def small_model(units=2):
    return keras.Sequential([keras.Input([3]), keras.layers.Dense(units)])


def model_and_optimizer():
    model, optimizer = small_model(), keras.optimizers.Adam(0.1)
    optimizer.build(model.trainable_variables)
    return {"model": model, "optimizer": optimizer}


def test_checkpoints_restore_weights_optimizer_and_progress(tmp_path):
    objects, fresh = model_and_optimizer(), model_and_optimizer()
    variables = objects["model"].trainable_variables
    gradients = [np.ones(v.shape, np.float32) for v in variables]
    objects["optimizer"].apply(gradients, variables)
    progress = checkpoints.Progress(1, 2, 3, 0.5, 1, [{"epoch": 3}])
    checkpoints.save_checkpoint(tmp_path, objects, progress)
    checkpoints.restore_checkpoint(tmp_path, fresh)
    assert checkpoints.read_progress(tmp_path) == progress
    for expected, got in zip(objects.values(), fresh.values(), strict=True):
        for one, other in zip(expected.variables, got.variables, strict=True):
            np.testing.assert_array_equal(one, other)


def test_only_the_last_checkpoints_are_kept(tmp_path):
    assert checkpoints.read_progress(tmp_path) == checkpoints.Progress()
    model = small_model()
    for epoch in range(1, 5):
        progress, objects = checkpoints.Progress(epoch=epoch), {"model": model}
        checkpoints.save_checkpoint(tmp_path, objects, progress)
    names = sorted(os.listdir(tmp_path / "checkpoints"))
    assert names == ["epoch-00003", "epoch-00004"]
    assert checkpoints.read_progress(tmp_path).epoch == 4


@pytest.mark.parametrize("lack", ["shape", "optimizer", "bytes"])
def test_a_checkpoint_that_does_not_fit_is_refused(tmp_path, lack):
    model = small_model()
    progress = checkpoints.Progress(epoch=1)
    checkpoints.save_checkpoint(tmp_path, {"model": model}, progress)
    wanted = {"model": small_model(5 if lack == "shape" else 2)}
    if lack == "optimizer":
        wanted["optimizer"] = keras.optimizers.Adam(0.1)
        wanted["optimizer"].build(model.trainable_variables)
    elif lack == "bytes":
        (data,) = tmp_path.glob("checkpoints/*/state.data-00000-of-00001")
        data.write_bytes(data.read_bytes()[:10])
    message = r"cannot be restored.*: delete .*epoch-00001 to resume"
    with pytest.raises(checkpoints.WorkdirError, match=message):
        checkpoints.restore_checkpoint(tmp_path, wanted)


@pytest.mark.parametrize(
    "text", ['{"epoch": 1', "[]", '{"epoch": "1"}', '{"steps": 1}', "[" * 10**5]
)
def test_damaged_progress_is_told_with_its_file(tmp_path, text):
    model, progress = small_model(), checkpoints.Progress(epoch=1)
    checkpoints.save_checkpoint(tmp_path, {"model": model}, progress)
    path = tmp_path / "checkpoints" / "epoch-00001" / "progress.json"
    path.write_text(text)
    with pytest.raises(ValueError) as caught:
        checkpoints.read_progress(tmp_path)
    assert str(caught.value).startswith(f"{path} is damaged")
    assert f"delete {path.parent} to resume" in str(caught.value)


@pytest.mark.parametrize(
    "damage", ["NaN", "infinite", "cut", "flipped", "shape"]
)
def test_damaged_weights_are_told_with_their_file(tmp_path, damage):
    model, path = small_model(), tmp_path / "best.weights.h5"
    wrong = {"NaN": np.nan, "infinite": np.inf}.get(damage, 1.0)
    model.set_weights([np.full(w.shape, wrong) for w in model.get_weights()])
    checkpoints.save_weights(model, path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-500])
    if damage == "flipped":
        content = bytearray(path.read_bytes())
        content[content.index(model.weights[0].numpy().tobytes())] ^= 1
        path.write_bytes(content)
    fresh = small_model(5 if damage == "shape" else 2)
    with pytest.raises(checkpoints.WorkdirError) as caught:
        checkpoints.load_weights(fresh, tmp_path)
    assert str(caught.value).startswith(f"{path} is damaged")
    assert "train the run again" in str(caught.value)


def test_the_last_finished_run_is_found_and_no_other_is_loaded(tmp_path):
    (tmp_path / "unfinished").mkdir()
    with pytest.raises(checkpoints.WorkdirError, match="trainer --flagfile"):
        checkpoints.last_finished_run(tmp_path)
    for age, name in enumerate(["c", "a", "b"]):
        (tmp_path / name).mkdir()
        (tmp_path / name / "metrics.json").write_text("{}")
        os.utime(tmp_path / name / "metrics.json", (1000 + age, 1000 + age))
    assert checkpoints.last_finished_run(tmp_path).name == "b"
    workdirs.open_workdir(tmp_path / "run", Settings(), overwrite=False)
    with pytest.raises(checkpoints.WorkdirError, match="holds no finished run"):
        checkpoints.load_for_inference(tmp_path / "run")

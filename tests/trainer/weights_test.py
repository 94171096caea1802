import re

import keras
import numpy as np
import pytest

from tests.commands.command_line import python
from tests.export import export_fixtures
from trainer import checkpoints
from trainer import train
from trainer import weights
from trainer.data import prepared
from trainer.models import BACKBONE_LAYER
from trainer.models import build_model
from trainer.settings.settings import from_flat


def make(backbone, source="none"):
    settings = from_flat({"backbone": backbone, "weights": source})
    return build_model(settings, 7, keras), settings


def layer_weights(model, name):
    return model.get_layer(name).get_weights()


def is_same(one, other, name):
    """Whether a layer of two models has the same weights."""
    pairs = zip(
        layer_weights(one, name), layer_weights(other, name), strict=True
    )
    return all(np.array_equal(*pair) for pair in pairs)


def test_a_file_fills_the_backbone_and_nothing_else(tmp_path):
    path = tmp_path / "m.weights.h5"
    donor = keras.applications.MobileNetV2(include_top=False, weights=None)
    donor.save_weights(path)
    model, settings = make("mobilenetv2", str(path))
    head = layer_weights(model, "logits")
    weights.load_backbone_weights(model, settings, keras)
    for name in ("Conv1", "block_3_depthwise", "Conv_1_bn"):
        assert is_same(donor, model, name)
    np.testing.assert_array_equal(head[0], layer_weights(model, "logits")[0])


def torch_arrays(model):
    """The model's weights under the names and axes of the PyTorch ports."""
    arrays = {}
    for layer in model.layers:
        name = "_" + layer.name.replace("blocks_", "blocks.", 1)
        name = re.sub(r"(blocks\.\d+)_", r"\1._", name)
        own = layer.get_weights()
        if "bn" in layer.name and len(own) == 4:
            parts = ("weight", "bias", "running_mean", "running_var")
            for part, values in zip(parts, own, strict=True):
                arrays[f"{name}.{part}"] = values
        elif "depthwise" in layer.name:
            arrays[f"{name}.weight"] = own[0].transpose(2, 3, 0, 1)
        elif own and len(own[0].shape) == 4:
            arrays[f"{name}.weight"] = own[0].transpose(3, 2, 0, 1)
    return arrays


def test_arrays_fill_efficientnet_lite0(tmp_path):
    path = tmp_path / "lite.npz"
    donor, _ = make("efficientnet_lite0")
    rng = np.random.default_rng(0)
    for layer in donor.layers[2:]:
        layer.set_weights([rng.uniform(0.1, 1, w.shape) for w in layer.weights])
    np.savez(path, **torch_arrays(donor))
    model, settings = make("efficientnet_lite0", str(path))
    weights.load_backbone_weights(model, settings, keras)
    for layer in model.layers[2:]:
        if layer.name != "logits":
            assert is_same(donor, model, layer.name)
    np.savez(path, **{"_conv_stem.weight": np.zeros([32, 3, 3, 3])})
    with pytest.raises(weights.WeightsError, match="does not fit"):
        weights.load_backbone_weights(model, settings, keras)


def from_run(**values):
    """A new network that begins with the weights of a finished run."""
    workdir = export_fixtures.workdir()
    run = checkpoints.load_for_inference(workdir)
    flat = {**run.settings.flat(), "weights": str(workdir), **values}
    settings = from_flat(flat)
    return build_model(settings, 7, keras), settings, run


def test_a_finished_run_gives_its_backbone_to_the_same_network():
    model, settings, run = from_run()
    weights.load_backbone_weights(model, settings, keras)
    for layer in run.model.layers:
        same = is_same(run.model, model, layer.name)
        assert same == (layer.name != "logits")
    model, settings, _ = from_run(backbone="plain_cnn", widths=(4, 4, 4, 4))
    with pytest.raises(weights.WeightsError, match=r"plain_cnn .* has no"):
        weights.load_backbone_weights(model, settings, keras)


def test_a_run_that_saw_what_the_new_one_is_judged_by_is_refused(tmp_path):
    _, settings, _ = from_run(train_split="test", test_split="train[:50%]")
    splits = prepared.load_splits(settings.data)
    with pytest.raises(ValueError, match=r"was trained on \d+ of .* test exam"):
        weights.check_source(settings, splits)
    with pytest.raises(ValueError, match="test examples"):
        train.train_and_evaluate(settings, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_other_sources_are_not_refused(tmp_path, monkeypatch):
    """Other data, which need not be there; no run, but a folder's name."""
    _, settings, _ = from_run()
    weights.check_source(settings, prepared.load_splits(settings.data))
    _, settings, _ = from_run(dataset="affectnet", num_classes=7)
    weights.check_source(settings, {})
    (tmp_path / "none").mkdir()
    monkeypatch.chdir(tmp_path)
    weights.check_source(make("tiny_cnn")[1], {})


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("other.weights.h5", weights.WeightsError, "does not fit tiny_cnn"),
        ("no.h5", weights.WeightsError, "there is no "),
        (".", checkpoints.WorkdirError, "no finished run"),
    ],
    ids=["another network", "no file", "no run"],
)
def test_other_weights_are_refused(tmp_path, name, error, message):
    dense = keras.Sequential([keras.Input([3]), keras.layers.Dense(2)])
    dense.save_weights(tmp_path / "other.weights.h5")
    model, settings = make("tiny_cnn", str(tmp_path / name))
    with pytest.raises(error, match=message):
        weights.load_backbone_weights(model, settings, keras)


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    donor, _ = make("tiny_cnn")
    wrong = [np.full(w.shape, np.nan) for w in donor.get_weights()]
    donor.set_weights(wrong)
    donor = keras.Model(donor.inputs, donor.get_layer(BACKBONE_LAYER).output)
    donor.save_weights(tmp_path / "nan.weights.h5")
    model, settings = make("tiny_cnn", str(tmp_path / "nan.weights.h5"))
    with pytest.raises(weights.WeightsError, match=r"nan\.weights.*holds NaN"):
        weights.load_backbone_weights(model, settings, keras)


def test_imagenet_without_a_network_says_what_to_do(prepared_data, tmp_path):
    # Port 9 of this machine: nothing answers there, as without a network.
    names = ("http_proxy", "https_proxy")
    env = {**dict.fromkeys(names, "http://127.0.0.1:9"), "no_proxy": ""}
    env["KERAS_HOME"] = str(tmp_path / "keras")
    folders = (f"--data_dir={prepared_data}", f"--workdir={tmp_path / 'run'}")
    model = ("--backbone=mobilenetv2", "--weights=imagenet")
    result = python("-m", "trainer", *folders, *model, env=env)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "--weights=mobilenetv2.weights.h5" in result.stderr
    assert "MobileNetV2(include_top=False, weights='ima" in result.stderr
    assert "--weights=none" in result.stderr
    assert not (tmp_path / "run").exists()

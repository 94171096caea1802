"""Tests of export/keras_dialect.py: one file for old and new Keras.

The slow ones install older versions of Keras, once: they need a network.
"""

import functools
import json
import os
import pathlib
import subprocess
import sys
import zipfile

import h5py
import keras
import numpy as np
import pytest

from export import keras_dialect
from tests.commands.command_line import ROOT
from trainer import runtime
from trainer.models import build_model
from trainer.settings import settings as settings_lib
from trainer.settings.model_and_data import BACKBONES

# What only newer versions know.
NEW_WORDS = ("input_axes", "quantization_config", "optional", "renorm")
NEW_WORDS += ("batch_shape", "synchronized", "DTypePolicy", "__keras_tensor__")
LAYERS = ("c8", "bn", "mp", "c16", "mp", "d0.1")
HEADS = {"head_units": (16,), "head_dropout": (0.1,)}
CASES = {
    **{name: {"backbone": name} for name in BACKBONES},
    "layer_list": {"backbone": "layer_list", "layers": LAYERS},
    "swish head": {"backbone": "plain_cnn", "head_activation": "silu", **HEADS},
    "flat": {
        "backbone": "tiny_cnn",
        "pooling": "flatten",
        **HEADS,
        "head_l2": 0.001,
    },
    "mixed": {
        "backbone": "tiny_cnn",
        "precision": "mixed_bfloat16",
        "head_batch_norm": True,
        **HEADS,
    },
}
# bfloat16 has 8 bits, rounded at other places by each version.
TOLERANCES = {"mixed": 0.02}
SLOWLY_BUILT = ("densenet169", "resnet50")
PATIENCE_SECONDS = 1800
# Older versions of Keras; stay until somebody deletes them.
INSTALLED = ROOT / "runs" / "test_environments"
PROGRAM = pathlib.Path(__file__).with_name("keras_load.py")


@functools.cache
def network(name):
    """A network whose statistics are not those that it begins with."""
    keras.utils.set_random_seed(1)
    settings = settings_lib.from_flat(CASES[name])
    precision = runtime.resolve_precision(settings.training)
    with runtime.keep_precision(precision):
        model = build_model(settings, 7, keras)
    rng = np.random.default_rng(0)
    for weight in model.weights:
        if weight.path.split("/")[-1] in ("gamma", "beta", "moving_mean"):
            weight.assign(weight + rng.uniform(0.1, 0.3, weight.shape))
    return model


def write(name, folder):
    """Writes the files of a network, with images and answers beside them."""
    model = network(name)
    folder.mkdir(parents=True)
    model.save(folder / "model.keras")
    keras_dialect.make_keras_lean(folder / "model.keras", model)
    model.save(folder / "model.h5")
    keras_dialect.make_h5_classic(folder / "model.h5", model)
    described = keras_dialect.classic_architecture(model)
    (folder / "model.json").write_text(json.dumps(described))
    shape = (4, *model.input_shape[1:])
    images = np.random.default_rng(0).integers(0, 256, shape)
    np.save(folder / "images.npy", images.astype(np.float32))
    answers = model.predict(images.astype(np.float32), verbose=0)
    np.save(folder / "expected.npy", answers)


@pytest.mark.parametrize("name", [n for n in CASES if n not in SLOWLY_BUILT])
def test_what_is_left_out_is_at_its_default(name):
    for layer in network(name).layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        lean = keras_dialect.lean_config(layer)
        again = type(layer).from_config(lean)
        assert again.get_config() == layer.get_config()


def test_files_hold_no_new_word(tmp_path):
    write("flat", tmp_path / "flat")
    with h5py.File(tmp_path / "flat" / "model.h5") as file:
        texts = [file.attrs["model_config"]]
        assert file.attrs["keras_version"] == "2.15.0"
    texts.append((tmp_path / "flat" / "model.json").read_text())
    for text in texts:
        assert not [word for word in NEW_WORDS if f'"{word}"' in text]
    with zipfile.ZipFile(tmp_path / "flat" / "model.keras") as archive:
        text = archive.read("config.json").decode()
    assert not [word for word in NEW_WORDS[:4] if f'"{word}"' in text]


def test_regularisation_is_kept(tmp_path):
    write("flat", tmp_path / "flat")
    text = (tmp_path / "flat" / "model.json").read_text()
    loaded = keras.models.model_from_json(text)
    strengths = [
        float(layer.kernel_regularizer.l2)
        for layer in loaded.layers
        if getattr(layer, "kernel_regularizer", None)
    ]
    assert strengths
    assert strengths == pytest.approx([0.001] * len(strengths))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("networks")
    for name in CASES:
        write(name, folder / name.replace(" ", "_"))
    return sorted(map(str, folder.iterdir()))


def installed(requirement):
    """Folder that a package without its dependencies was installed into."""
    folder = INSTALLED / requirement.replace("==", "-")
    if not folder.is_dir():
        pip("--no-deps", "--target", folder, requirement)
    return str(folder)


def pip(*arguments, program=sys.executable):
    """Installs something, or skips the test."""
    done = run(program, "-m", "pip", "install", "--quiet", *arguments)
    if done.returncode:
        pytest.skip(f"pip has no {arguments[-1]}: {done.stderr[-300:]}")


def run(*command, **variables):
    """Runs a command to its end."""
    return subprocess.run(
        list(map(str, command)),
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )


def is_close(difference, tolerance):
    return isinstance(difference, float) and difference < (tolerance or 1e-5)


def check(done, version, *, without=()):
    """Every file of every network loaded and answered as it should."""
    assert done.returncode == 0, done.stderr[-2000:]
    loaded, found = json.loads(done.stdout.splitlines()[-1])
    assert loaded.startswith(version)
    wrong = {
        (pathlib.Path(folder).name, name): difference
        for folder, by_name in found.items()
        for name, difference in by_name.items()
        if name not in without
        and not is_close(difference, TOLERANCES.get(pathlib.Path(folder).name))
    }
    assert not wrong
    assert len(found) == len(CASES)


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.3.3", "3.6.0", "3.10.0", "3.13.0"])
def test_every_network_loads_in_older_keras(version, written):
    path = installed(f"keras=={version}")
    done = run(sys.executable, PROGRAM, "keras", *written, PYTHONPATH=path)
    check(done, version)


@pytest.mark.slow
def test_every_network_loads_in_this_keras(written):
    check(run(sys.executable, PROGRAM, "keras", *written), keras.__version__)


@pytest.mark.slow
def test_every_network_loads_in_tf_keras(written):
    path = installed("tf_keras==2.21.0")
    done = run(sys.executable, PROGRAM, "tf_keras", *written, PYTHONPATH=path)
    check(done, "2.21", without=("model.keras",))


@pytest.mark.slow
@pytest.mark.skipif(
    sys.version_info >= (3, 12), reason="TensorFlow 2.15 needs Python 3.11"
)
def test_every_network_loads_in_tensorflow_2_15(written):
    folder = INSTALLED / "tensorflow-2.15"
    program = folder / "bin" / "python"
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip("tensorflow-cpu==2.15.1", program=program)
        (folder / "ready").touch()
    check(
        run(program, PROGRAM, "keras", *written),
        "2.15",
        without=("model.keras",),
    )

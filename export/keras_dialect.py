"""A network told in words that old and new Keras understand.

Newer versions of Keras write settings that older ones refuse, at their default
too. Left out, they take that default everywhere. The classic dialect, that of
TensorFlow 2.15 and before, is read by Keras 3 as well; `.keras` files cannot
speak it, and are made lean alone. Which versions were tried: docs/devices.md.
"""

import inspect
import json
import pathlib
import zipfile
from typing import Any

import h5py
import keras

from trainer import json_files

# Written into classic files; what Keras looks at to know the dialect.
CLASSIC_VERSION = "2.15.0"
# Stay although they are at a default, which a user's own setup may move.
_KEPT = ("name", "trainable", "dtype", "data_format")
# What older versions call it.
_OLDER_NAMES = {"silu": "swish"}
_MODEL_CONFIG = "config.json"


def classic_architecture(model: keras.Model) -> dict[str, Any]:
    """Describes a functional model in the classic dialect.

    Args:
      model: flat and functional, with one input and one output.

    Returns:
      What `keras.models.model_from_json` takes as JSON.
    """
    config = {
        "name": model.name,
        "trainable": True,
        "layers": [
            _classic_layer(model.get_layer(described["name"]), described)
            for described in model.get_config()["layers"]
        ],
        **_ends(model),
    }
    return {
        "module": "keras",
        "class_name": "Model",
        "registered_name": "Model",
        "config": config,
        "keras_version": CLASSIC_VERSION,
        "backend": "tensorflow",
    }


def make_h5_classic(path: pathlib.Path, model: keras.Model) -> None:
    """Rewrites how a legacy HDF5 file tells its model; weights stay."""
    described = classic_architecture(model)
    with h5py.File(path, "r+") as file:
        for name in ("keras_version", "backend"):
            file.attrs[name] = described[name]
        file.attrs["model_config"] = json.dumps(described)


def make_keras_lean(path: pathlib.Path, model: keras.Model) -> None:
    """Leaves out of a `.keras` file what is at its default; weights stay."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    described = json_files.parse(members[_MODEL_CONFIG])
    described["config"] |= _ends(model)
    for layer in described["config"]["layers"]:
        layer["config"] = lean_config(model.get_layer(layer["name"]))
        layer.pop("build_config", None)
    members[_MODEL_CONFIG] = json.dumps(described).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def lean_config(layer: keras.layers.Layer) -> dict[str, Any]:
    """Returns a layer's settings without those at their defaults."""
    config = layer.get_config()
    if isinstance(layer, keras.layers.InputLayer):
        names = ("batch_shape", "dtype", "sparse", "name")
        return {name: config[name] for name in names}
    required = {
        name: config[name]
        for name, parameter in _parameters(layer).items()
        if parameter.default is inspect.Parameter.empty and name in config
    }
    default = type(layer)(**required).get_config()
    chosen = {
        name
        for name, value in config.items()
        if name in (*_KEPT, *required) or value != default.get(name)
    }
    # Some defaults depend on other settings, as strides do on a pool's size.
    again = type(layer).from_config({name: config[name] for name in chosen})
    chosen |= {
        name
        for name, value in again.get_config().items()
        if value != config[name]
    }
    return {name: _portable(config[name]) for name in config if name in chosen}


def _ends(model: keras.Model) -> dict[str, list]:
    """Input and output as lists of one, which every version takes."""
    return {
        "input_layers": [[model.layers[0].name, 0, 0]],
        "output_layers": [[model.output_names[0], 0, 0]],
    }


def _classic_layer(
    layer: keras.layers.Layer, described: dict[str, Any]
) -> dict[str, Any]:
    config = lean_config(layer)
    if "batch_shape" in config:
        config["batch_input_shape"] = config.pop("batch_shape")
        config["ragged"] = False
    return {
        "class_name": type(layer).__name__,
        "config": config,
        "name": layer.name,
        # A node for each call; no layer here is called twice.
        "inbound_nodes": [
            [[name, 0, 0, {}] for name in _sources(node["args"])]
            for node in described["inbound_nodes"]
        ],
    }


def _sources(value: Any) -> list[str]:
    """Names of the layers that the arguments of a call come from."""
    if isinstance(value, list | tuple):
        return [name for each in value for name in _sources(each)]
    return [value["config"]["keras_history"][0]]


def _parameters(layer: keras.layers.Layer) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(type(layer).__init__).parameters
    return {
        name: parameter
        for name, parameter in parameters.items()
        if name != "self"
        and parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    }


def _portable(value: Any) -> Any:
    """A setting as every version takes it."""
    if isinstance(value, dict) and value.get("class_name") == "DTypePolicy":
        return value["config"]["name"]
    if isinstance(value, dict) and "class_name" in value:
        config = {
            name: each
            for name, each in value["config"].items()
            if each is not None
        }
        return {"class_name": value["class_name"], "config": config}
    return _OLDER_NAMES.get(value, value) if isinstance(value, str) else value

"""Pretrained backbone weights: found, checked and put into our model."""

import pathlib
import zipfile
from types import ModuleType
from typing import Any

import numpy as np

from trainer import checkpoints
from trainer import earlier_runs
from trainer import released
from trainer.data import prepared
from trainer.models import BACKBONE_LAYER
from trainer.models import build_model
from trainer.models import efficientnet_lite
from trainer.models import head_layers
from trainer.models.applications import NETWORKS
from trainer.models.normalisation import LAYER_NAME
from trainer.settings.settings import Settings

# What Keras, HDF5 and numpy raise for files of another kind or network.
_MISFITS = (ValueError, OSError, KeyError, zipfile.BadZipFile)


class WeightsError(ValueError):
    """Weights cannot be had or do not fit; the text says what to do."""


def load_backbone_weights(
    model: Any, settings: Settings, keras: ModuleType
) -> None:
    """Fills the backbone of `model` as `settings.model.weights` says.

    Raises:
      WeightsError: a download failed, or a file or run is missing or of
        another network.
    """
    source = settings.model.weights
    if source == "none":
        return
    if source in released.NAMES:
        try:
            released.fill(model, source, settings.data.class_names)
        except released.ReleasedError as error:
            raise WeightsError(str(error)) from error
        return
    if source == "imagenet":
        _copy(_download(settings.model.backbone, keras), model)
        return
    path = pathlib.Path(source)
    if not path.exists():
        raise WeightsError(
            f"`weights`: there is no {path}; give the workdir of a finished "
            "run, a Keras weights file of the backbone without its top, "
            "`imagenet` or `none`"
        )
    run = earlier_runs.load(path) if path.is_dir() else None
    try:
        if run:
            _copy(_backbone_of(run.model, keras), model)
        elif path.suffix == ".npz":
            _fill_from_arrays(model, path)
        else:
            donor = _donor(settings, keras)
            donor.load_weights(path)
            _copy(donor, model)
        checkpoints.check_finite(model)
    except _MISFITS as error:
        raise WeightsError(
            f"`weights`: {path} does not fit {settings.model.backbone} "
            f"without its top: {str(error).splitlines()[0]}"
        ) from error


def check_source(settings: Settings, splits: dict[str, prepared.Split]) -> None:
    """Refuses weights of a run that saw what the new run is judged by.

    Raises:
      ValueError: the text says on how many examples it was trained.
    """
    path = pathlib.Path(settings.model.weights)
    if settings.model.weights in released.NAMES:
        if settings.data.dataset.split("/")[0] == released.TRAINED_ON:
            raise ValueError(
                f"--weights={path} was trained on {released.TRAINED_ON} and "
                "chosen by its validation split: figures of a run on it would "
                "be too high. Begin with --weights=none, or train on other data"
            )
        return
    # A folder may be called like one of the words.
    if settings.model.weights not in ("none", "imagenet") and path.is_dir():
        earlier_runs.check_apart(path, settings.data, splits)


def _application(name: str, weights: str | None, keras: ModuleType) -> Any:
    network = getattr(keras.applications, NETWORKS[name][0])
    return network(include_top=False, weights=weights)


def _download(name: str, keras: ModuleType) -> Any:
    try:
        return _application(name, "imagenet", keras)
    except Exception as error:  # Keras raises a bare Exception offline.
        raise WeightsError(
            f"the ImageNet weights of {name} could not be downloaded "
            f"({str(error).splitlines()[0]}). On a machine with a network "
            "type\n"
            f'  python -c "import keras; keras.applications.'
            f"{NETWORKS[name][0]}(include_top=False, weights='imagenet')."
            f"save_weights('{name}.weights.h5')\"\n"
            "bring the file here and add\n"
            f"  --weights={name}.weights.h5\n"
            "or train from random weights with\n"
            "  --weights=none"
        ) from error


def _donor(settings: Settings, keras: ModuleType) -> Any:
    """The stand-alone network whose weights a file holds."""
    name = settings.model.backbone
    if name in NETWORKS:
        return _application(name, None, keras)
    return _backbone_of(build_model(settings, 1, keras), keras)


def _backbone_of(model: Any, keras: ModuleType) -> Any:
    features = model.get_layer(BACKBONE_LAYER).output
    return keras.Model(model.inputs, features)


def _copy(donor: Any, model: Any) -> None:
    own = _own_layers(model)
    given = {layer.name for layer in donor.layers if layer.weights} - own
    for layer in model.layers:
        if layer.weights and layer.name not in own | given:
            raise ValueError(f"it has no layer {layer.name}")
    for name in given:
        model.get_layer(name).set_weights(donor.get_layer(name).get_weights())


def _fill_from_arrays(model: Any, path: pathlib.Path) -> None:
    """Fills EfficientNet-Lite0 from arrays under their PyTorch names."""
    if model.name != "efficientnet_lite0":
        raise ValueError("arrays (.npz) are read for efficientnet_lite0 alone")
    own = _own_layers(model)
    with np.load(path, allow_pickle=False) as arrays:
        for layer in model.layers:
            if layer.weights and layer.name not in own:
                layer.set_weights(
                    efficientnet_lite.weights_from_arrays(arrays, layer)
                )


def _own_layers(model: Any) -> set[str]:
    """Names of the layers that no pretrained backbone has."""
    return {layer.name for layer in head_layers(model)} | {LAYER_NAME}

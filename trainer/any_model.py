"""A model by its name: a run, a `.tflite` file, or a released one.

Describing one is quick; it is loaded only once it is to predict.
"""

import dataclasses
import os
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from edge import model_file
from edge.model_file import ModelFile
from trainer import checkpoints
from trainer import released
from trainer.evaluation import stored_runs
from trainer.settings import settings as settings_lib

Predict = Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class AnyModel:
    """What is known of a model before it is loaded.

    Attributes:
      name: as it was asked for.
      labels: K class names, in the order of the probabilities.
      image_size: height and width that it takes, in pixels.
      channels: 1 for grey, 3 for RGB.
      settings: those it was trained with; None where the file does not say.
      trained_on: `data` of the manifest of its run; empty where not known.
      temperature: fitted on validation by its run; None where not known.
      precision: what it computes in.
      load: returns a function images uint8 [n, S, S, C] in [0, 255] ->
        probabilities float32 [n, K]; raises ValueError where the model is
        damaged.
    """

    name: str
    labels: tuple[str, ...]
    image_size: int
    channels: int
    settings: settings_lib.Settings | None
    trained_on: dict[str, Any]
    temperature: float | None
    precision: str
    load: Callable[[], Predict]


def describe(name: str | os.PathLike) -> AnyModel:
    """Finds a model and reads what is said of it.

    Args:
      name: the workdir of a finished run, a `.tflite` file that `python -m
        export` wrote, or the name of a released model.

    Raises:
      checkpoints.WorkdirError: the folder holds no finished run.
      edge.model_file.ModelFileError: the file cannot be used.
      json_files.DamagedFileError: a file of the run cannot be read.
    """
    name = os.fspath(name)
    if pathlib.Path(name).is_dir() and name not in released.NAMES:
        return _of_run(pathlib.Path(name))
    path = model_file.choose_model(name)
    if not pathlib.Path(path).exists():
        raise model_file.ModelFileError(
            f"there is no {name}; give the folder of a finished run, a .tflite "
            f"file that `python -m export` wrote, or "
            f"{' or '.join(released.NAMES)}"
        )
    return _of_file(name, path, model_file.read_model_file(path))


def recorded(metadata: dict[str, Any]) -> settings_lib.Settings | None:
    """Returns the settings in the metadata of a file, None without such."""
    try:
        return settings_lib.from_groups(metadata.get("settings"))
    except ValueError:
        return None


def _of_run(workdir: pathlib.Path) -> AnyModel:
    checkpoints.check_finished(workdir)
    settings = stored_runs.read_settings(workdir)
    metrics = stored_runs.read_metrics(workdir)
    validation = metrics.get("validation")
    return AnyModel(
        name=os.fspath(workdir),
        labels=settings.data.class_names,
        image_size=settings.data.image_size,
        channels=settings.data.channels,
        settings=settings,
        trained_on=stored_runs.read_manifest(workdir)["data"],
        temperature=validation and validation.values["temperature"],
        precision="float32",
        load=lambda: _load_run(workdir),
    )


def _load_run(workdir: pathlib.Path) -> Predict:
    import tensorflow as tf

    from trainer import earlier_runs
    from trainer import loop

    run = earlier_runs.load(workdir)
    return loop.make_predict_call(run.model, tf.distribute.get_strategy())


def _of_file(name: str, path: str, file: ModelFile) -> AnyModel:
    trained_on = file.metadata.get("data")
    return AnyModel(
        name=name,
        labels=file.labels,
        image_size=file.metadata["image_size"],
        channels=file.metadata["channels"],
        settings=recorded(file.metadata),
        trained_on=trained_on if isinstance(trained_on, dict) else {},
        temperature=None,
        precision=f"{file.metadata.get('recipe', 'unknown')} in LiteRT",
        load=lambda: _load_file(path),
    )


def _load_file(path: str) -> Predict:
    from edge.classifier import Classifier
    from trainer.data.stored import Stored

    classifier = Classifier(path)

    def predict(images: np.ndarray | Stored) -> np.ndarray:
        parts = images.parts() if isinstance(images, Stored) else [images]
        return np.concatenate([classifier.probabilities(p) for p in parts])

    return predict

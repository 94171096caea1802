"""Smaller networks by training: pruning, clustering, training for int8.

TensorFlow's model-optimization toolkit works on another generation of Keras
than ours, so `export.compression.worker` does the work in a process of its own;
this module sends it weights and images, and checks what comes back. Never
imports the toolkit.
"""

import dataclasses
import functools
import importlib.metadata
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import Any

import keras
import numpy as np

from export import artifacts
from export import tflite
from export.compression import check
from export.compression import targets as compression_targets
from export.compression.check import CompressionError
from export.compression.exchange import CompressionFiles
from export.compression.options import VARIANTS
from export.compression.options import CompressionOptions
from export.representative_data import Calibration
from trainer import optimizers
from trainer.checkpoints import FinishedRun
from trainer.data.prepared import Split
from trainer.models import build_model

# What the worker prints for a person begins with this; the rest is a log.
PROGRESS = "compress: "
LOG_LINES_SHOWN = 20
WORKER = "export.compression.worker"


@dataclasses.dataclass(frozen=True)
class Job:
    """What is compressed, and on which images.

    Attributes:
      run: the trained model; it is not changed.
      splits: `train` to fine-tune on, `validation` to watch it.
      chosen: the calibration images.
      options: how it is trained.
      recipes: the files to make of variants without `qat`.
      io: input and output dtype of an integer file.
    """

    run: FinishedRun
    splits: dict[str, Split]
    chosen: Calibration
    options: CompressionOptions
    recipes: tuple[str, ...]
    io: str

    @functools.cached_property
    def targets(self) -> np.ndarray:
        """What is trained on, float32 [n, K]; found once for all variants."""
        return compression_targets.find(self.run, self.splits)


def write_variant(
    job: Job, variant: str, folder: pathlib.Path
) -> dict[str, dict[str, Any]]:
    """Compresses the trained model and writes its `.tflite` files.

    A variant with `qat` becomes one int8 file; the others change the weights
    alone and are converted by every recipe.

    Args:
      job: the model, the images and how to train.
      variant: of `compression_options.VARIANTS`.
      folder: where the files go.

    Returns:
      `{file name: what is recorded of it}`.

    Raises:
      CompressionError: the worker failed, or what came back is not what was
        asked for.
      tflite.ConversionError: as `tflite.write_tflite_files`.
      ValueError: as `compression_targets.find`, before anything is trained.
    """
    with tempfile.TemporaryDirectory() as scratch:
        files = CompressionFiles(pathlib.Path(scratch))
        _write_inputs(files, job, variant)
        _run_worker(files, variant)
        live = job.run.model.predict(
            job.chosen.images.astype(np.float32), verbose=0
        )
        check.check_same_start(live, files.read_predictions("before"))
        metadata = _describe(job, variant, files)
        if "qat" in VARIANTS[variant]:
            recorded = _write_trained_file(
                job, variant, folder, files=files, metadata=metadata
            )
        else:
            recorded = _convert_weights(
                job, variant, folder, files=files, metadata=metadata
            )
        after = files.read_predictions("after")
    images = job.splits["validation"].images
    for name, record in recorded.items():
        path = folder / name
        check.check_predictions(path, images, after)
        record["measured"] = check.check_effect(path, variant, job.options)
    return recorded


def _write_inputs(files: CompressionFiles, job: Job, variant: str) -> None:
    """Everything that the worker reads."""
    run, train_split = job.run, job.splits["train"]
    settings, options = run.settings, job.options
    batch = settings.training.batch_size
    if batch > len(train_split.labels):
        raise CompressionError(
            f"the run's `batch_size` {batch} is larger than its training "
            f"split of {len(train_split.labels)} images"
        )
    weights = optimizers.class_weights(
        settings.target.class_weights, train_split.labels, len(run.class_names)
    )
    files.write_request(
        {
            "settings": dataclasses.asdict(settings),
            "steps": VARIANTS[variant],
            "class_weights": weights.tolist(),
            "epochs": options.epochs,
            "learning_rate": options.learning_rate,
            "sparsity": options.sparsity,
            "clusters": options.clusters,
            "io": job.io,
            "progress": PROGRESS,
        }
    )
    files.write_weights(run.model.get_weights())
    files.write_data(
        {
            "train_images": train_split.images,
            "train_targets": job.targets,
            "validation_images": job.splits["validation"].images,
            "validation_labels": job.splits["validation"].labels,
            "calibration_images": job.chosen.images,
        }
    )


def _run_worker(files: CompressionFiles, variant: str) -> None:
    """Runs the child process; passes on what it says to a person."""
    root = pathlib.Path(__file__).parents[2]
    paths = [str(root), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "TF_USE_LEGACY_KERAS": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    }
    command = [sys.executable, "-m", WORKER, str(files.folder)]
    lines = []
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as child:
        try:
            for line in child.stdout:
                lines.append(line.rstrip())
                if line.startswith(PROGRESS):
                    print(f"  {lines[-1].removeprefix(PROGRESS)}", flush=True)
        except BaseException:
            child.kill()
            raise
    if child.returncode:
        raise CompressionError(
            f"`compress={variant}` failed in its process (exit code "
            f"{child.returncode}). What can be had without it: --recipes=int8 "
            "or int16x8, which quantise after training. Its last lines:\n  "
            + "\n  ".join(lines[-LOG_LINES_SHOWN:])
        )


def _describe(
    job: Job, variant: str, files: CompressionFiles
) -> dict[str, Any]:
    """What every file of a variant says of itself."""
    options, steps = job.options, VARIANTS[variant]
    training = {
        "steps": list(steps),
        "epochs_each": options.epochs,
        "learning_rate": options.learning_rate,
        "libraries": {
            name: importlib.metadata.version(name.replace("_", "-"))
            for name in check.LIBRARIES
        },
        **files.read_result(),
    }
    if "prune" in steps:
        training["sparsity"] = options.sparsity
    if "cluster" in steps:
        training["clusters"] = options.clusters
    return {**artifacts.describe(job.run), "compression_training": training}


def _file_variant(variant: str) -> str:
    return variant.replace("+", "_")


def _write_trained_file(
    job: Job,
    variant: str,
    folder: pathlib.Path,
    *,
    files: CompressionFiles,
    metadata: dict[str, Any],
) -> dict[str, dict[str, Any]]:
    """The int8 file that the worker converted itself."""
    name = tflite.file_name("int8", _file_variant(variant))
    record = tflite.describe(
        "int8", job.io, job.chosen, variant=_file_variant(variant)
    )
    tflite.write_checked(
        folder / name,
        files.read_model(),
        job.run.class_names,
        metadata={**metadata, **record},
    )
    return {name: record}


def _convert_weights(
    job: Job,
    variant: str,
    folder: pathlib.Path,
    *,
    files: CompressionFiles,
    metadata: dict[str, Any],
) -> dict[str, dict[str, Any]]:
    """Our own network with the weights that came back, by each recipe."""
    run, weights = job.run, files.read_weights()
    check.check_weights(run.model.get_weights(), weights)
    model = build_model(run.settings, len(run.class_names), keras)
    model.set_weights(weights)
    return tflite.write_tflite_files(
        dataclasses.replace(run, model=model),
        folder,
        job.chosen,
        metadata=metadata,
        recipes=job.recipes,
        io=job.io,
        variant=_file_variant(variant),
    )

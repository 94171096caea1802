"""Can it be compressed, and is what came back what was asked for?

Refuses before anything is trained; afterwards looks into the files
themselves, since a mask that was lost or a value that was not shared leaves
no other trace. Starts no process and writes nothing.
"""

import importlib.util
import pathlib

import numpy as np

from edge import classifier as runtime
from export.compression.options import VARIANTS
from export.compression.options import CompressionOptions
from export.measure import flatbuffer
from trainer import run_folder
from trainer.settings.settings import Settings
from trainer.settings.targets_and_training import TargetSettings

LIBRARIES = ("tf_keras", "tensorflow_model_optimization")
# Activations whose output the toolkit cannot give an 8-bit range.
UNQUANTISABLE = ("elu",)
# Without any of them a folder is no finished run.
TEACHER_FILES = (
    run_folder.SETTINGS,
    run_folder.MANIFEST,
    run_folder.BEST_WEIGHTS,
    run_folder.METRICS,
)
# Two generations of Keras sum in different orders: 3e-8 was seen on ImageNet
# networks, 1e-6 on ours.
SAME_MODEL = 1e-3
# The int8 file against the training that imitated it, and float files against
# the network they were converted from.
LEAST_AGREEMENT = {"int8": 0.95, "int16x8": 0.95, "dynamic": 0.95}
FLOAT_AGREEMENT = 0.99
# Of the sparsity that was asked for: thresholds meet ties and whole numbers.
SPARSITY_SLACK = 0.01


class CompressionError(ValueError):
    """A network cannot be compressed, or what came back is wrong."""


def check(
    settings: Settings, options: CompressionOptions, workdir: pathlib.Path
) -> None:
    """Refuses what cannot be done, before any image is read.

    Args:
      settings: of the run.
      options: which variants to make; without any, nothing is refused.
      workdir: of the run, which may have kept what its teachers predicted.

    Raises:
      CompressionError: says what to do instead.
    """
    if not options.variants:
        return
    unknown = [name for name in options.variants if name not in VARIANTS]
    if unknown:
        raise CompressionError(
            f"`compress` must be of {', '.join(VARIANTS)}; received "
            f"{', '.join(unknown)}"
        )
    missing = [n for n in LIBRARIES if importlib.util.find_spec(n) is None]
    if missing:
        raise CompressionError(
            f"`compress` needs {' and '.join(missing)}, which are not "
            "installed here: pip install -r requirements.lock. Without them "
            "--recipes=int8 quantises after training"
        )
    activation = settings.model.head_activation
    has_qat = any("qat" in VARIANTS[name] for name in options.variants)
    if has_qat and settings.model.head_units and activation in UNQUANTISABLE:
        raise CompressionError(
            f"`compress=qat` knows no 8-bit `head_activation={activation}`: "
            "train with --head_activation=relu, or quantise after training "
            "with --recipes=int8 or int16x8"
        )
    if kept_targets(settings.target, workdir) is None:
        check_teachers(settings.target)


def kept_targets(
    target: TargetSettings, workdir: pathlib.Path
) -> pathlib.Path | None:
    """Returns the file that holds a taught run's targets, if it kept one.

    Args:
      target: of the run; without teachers, or with teachers that were asked
        on every batch, nothing was kept that belongs to it.
      workdir: of the run.
    """
    path = workdir / run_folder.TARGETS
    is_kept = target.distill_from and target.distill_views and path.exists()
    return path if is_kept else None


def check_teachers(target: TargetSettings) -> None:
    """Refuses a run some of whose teachers are not there to be asked.

    Not needed where the run has kept what they predicted.

    Args:
      target: of the run; without `distill_from` nothing is refused.

    Raises:
      CompressionError: says which files are missing and what to do.
    """
    missing = list(filter(None, map(_first_missing_file, target.distill_from)))
    if missing:
        kept = ""
        if target.distill_views:
            kept = f", or the run's own {run_folder.TARGETS} into its workdir"
        raise CompressionError(
            "`compress` trains on what the run's teachers predict, and they "
            f"cannot be asked without {', '.join(missing)}. Put the teacher's "
            f"folder back there{kept}; or quantise after training with "
            "--recipes=int8 or int16x8, which needs no teacher"
        )


def _first_missing_file(workdir: str) -> str | None:
    """Of what a finished run holds; None where all of it is there."""
    paths = [pathlib.Path(workdir) / name for name in TEACHER_FILES]
    return next((str(path) for path in paths if not path.is_file()), None)


def check_same_start(live: np.ndarray, rebuilt: np.ndarray) -> None:
    """Compares the network before compression in both generations of Keras.

    Args:
      live: float32 [n, K], predictions of the trained model.
      rebuilt: float32 [n, K], those of the copy that was compressed.

    Raises:
      CompressionError: the copy is another network.
    """
    difference = float(np.abs(live - rebuilt).max())
    if not difference <= SAME_MODEL:
        raise CompressionError(
            "the copy that was compressed is not the trained model: its "
            f"predictions differ by {difference:.1e}. Report this: the two "
            "generations of Keras build different networks"
        )


def check_weights(before: list[np.ndarray], after: list[np.ndarray]) -> None:
    """Refuses weights that are not the network's, or not numbers.

    Raises:
      CompressionError: another shape, infinite or NaN.
    """
    if [w.shape for w in before] != [w.shape for w in after]:
        raise CompressionError("the weights that came back have other shapes")
    if not all(np.isfinite(weight).all() for weight in after):
        raise CompressionError(
            "the weights that came back are not finite: lower "
            "--compress_learning_rate"
        )


def check_predictions(
    path: pathlib.Path, images: np.ndarray, expected: np.ndarray
) -> float:
    """Compares a file's predictions with those of the training process.

    Args:
      path: a `.tflite` of the export.
      images: uint8 [n, S, S, C].
      expected: float32 [n, K].

    Returns:
      The top-1 agreement, in [0, 1].

    Raises:
      CompressionError: the conversion lost what the training had found.
    """
    model = runtime.Classifier(path)
    recipe = model.metadata["recipe"]
    predicted = model.probabilities(images).argmax(axis=1)
    agreement = float(np.mean(predicted == expected.argmax(axis=1)))
    # One image of a few is more than any slack.
    least = LEAST_AGREEMENT.get(recipe, FLOAT_AGREEMENT) - 1 / len(images)
    if agreement < least:
        raise CompressionError(
            f"{path.name} predicts {100 * agreement:.1f}% of the images as the "
            "network it was converted from; the conversion lost the rest. "
            "Train longer with --compress_epochs, or use --recipes=int8"
        )
    return agreement


def measure(path: pathlib.Path) -> dict[str, float]:
    """Looks for zeros and shared values in a file's kernels.

    The first and the last are not looked at: they are never compressed.

    Args:
      path: a `.tflite`.

    Returns:
      `sparsity`: fraction of zeros, in [0, 1]; `values`: most different values
      in one kernel (float) or one of its channels (integer).
    """
    content = path.read_bytes()
    found = list(flatbuffer.kernels(content).values())[1:-1] or [np.zeros(1)]
    zeros = sum(int(np.sum(kernel == 0)) for kernel in found)
    total = sum(kernel.size for kernel in found)
    values = [len(np.unique(channel)) for kernel in found for channel in kernel]
    return {"sparsity": zeros / total, "values": max(values)}


def check_effect(
    path: pathlib.Path, variant: str, options: CompressionOptions
) -> dict[str, float]:
    """Checks that pruning left zeros and clustering few values.

    Returns:
      What `measure` found.

    Raises:
      CompressionError: it did not.
    """
    found, steps = measure(path), VARIANTS[variant]
    least = options.sparsity - SPARSITY_SLACK
    if "prune" in steps and found["sparsity"] < least:
        raise CompressionError(
            f"{path.name} has {100 * found['sparsity']:.1f}% zeros, asked for "
            f"were {100 * options.sparsity:.1f}%; give more --compress_epochs"
        )
    if "cluster" in steps and found["values"] > options.clusters:
        raise CompressionError(
            f"{path.name} has a kernel of {found['values']} values, asked for "
            f"were {options.clusters}; give more --compress_epochs"
        )
    return found

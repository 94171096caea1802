"""The gate: every artefact answers the same pictures as the trained model.

Each file is loaded anew, the way a user would load it (`.tflite` through
`edge.classifier`), and compared with the live model on validation images.
Measures and judges; whoever calls decides what becomes of the files.
"""

import dataclasses
import math
import pathlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from edge import classifier as runtime
from export import artifacts
from export import tflite
from trainer.checkpoints import Run
from trainer.records import Split

BATCH = 256
# A class the trained model gives this often must not vanish from an artefact;
# one that it gives once may fall to a single picture on the boundary.
VANISHED_FROM = 2

Predict = Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Bounds:
    """What an artefact may differ by.

    Attributes:
      float_difference: largest difference of a probability, float files.
      float_agreement: least share of equal answers, in [0, 1], float files.
      int8_agreement: the same for quantised files.
      accuracy_loss_points: most accuracy lost, in percentage points.
    """

    float_difference: float = 1e-4
    float_agreement: float = 0.999
    int8_agreement: float = 0.98
    accuracy_loss_points: float = 0.5


def measure(run: Run, folder: pathlib.Path, split: Split, bounds: Bounds):
    """Compares every artefact in a folder with the live model.

    Args:
      run: the trained model.
      folder: what the exporter wrote.
      split: the pictures to compare on, with their labels.
      bounds: what an artefact may differ by.

    Returns:
      The content of parity.json, as plain JSON values: `images`,
      `trained_model`, `artefacts` (a list of `compare` results), `bounds`,
      `passed`.
    """
    images = split.images
    reference = live_model(run)(images)
    quantised = {tflite.file_name(recipe) for recipe in tflite.QUANTISED}
    results = []
    for name, predict in load_artefacts(folder, run).items():
        result = compare(
            split.labels,
            reference,
            predict(images),
            bounds=bounds,
            is_quantised=name in quantised,
        )
        results.append({"artefact": name, **result})
    return {
        "images": len(images),
        "trained_model": _describe_reference(split.labels, reference, run),
        "artefacts": results,
        "bounds": dataclasses.asdict(bounds),
        "passed": all(result["passed"] for result in results),
    }


def compare(
    labels: np.ndarray,
    reference: np.ndarray,
    candidate: np.ndarray,
    *,
    bounds: Bounds,
    is_quantised: bool,
) -> dict[str, Any]:
    """Compares one artefact's answers with the trained model's.

    One picture is always allowed to change, since with few pictures it
    alone is more than the bounds; the difference of probabilities is not
    relaxed.

    Args:
      labels: int [n], the right answers.
      reference: float32 [n, K], probabilities of the trained model.
      candidate: float32 [n, K], probabilities of the artefact.
      bounds: what may differ.
      is_quantised: whether the bounds of int8 files apply.

    Returns:
      Figures, `failures` (reasons in words) and `passed`.
    """
    if candidate.shape != reference.shape or not np.isfinite(candidate).all():
        reason = f"answers are not {list(reference.shape)} finite numbers"
        return {"failures": [reason], "passed": False}
    expected, answered = reference.argmax(axis=1), candidate.argmax(axis=1)
    count = len(labels)
    accuracy = float(np.mean(answered == labels))
    reference_accuracy = float(np.mean(expected == labels))
    figures = {
        "agreement": float(np.mean(answered == expected)),
        "accuracy": accuracy,
        "trained_accuracy": reference_accuracy,
        "accuracy_difference_points": 100 * (accuracy - reference_accuracy),
        "largest_probability_difference": float(
            np.abs(candidate - reference).max()
        ),
        "classes_predicted": len(np.unique(answered)),
        "classes_vanished": _vanished(expected, answered, reference.shape[1]),
    }
    failures = _failures(figures, count, bounds, is_quantised)
    return {**figures, "failures": failures, "passed": not failures}


def load_artefacts(folder: pathlib.Path, run: Run) -> dict[str, Predict]:
    """Loads each artefact present; name -> uint8 [n, S, S, C] -> [n, K]."""
    saved = str(folder / artifacts.SAVED_MODEL)
    signatures = tf.saved_model.load(saved).signatures
    by_pixels = signatures[artifacts.PIXELS_SIGNATURE]
    by_bytes = signatures[artifacts.BYTES_SIGNATURE]

    def predict_pixels(images):
        pixels = tf.constant(images, tf.float32)
        return by_pixels(pixels=pixels)["probabilities"].numpy()

    def predict_bytes(images):
        encoded = tf.stack([tf.io.encode_png(image) for image in images])
        return by_bytes(encoded=encoded)["probabilities"].numpy()

    predictors = {
        f"{artifacts.SAVED_MODEL} (pixels)": _in_batches(predict_pixels),
        f"{artifacts.SAVED_MODEL} (image bytes)": _in_batches(predict_bytes),
    }
    for name in (artifacts.KERAS, artifacts.H5):
        model = keras.models.load_model(folder / name, compile=False)
        predictors[name] = _keras_predict(model)
    for recipe in tflite.RECIPES:
        path = folder / tflite.file_name(recipe)
        if path.exists():
            model = runtime.Classifier(path)
            if model.labels != run.class_names:
                raise ValueError(f"{path.name} carries labels {model.labels}")
            predictors[path.name] = model.probabilities
    return predictors


def live_model(run: Run) -> Predict:
    """Returns the trained model as uint8 [n, S, S, C] -> float32 [n, K]."""
    return _keras_predict(run.model)


def as_table(report: dict[str, Any]) -> str:
    """Returns a parity report as lines of text for a person."""
    trained = report["trained_model"]
    lines = [
        f"parity on {report['images']} validation images; the trained model "
        f"has accuracy {100 * trained['accuracy']:.2f}% and answers "
        f"{trained['classes_predicted']} classes",
        f"{'artefact':26s} {'agrees':>8s} {'accuracy':>9s} {'points':>7s} "
        f"{'largest diff.':>13s} {'classes':>7s}  verdict",
    ]
    for result in report["artefacts"]:
        lines.append(_row(result))
        lines += [f"    {reason}" for reason in result["failures"]]
    if trained["warning"]:
        lines.append(f"WARNING: {trained['warning']}")
    return "\n".join(lines)


def _row(result):
    verdict = "pass" if result["passed"] else "FAIL"
    if "agreement" not in result:
        return f"{result['artefact']:26s} {verdict:>75s}"
    return (
        f"{result['artefact']:26s} {100 * result['agreement']:7.2f}% "
        f"{100 * result['accuracy']:8.2f}% "
        f"{result['accuracy_difference_points']:+7.2f} "
        f"{result['largest_probability_difference']:13.1e} "
        f"{result['classes_predicted']:7d}  {verdict}"
    )


def _failures(figures, count, bounds, is_quantised):
    """The bounds that were broken, in words."""
    least = bounds.int8_agreement if is_quantised else bounds.float_agreement
    changed = round((1 - figures["agreement"]) * count)
    allowed = max(1, math.floor((1 - least) * count + 1e-9))
    lost = -figures["accuracy_difference_points"]
    loss_allowed = max(bounds.accuracy_loss_points, 100 / count)
    difference = figures["largest_probability_difference"]
    failures = []
    if figures["classes_vanished"]:
        failures.append(
            "collapse: never answers classes "
            f"{figures['classes_vanished']}, which the trained model does"
        )
    if changed > allowed:
        failures.append(
            f"agreement: {changed} of {count} answers changed, allowed are "
            f"{allowed} (least agreement {100 * least:g}%)"
        )
    if lost > loss_allowed + 1e-9:
        failures.append(
            f"accuracy: {lost:.2f} points lost, allowed are {loss_allowed:.2f}"
        )
    if not is_quantised and difference > bounds.float_difference:
        failures.append(
            f"probabilities: differ by {difference:.1e}, allowed are "
            f"{bounds.float_difference:.1e}"
        )
    return failures


def _vanished(expected, answered, num_classes):
    """Label ids that the model gives and the artefact never does."""
    before = np.bincount(expected, minlength=num_classes)
    after = np.bincount(answered, minlength=num_classes)
    return np.flatnonzero((before >= VANISHED_FROM) & (after == 0)).tolist()


def _describe_reference(labels, reference, run):
    answered = reference.argmax(axis=1)
    classes = np.unique(answered)
    warning = None
    if len(classes) == 1 and len(np.unique(labels)) > 1:
        warning = (
            "the trained model itself answers only "
            f"`{run.class_names[classes[0]]}`; agreement with it proves "
            "little. Train it longer before exporting"
        )
    return {
        "accuracy": float(np.mean(answered == labels)),
        "classes_predicted": len(classes),
        "warning": warning,
    }


def _keras_predict(model) -> Predict:
    # Without a signature the shorter last batch would be traced anew.
    signature = [tf.TensorSpec(model.input_shape, tf.float32)]
    call = tf.function(
        lambda pixels: model(pixels, training=False), input_signature=signature
    )
    return _in_batches(
        lambda images: call(tf.constant(images, tf.float32)).numpy()
    )


def _in_batches(predict: Predict) -> Predict:
    """Bounds the memory that thousands of pictures take."""

    def predict_all(images):
        starts = range(0, len(images), BATCH)
        return np.concatenate([predict(images[i : i + BATCH]) for i in starts])

    return predict_all

"""The gate: every artefact predicts the same images as the trained model.

Each file is loaded anew, the way a user would load it, and compared with the
live model on validation images: `.tflite` through `edge.classifier`, with the
XNNPACK delegate and without. Measures and judges by `export.agreement`;
whoever calls decides what becomes of the files.
"""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from edge import classifier as runtime
from export import agreement
from export import artifacts
from export.bounds import COMPRESSED
from export.bounds import Bounds
from trainer.batches import PREDICT_BATCH_SIZE as BATCH
from trainer.checkpoints import FinishedRun
from trainer.data.prepared import Split
from trainer.evaluation import calibration
from trainer.evaluation import metrics
from trainer.evaluation import undertrained

# Added to a `.tflite`'s name where it ran without the XNNPACK delegate.
BUILT_IN = " (built-in kernels)"

Predict = Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Artefact:
    """One way from images to predictions.

    Attributes:
      name: of the file, and of the way where there are two.
      kind: how strictly it is judged, for `Bounds`.
      predict: uint8 [n, S, S, C] -> float32 [n, K].
    """

    name: str
    kind: str
    predict: Predict


def measure(
    run: FinishedRun,
    folder: pathlib.Path,
    split: Split,
    *,
    reference: np.ndarray,
    bounds: Bounds,
) -> dict[str, Any]:
    """Compares every artefact in a folder with the live model.

    Args:
      run: the trained model.
      folder: what the exporter wrote.
      split: the images to compare on, with their labels.
      reference: float32 [n, K], what `live_model` answers to them.
      bounds: what an artefact may differ by.

    Returns:
      The content of parity.json, as plain JSON values: `images`,
      `trained_model`, `artefacts` (a list of `agreement.compare` results, with
      the expected calibration error `ece` in [0, 1]),
      `bounds`, `passed`.
    """
    results = []
    for artefact in load_artefacts(folder, run):
        predicted = artefact.predict(split.images)
        result = agreement.compare(
            split.labels,
            reference,
            predicted,
            bounds=bounds,
            kind=artefact.kind,
            names=run.class_names,
        )
        if "agreement" in result:
            found = calibration.reliability(split.labels, predicted)
            result["ece"] = found["ece"]
        row = {"artefact": artefact.name, "kind": artefact.kind, **result}
        results.append(row)
    return {
        "images": len(split.labels),
        "trained_model": describe_trained(split.labels, reference, run),
        "artefacts": results,
        "bounds": dataclasses.asdict(bounds),
        "passed": all(result["passed"] for result in results),
    }


def load_artefacts(folder: pathlib.Path, run: FinishedRun) -> list[Artefact]:
    """Loads each artefact present, the way a user would.

    Raises:
      ValueError: a `.tflite` carries other labels than the run has.
    """
    ways = {**_saved_model(folder), **_keras_files(folder)}
    artefacts = [Artefact(name, "float32", ways[name]) for name in ways]
    for path in sorted(folder.glob("*.tflite")):
        for suffix, use_xnnpack in (("", True), (BUILT_IN, False)):
            model = runtime.Classifier(path, use_xnnpack=use_xnnpack)
            if model.labels != run.class_names:
                raise ValueError(f"{path.name} carries labels {model.labels}")
            artefacts.append(
                Artefact(path.name + suffix, _kind(model), model.probabilities)
            )
    return artefacts


def live_model(run: FinishedRun) -> Predict:
    """Returns the trained model as uint8 [n, S, S, C] -> float32 [n, K]."""
    return _keras_predict(run.model)


def describe_trained(
    labels: np.ndarray, reference: np.ndarray, run: FinishedRun
) -> dict[str, Any]:
    """Describes the trained model that artefacts are compared with.

    Args:
      labels: int [n], the true classes.
      reference: float32 [n, K], what `live_model` answers.
      run: the trained model.

    Returns:
      `quick_metrics`, `classes_predicted`, and `warning` and `undecided`: why
      it makes a poor reference, or None.
    """
    evaluated = metrics.evaluate_probabilities(
        labels, reference, run.class_names
    )
    return {
        **metrics.quick_metrics(labels, reference),
        "classes_predicted": evaluated["predicted_classes"],
        "warning": undertrained.learned_nothing(evaluated) or None,
        "undecided": undertrained.is_undecided(reference) or None,
    }


def as_table(report: dict[str, Any]) -> str:
    """Returns a parity report as lines of text for a person."""
    trained = report["trained_model"]
    lines = [
        f"parity on {report['images']} validation images; the trained model "
        f"has accuracy {100 * trained['accuracy']:.2f}% and predicts "
        f"{trained['classes_predicted']} classes",
        f"{'artefact':40s} {'agrees':>8s} {'accuracy':>9s} "
        f"{'points (95%)':>22s} {'F1 points (95%)':>22s} "
        f"{'worst recall':>12s} {'largest diff.':>13s} {'ECE':>6s} "
        f"{'classes':>7s}  "
        "verdict",
    ]
    for result in report["artefacts"]:
        lines.append(_row(result))
        lines += [f"    {reason}" for reason in result["failures"]]
    return "\n".join(lines)


def _row(result: dict[str, Any]) -> str:
    verdict = "pass" if result["passed"] else "FAIL"
    if "agreement" not in result:
        return f"{result['artefact']:40s} {verdict:>109s}"
    return (
        f"{result['artefact']:40s} {100 * result['agreement']:7.2f}% "
        f"{100 * result['accuracy']:8.2f}% "
        f"{_points(result, 'accuracy')} {_points(result, 'macro_f1')} "
        f"{min(result['recall_difference_points'].values()):+12.2f} "
        f"{result['largest_probability_difference']:13.1e} "
        f"{100 * result['ece']:5.1f}% "
        f"{result['classes_predicted']:7d}  {verdict}"
    )


def _points(result: dict[str, Any], metric: str) -> str:
    low, high = result[f"{metric}_difference_interval"]
    points = result[f"{metric}_difference_points"]
    return f"{f'{points:+.2f} ({low:+.2f} to {high:+.2f})':>22s}"


def _kind(model: runtime.Classifier) -> str:
    if "compression" in model.metadata:
        return COMPRESSED
    return model.metadata["recipe"]


def _saved_model(folder: pathlib.Path) -> dict[str, Predict]:
    saved = str(folder / artifacts.SAVED_MODEL)
    signatures = tf.saved_model.load(saved).signatures
    by_pixels = signatures[artifacts.PIXELS_SIGNATURE]
    by_bytes = signatures[artifacts.BYTES_SIGNATURE]

    def predict_pixels(images: np.ndarray) -> np.ndarray:
        pixels = tf.constant(images, tf.float32)
        return by_pixels(pixels=pixels)["probabilities"].numpy()

    def predict_bytes(images: np.ndarray) -> np.ndarray:
        encoded = tf.stack([tf.io.encode_png(image) for image in images])
        return by_bytes(encoded=encoded)["probabilities"].numpy()

    return {
        f"{artifacts.SAVED_MODEL} (pixels)": _in_batches(predict_pixels),
        f"{artifacts.SAVED_MODEL} (image bytes)": _in_batches(predict_bytes),
    }


def _keras_files(folder: pathlib.Path) -> dict[str, Predict]:
    """Predictions of the Keras files; code inside a file is never executed."""

    def load(name: str) -> keras.Model:
        # `safe_mode` refuses layers that carry Python code.
        return keras.models.load_model(
            folder / name, compile=False, safe_mode=True
        )

    models = {name: load(name) for name in (artifacts.KERAS, artifacts.H5)}
    text = (folder / artifacts.ARCHITECTURE).read_text(encoding="utf-8")
    rebuilt = keras.models.model_from_json(text)
    rebuilt.load_weights(folder / artifacts.H5)
    models[artifacts.ARCHITECTURE] = rebuilt
    return {name: _keras_predict(model) for name, model in models.items()}


def _keras_predict(model: keras.Model) -> Predict:
    # Without a signature the shorter last batch would be traced anew.
    signature = [tf.TensorSpec(model.input_shape, tf.float32)]
    call = tf.function(
        lambda pixels: model(pixels, training=False), input_signature=signature
    )
    return _in_batches(
        lambda images: call(tf.constant(images, tf.float32)).numpy()
    )


def _in_batches(predict: Predict) -> Predict:
    """Bounds the memory that thousands of images take."""

    def predict_all(images: np.ndarray) -> np.ndarray:
        starts = range(0, len(images), BATCH)
        return np.concatenate([predict(images[i : i + BATCH]) for i in starts])

    return predict_all

"""From predictions to metrics: metrics.json, robustness.json, report.html."""

import dataclasses
import json
import math
import pathlib
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from trainer import files
from trainer import run_folder
from trainer.data.prepared import Split
from trainer.evaluation import calibration
from trainer.evaluation import metrics
from trainer.evaluation import predictions as predictions_lib
from trainer.evaluation import stored_runs
from trainer.evaluation import subgroups
from trainer.evaluation import train_overlap
from trainer.settings import cli_flags
from trainer.settings.settings import Settings


def validation_metrics(labels: np.ndarray, probabilities: np.ndarray) -> dict:
    """Returns the validation metrics that every epoch is judged by.

    Args:
      labels: int [n].
      probabilities: float32 [n, K].
    """
    quick = metrics.quick_metrics(labels, probabilities)
    return {
        "val_loss": quick["log_loss"],
        "val_accuracy": quick["accuracy"],
        "val_macro_f1": quick["macro_f1"],
    }


def selection_value(row: Mapping[str, Any], selection_metric: str) -> float:
    """Returns by how much an epoch is better than others, in [0, 1].

    Args:
      row: has the validation metrics of an epoch.
      selection_metric: one of `SELECTION_METRICS`. For `loss`, the mean
        negative log-likelihood, it is the likelihood: exp(-loss).
    """
    value = float(row[f"val_{selection_metric}"])
    return math.exp(-value) if selection_metric == "loss" else value


def evaluate(
    settings: Settings,
    splits: dict[str, Split],
    predictions: dict[str, np.ndarray],
) -> dict[str, Any]:
    """Returns `{split name: metrics}` for each split with predictions.

    Metrics are those of `trainer.evaluation.metrics`, of
    `trainer.evaluation.calibration` (the temperature is fitted on validation),
    of `trainer.evaluation.train_overlap` and, where the data has subgroups, of
    `trainer.evaluation.subgroups`.
    """
    temperature = calibration.fit_temperature(
        splits["validation"].labels, predictions["validation"]
    )
    class_names = settings.data.class_names
    train = set(train_overlap.digests(splits["train"].images))
    return {
        name: evaluate_split(
            splits[name],
            probabilities,
            class_names,
            temperature=temperature,
        )
        | train_overlap.evaluate_unseen(
            splits[name].labels,
            probabilities,
            train_overlap.seen_in_training(splits[name].images, train),
        )
        for name, probabilities in predictions.items()
    }


def finish(
    workdir: pathlib.Path,
    settings: Settings,
    splits: dict[str, Split],
    *,
    predictions: dict[str, np.ndarray],
    history: list[dict[str, Any]],
    robustness: dict[str, Any],
) -> dict[str, Any]:
    """Evaluates, writes what is to be kept and, last of all, metrics.json.

    Args:
      workdir: the run folder.
      settings: those of the run.
      splits: part (train, validation, test) -> split.
      predictions: part -> probabilities float32 [n, K].
      history: one dict for each epoch.
      robustness: what `trainer.evaluation.robustness.measure` found on
        validation.

    Returns:
      `{split name: metrics}`, as in metrics.json.
    """
    evaluated = evaluate(settings, splits, predictions)
    page = {
        "title": f"{settings.model.backbone} on {settings.data.dataset}",
        "summary": _summary(workdir, settings),
        "history": history,
        "robustness": robustness,
    }
    write(workdir, splits, predictions, evaluated=evaluated, page=page)
    return evaluated


def write(
    folder: pathlib.Path,
    splits: Mapping[str, Split],
    predictions: Mapping[str, np.ndarray],
    *,
    evaluated: Mapping[str, dict[str, Any]],
    page: Mapping[str, Any],
) -> None:
    """Writes predictions, robustness, the page and, last of all, the metrics.

    Args:
      folder: takes them.
      splits: split name -> split.
      predictions: split name -> probabilities float32 [n, K].
      evaluated: split name -> its metrics, those of `evaluate_split` at least.
      page: what `trainer.evaluation.report.write_report` takes besides.
    """
    # Plotting loads for a second, and only the end of a run needs it.
    from trainer.evaluation import report

    _write_predictions(folder, splits, predictions)
    write_json(folder / run_folder.ROBUSTNESS, page["robustness"])
    evaluations = {
        name: _for_report(evaluated[name], splits[name], probabilities)
        for name, probabilities in predictions.items()
    }
    report.write_report(
        folder / run_folder.REPORT, evaluations=evaluations, **page
    )
    write_json(folder / run_folder.METRICS, evaluated)


def headline(name: str, figures: Mapping[str, Any]) -> str:
    """Returns the line that a command ends with about a split's metrics."""
    low, high = figures["accuracy_interval"]
    return (
        f"{name}: accuracy {figures['accuracy']:.4f} "
        f"(95% interval {low:.4f} to {high:.4f})  "
        f"macro-F1 {figures['macro_f1']:.4f}  of {figures['n']} images"
    )


def evaluate_split(
    split: Split,
    probabilities: np.ndarray,
    class_names: Sequence[str],
    *,
    temperature: float | None,
) -> dict[str, Any]:
    """Computes metrics, calibration and, where there are some, subgroups.

    Args:
      split: its labels int32 [n] in [0, K).
      probabilities: float32 [n, K] in [0, 1], rows sum to 1.
      class_names: K distinct names in id order.
      temperature: from `calibration.fit_temperature` on another split; None
        where none is known.

    Returns:
      The metrics, as JSON-able values.
    """
    labels = split.labels
    found = metrics.evaluate_probabilities(labels, probabilities, class_names)
    found |= calibration.calibration_metrics(labels, probabilities, temperature)
    if split.subgroups is None:
        return found
    return found | subgroups.evaluate_subgroups(
        labels, probabilities, split.subgroups
    )


def _for_report(
    evaluated: dict[str, Any],
    split: Split,
    probabilities: np.ndarray,
) -> Any:
    from trainer.evaluation import report

    return report.Evaluation(
        metrics=evaluated,
        labels=split.labels,
        probabilities=probabilities,
        class_names=evaluated["class_names"],
        images=split.images,
        ids=split.ids,
    )


def _write_predictions(
    workdir: pathlib.Path,
    splits: Mapping[str, Split],
    predictions: Mapping[str, np.ndarray],
) -> None:
    by_split = {
        name: predictions_lib.Predictions(
            splits[name].ids, splits[name].labels, probabilities
        )
        for name, probabilities in predictions.items()
    }
    predictions_lib.write(workdir / run_folder.PREDICTIONS, by_split)


def write_json(path: pathlib.Path, value: Any) -> None:
    """Writes a value as JSON text, all of it or nothing."""
    files.write_text(path, json.dumps(value, indent=2) + "\n")


def _summary(workdir: pathlib.Path, settings: Settings) -> dict[str, str]:
    """What the head of the report says of the run."""
    manifest = stored_runs.read_manifest(workdir)
    libraries = manifest["libraries"]
    here = dataclasses.replace(settings.data, data_dir=None)
    changed = cli_flags.to_flags(
        dataclasses.replace(settings, data=here), only_changed=True
    )
    return {
        "data": manifest["data"]["name"],
        "code": manifest["commit"] or "not under version control",
        "hardware": (
            f"{manifest['replicas']} replica(s), {manifest['precision']}, "
            f"{manifest['hardware']['cores']} cores, "
            f"{manifest['hardware']['gpus']} GPUs"
        ),
        "libraries": ", ".join(f"{n} {v}" for n, v in libraries.items()),
        "settings that are no default": " ".join(changed) or "none",
        "all settings": (
            f"{run_folder.SETTINGS} and {run_folder.FLAGFILE} beside this page"
        ),
    }

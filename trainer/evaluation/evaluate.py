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
        name: _evaluate_split(
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
    # Plotting loads for a second, and only the end of a run needs it.
    from trainer.evaluation import report

    evaluated = evaluate(settings, splits, predictions)
    _write_predictions(workdir, splits, predictions)
    _write_json(workdir / run_folder.ROBUSTNESS, robustness)
    names = settings.data.class_names
    evaluations = {
        part: _for_report(
            evaluated[part], splits[part], probabilities, class_names=names
        )
        for part, probabilities in predictions.items()
    }
    title = f"{settings.model.backbone} on {settings.data.dataset}"
    report.write_report(
        workdir / run_folder.REPORT,
        title=title,
        summary=_summary(workdir, settings),
        history=history,
        evaluations=evaluations,
        robustness=robustness,
    )
    _write_json(workdir / run_folder.METRICS, evaluated)
    return evaluated


def _evaluate_split(
    split: Split,
    probabilities: np.ndarray,
    class_names: Sequence[str],
    *,
    temperature: float,
) -> dict[str, Any]:
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
    *,
    class_names: Sequence[str],
) -> Any:
    from trainer.evaluation import report

    return report.Evaluation(
        metrics=evaluated,
        labels=split.labels,
        probabilities=probabilities,
        class_names=class_names,
        images=split.images,
        ids=split.ids,
    )


def _write_predictions(
    workdir: pathlib.Path,
    splits: dict[str, Split],
    predictions: dict[str, np.ndarray],
) -> None:
    by_split = {
        name: predictions_lib.Predictions(
            splits[name].ids, splits[name].labels, probabilities
        )
        for name, probabilities in predictions.items()
    }
    predictions_lib.write(workdir / run_folder.PREDICTIONS, by_split)


def _write_json(path: pathlib.Path, value: Any) -> None:
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

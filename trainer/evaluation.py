"""From predictions to figures, `metrics.json` and `report.html`."""

import dataclasses
import json
import pathlib
from typing import Any

import numpy as np

from trainer import checkpoints
from trainer import cli_flags
from trainer import files
from trainer import metrics
from trainer.records import Split
from trainer.settings import Settings


def quick_figures(labels: np.ndarray, probabilities: np.ndarray) -> dict:
    """Returns the validation figures that every epoch is judged by.

    Args:
      labels: int [n].
      probabilities: float32 [n, K].
    """
    classes = [str(index) for index in range(probabilities.shape[1])]
    figures = metrics.evaluate_probabilities(labels, probabilities, classes)
    return {
        "val_loss": figures["log_loss"],
        "val_accuracy": figures["accuracy"],
        "val_macro_f1": figures["macro_f1"],
    }


def evaluate(
    settings: Settings,
    splits: dict[str, Split],
    predictions: dict[str, np.ndarray],
) -> dict[str, Any]:
    """Returns `{split name: metrics}` for each split with predictions."""
    class_names = settings.data.class_names
    return {
        name: metrics.evaluate_probabilities(
            splits[name].labels, probabilities, class_names
        )
        for name, probabilities in predictions.items()
    }


def finish(
    workdir: pathlib.Path,
    settings: Settings,
    splits: dict[str, Split],
    predictions: dict[str, np.ndarray],
    history: list[dict[str, Any]],
) -> dict[str, Any]:
    """Evaluates, writes report.html and, last of all, metrics.json.

    Returns:
      `{split name: metrics}`, as in metrics.json.
    """
    # Plotting loads for a second, and only the end of a run needs it.
    from trainer import report

    figures = evaluate(settings, splits, predictions)
    class_names = settings.data.class_names
    evaluations = {
        name: report.Evaluation(
            metrics=figures[name],
            labels=splits[name].labels,
            probabilities=probabilities,
            class_names=class_names,
            images=splits[name].images,
            ids=splits[name].ids,
        )
        for name, probabilities in predictions.items()
    }
    report.write_report(
        workdir / "report.html",
        title=f"{settings.model.backbone} on {settings.data.dataset}",
        summary=_summary(workdir, settings),
        history=history,
        evaluations=evaluations,
    )
    files.write_text(
        workdir / checkpoints.METRICS, json.dumps(figures, indent=2) + "\n"
    )
    return figures


def _summary(workdir, settings):
    """What the head of the report says of the run."""
    manifest = json.loads((workdir / checkpoints.MANIFEST).read_text())
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
        "all settings": "settings.json and run.flags beside this page",
    }

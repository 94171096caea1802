"""One self-contained HTML page about a run: metrics, curves and images.

The only module that fills in pages. It computes no metric of its own,
loads no model, reads no data, and leaves drawing to
`trainer.evaluation.charts`.
"""

import io
import os
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import jinja2
import numpy as np
from PIL import Image

from trainer import files
from trainer.evaluation import calibration
from trainer.evaluation import charts
from trainer.evaluation import metrics

# Only this split shows its mistakes: who studies single test images soon
# tunes to them.
MISTAKES_SPLIT = "validation"
MISTAKES_SHOWN = 24

HISTORY_KEYS = ("phase", "epoch", "loss", "accuracy", "val_loss")
HISTORY_KEYS += ("val_accuracy", "val_macro_f1", "learning_rate", "seconds")


@dataclass(frozen=True)
class Evaluation:
    """What the model predicts on one split.

    Attributes:
      metrics: what `evaluation.evaluate` returned for these arrays.
      labels: int [n], true class ids.
      probabilities: float [n, K] in [0, 1].
      class_names: K names in id order.
      images: uint8 [n, S, S, 1 or 3] in [0, 255], or None: no images.
      ids: n names of the examples, or None.
    """

    metrics: dict
    labels: np.ndarray
    probabilities: np.ndarray
    class_names: Sequence[str]
    images: np.ndarray | None = None
    ids: Sequence[str] | None = None

    def __post_init__(self) -> None:
        n = self.metrics["n"]
        for name in ("labels", "probabilities", "images", "ids"):
            value = getattr(self, name)
            if value is not None and len(value) != n:
                raise ValueError(
                    f"`{name}` must hold the {n} examples of `metrics`. "
                    f"Received: {len(value)}. Evaluate this split again."
                )


def write_report(
    path: str | os.PathLike,
    *,
    title: str,
    summary: Mapping[str, str],
    history: Sequence[Mapping] | None,
    evaluations: Mapping[str, Evaluation],
    robustness: Mapping | None = None,
) -> None:
    """Writes the page, all of it or nothing.

    Args:
      path: the .html file; its folder is made when absent.
      title: heading of the page.
      summary: rows of the table about the run, name -> text.
      history: one dict an epoch with the keys of HISTORY_KEYS, in order over
        both phases ("head", "fine_tune"); losses in nats, others in [0, 1],
        None or NaN for what was not measured. Empty when nothing was trained;
        None for a page about a model alone, which says nothing of it.
      evaluations: split name -> Evaluation, in the order of the page.
      robustness: what `trainer.evaluation.robustness.measure` returned, or
        None.

    Raises:
      ValueError: when an epoch of `history` lacks a key.
    """
    page = render(
        "report.html",
        title=title,
        summary=summary,
        is_run=history is not None,
        training=_training(history or ()),
        splits=[_split(name, run) for name, run in evaluations.items()],
        robustness=robustness,
        robustness_charts=(
            charts.robustness_charts(robustness["curves"]) if robustness else []
        ),
    )
    files.write_text(path, page)


def render(
    template: str, package: str = "trainer.evaluation", **values: Any
) -> str:
    """Fills in a template; every value is escaped.

    Args:
      template: its file name.
      package: in whose folder it is; what it extends may be in this one.
      **values: what it shows.

    Raises:
      ValueError: one is missing.
    """
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda n: _read_template(n, package)),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["percent"] = _percent
    try:
        return environment.get_template(template).render(values)
    except jinja2.UndefinedError as error:
        raise ValueError(f"for {template}: {error}") from error


def _read_template(name: str, package: str) -> str:
    source = resources.files(package).joinpath(name)
    if not source.is_file():
        source = resources.files("trainer.evaluation").joinpath(name)
    return source.read_text(encoding="utf-8")


def _percent(fraction: float | None) -> str:
    return "\u2013" if fraction is None else f"{100 * fraction:.1f}"


def _training(history: Sequence[Mapping]) -> dict | None:
    """Returns charts and totals of the training; None without an epoch."""
    for i, row in enumerate(history):
        missing = [key for key in HISTORY_KEYS if key not in row]
        if missing:
            raise ValueError(
                f"`history` entry {i} lacks {missing}. Each epoch needs "
                f"{list(HISTORY_KEYS)}; give None for what was not measured."
            )
    if not history:
        return None
    phases = [row["phase"] for row in history]
    numbers = {
        key: _numbers([row[key] for row in history])
        for key in HISTORY_KEYS
        if key != "phase"
    }
    head = phases.count("head")
    boundary = head if head < len(history) else 0
    return {
        "charts": charts.learning_charts(numbers, boundary),
        "epochs": len(history),
        "head_epochs": head,
        "minutes": float(np.nansum(numbers["seconds"])) / 60,
    }


def _numbers(values: list) -> np.ndarray:
    return np.array([np.nan if v is None else v for v in values], float)


def _split(name: str, run: Evaluation) -> dict:
    curves = metrics.roc_curves(run.labels, run.probabilities)
    shows_mistakes = name == MISTAKES_SPLIT and run.images is not None
    return {
        "name": name,
        "metrics": run.metrics,
        "charts": [
            charts.confusion_chart(
                run.metrics["confusion_matrix"], run.class_names
            ),
            charts.roc_chart(curves, run.class_names),
        ],
        "calibration_charts": _calibration_charts(run),
        "mistakes": _mistakes(run) if shows_mistakes else [],
    }


def _calibration_charts(run: Evaluation) -> list[dict]:
    pairs = {"Reliability, as predicted": run.probabilities}
    temperature = run.metrics["temperature"]
    if temperature is not None:
        pairs["Reliability, with the temperature"] = (
            calibration.apply_temperature(run.probabilities, temperature)
        )
    return [
        charts.reliability_chart(
            title, calibration.reliability(run.labels, probabilities)
        )
        for title, probabilities in pairs.items()
    ]


def _mistakes(run: Evaluation) -> list[dict]:
    """Returns the wrong predictions, the most confident first."""
    predicted = run.probabilities.argmax(axis=1)
    confidence = run.probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != run.labels)
    surest = wrong[np.argsort(-confidence[wrong], kind="stable")]
    return [
        {
            "source": _image_url(run.images[i]),
            "true": run.class_names[run.labels[i]],
            "predicted": run.class_names[predicted[i]],
            "confidence": float(confidence[i]),
            "id": "" if run.ids is None else run.ids[i],
        }
        for i in surest[:MISTAKES_SHOWN]
    ]


def _image_url(image: np.ndarray) -> str:
    stream = io.BytesIO()
    pixels = image[..., 0] if image.shape[-1] == 1 else image
    Image.fromarray(pixels).save(stream, format="png")
    return charts.data_url(stream)

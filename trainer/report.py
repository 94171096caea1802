"""One self-contained HTML page about a run: figures, curves and pictures.

The only module that draws. It computes no figure of merit of its own, loads no
model, reads no data, and leaves matplotlib's global state alone (no pyplot).
"""

import base64
import io
import os
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import jinja2
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from trainer import metrics

# Okabe and Ito's colours for every kind of colour vision, without yellow (too
# faint on white) and with grey; Wong, Nature Methods 8 (2011).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
COLOURS += ("#000000", "#8A8A8A")
DASHES = ("-", "--", ":")  # the next round of colours, from the ninth class on

# In a column or on a phone, 310 to 350 px wide, an inch has 70 to 80 px: the
# 10 pt of the labels stay legible. Dots for screens of twice that density.
CHART_INCHES = (4.4, 4.0)
DOTS_PER_INCH = 160
SQUARE = {"xlim": (-1, 101), "ylim": (-1, 101), "aspect": "equal"}  # percent

# Only this split shows its mistakes: who studies single test pictures soon
# tunes to them.
MISTAKES_SPLIT = "validation"
MISTAKES_SHOWN = 24

HISTORY_KEYS = ("phase", "epoch", "loss", "accuracy", "val_loss")
HISTORY_KEYS += ("val_accuracy", "val_macro_f1", "learning_rate", "seconds")


@dataclass(frozen=True)
class Evaluation:
    """What the model answered on one split.

    Attributes:
      metrics: what `metrics.evaluate_probabilities` returned for these arrays.
      labels: int [n], true class ids.
      probabilities: float [n, K] in [0, 1].
      class_names: K names in id order.
      images: uint8 [n, S, S, 1 or 3] in [0, 255], or None: no pictures.
      ids: n names of the examples, or None.
    """

    metrics: dict
    labels: np.ndarray
    probabilities: np.ndarray
    class_names: Sequence[str]
    images: np.ndarray | None = None
    ids: Sequence[str] | None = None

    def __post_init__(self):
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
    history: Sequence[Mapping],
    evaluations: Mapping[str, Evaluation],
) -> None:
    """Writes the page beside `path`, then moves it there.

    Args:
      path: the .html file; its folder is made when absent.
      title: heading of the page.
      summary: rows of the table about the run, name -> text.
      history: one dict an epoch with the keys of HISTORY_KEYS, in order over
        both phases ("head", "fine_tune"); losses in nats, shares in [0, 1],
        None or NaN for what was not measured. Empty when nothing was trained.
      evaluations: split name -> Evaluation, in the order of the page.

    Raises:
      ValueError: when an epoch of `history` lacks a key.
    """
    page = _template().render(
        title=title,
        summary=summary,
        training=_training(history),
        splits=[_split(name, run) for name, run in evaluations.items()],
    )
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_text(page, encoding="utf-8")
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def _template() -> jinja2.Template:
    source = resources.files("trainer").joinpath("report.html")
    options = {"autoescape": True, "undefined": jinja2.StrictUndefined}
    environment = jinja2.Environment(**options)
    environment.filters["percent"] = _percent
    return environment.from_string(source.read_text(encoding="utf-8"))


def _percent(share: float | None) -> str:
    return "\u2013" if share is None else f"{100 * share:.1f}"


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
    columns = {key: [row[key] for row in history] for key in HISTORY_KEYS}
    numbers = {
        key: np.array([np.nan if v is None else v for v in values], float)
        for key, values in columns.items()
        if key != "phase"
    }
    head = columns["phase"].count("head")
    return {
        "charts": _learning_charts(numbers, head if head < len(history) else 0),
        "epochs": len(history),
        "head_epochs": head,
        "minutes": float(np.nansum(numbers["seconds"])) / 60,
    }


def _split(name: str, run: Evaluation) -> dict:
    calibration = metrics.reliability(run.labels, run.probabilities)
    charts = _confusion_chart(run), _roc_chart(run)
    shows_mistakes = name == MISTAKES_SPLIT and run.images is not None
    return {
        "name": name,
        "metrics": run.metrics,
        "calibration_error": calibration["expected_calibration_error"],
        "charts": [*charts, _reliability_chart(calibration)],
        "mistakes": _mistakes(run) if shows_mistakes else [],
    }


def _mistakes(run: Evaluation) -> list[dict]:
    """Returns the most confident wrong answers, the surest first."""
    predicted = run.probabilities.argmax(axis=1)
    confidence = run.probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != run.labels)
    surest = wrong[np.argsort(-confidence[wrong], kind="stable")]
    return [
        {
            "source": _picture(run.images[i]),
            "true": run.class_names[run.labels[i]],
            "predicted": run.class_names[predicted[i]],
            "confidence": float(confidence[i]),
            "id": "" if run.ids is None else run.ids[i],
        }
        for i in surest[:MISTAKES_SHOWN]
    ]


def _picture(image: np.ndarray) -> str:
    stream = io.BytesIO()
    picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    picture.save(stream, format="png")
    return _data_url(stream)


def _data_url(png: io.BytesIO) -> str:
    text = base64.b64encode(png.getvalue()).decode("ascii")
    return f"data:image/png;base64,{text}"


def _axes(x_label: str, y_label: str, **options):
    figure = Figure(figsize=CHART_INCHES, layout="constrained")
    axes = figure.add_subplot(xlabel=x_label, ylabel=y_label, **options)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#E4E4E4", linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def _chart(figure: Figure, title: str, note: str = "") -> dict:
    lines = sum(len(a.get_legend_handles_labels()[0]) for a in figure.axes)
    if lines:
        # Outside the axes it cannot cover data.
        style = {"ncols": 2 if lines < 5 else 3, "frameon": False}
        figure.legend(loc="outside upper center", fontsize=9, **style)
    stream = io.BytesIO()
    # Without the name and version of the software: same input, same bytes.
    options = {"dpi": DOTS_PER_INCH, "metadata": {"Software": None}}
    figure.savefig(stream, format="png", **options)
    return {"title": title, "note": note, "source": _data_url(stream)}


def _plain(name: str) -> str:
    """Keeps matplotlib from reading a name as mathematics."""
    return name.replace("$", r"\$")


def _learning_charts(numbers: dict, boundary: int) -> list[dict]:
    shares = {"accuracy": "training", "val_accuracy": "validation"}
    shares["val_macro_f1"] = "validation macro-F1"
    losses = {"loss": "training", "val_loss": "validation"}
    rates = {"learning_rate": "learning rate"}
    percent = {key: 100 * numbers[key] for key in shares}
    return [
        _curves("Loss", "loss (nats)", numbers, losses, boundary),
        _curves("Accuracy", "share (%)", percent, shares, boundary),
        _curves("Learning rate", "learning rate", numbers, rates, boundary),
    ]


def _curves(title, y_label, numbers, names, boundary) -> dict:
    figure, axes = _axes("epoch", y_label)
    for colour, (key, name) in zip(COLOURS, names.items(), strict=False):
        values = numbers[key]
        epochs = range(1, len(values) + 1)
        # A single epoch has no line, only its marker.
        axes.plot(epochs, values, ".-", color=colour, label=name)
    if boundary:
        style = {"color": "#555555", "linestyle": ":", "linewidth": 1.4}
        axes.axvline(boundary + 0.5, label="fine-tuning begins", **style)
    if "learning_rate" in names and (values > 0).any():
        axes.set_yscale("log", nonpositive="mask")
    axes.xaxis.get_major_locator().set_params(integer=True)
    return _chart(figure, title)


def _confusion_chart(run: Evaluation) -> dict:
    counts = np.array(run.metrics["confusion_matrix"])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = _axes("predicted class", "true class")
    axes.grid(False)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    names = [_plain(name) for name in run.class_names]
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), names)
    style = {"ha": "center", "va": "center", "fontsize": 7}
    for (row, column), share in np.ndenumerate(shares):
        text = f"{counts[row, column]}\n{100 * share:.0f}%"
        # White on the dark half of the map, dark on its light half.
        colour = "white" if share > 0.5 else "#222222"
        axes.text(column, row, text, color=colour, **style)
    note = "Number of images, and share of the true class (the colour)."
    return _chart(figure, "Confusion matrix", note)


def _roc_chart(run: Evaluation) -> dict:
    axis = ("false positive rate (%)", "true positive rate (%)")
    figure, axes = _axes(*axis, **SQUARE)
    axes.plot([0, 100], [0, 100], ":", color=COLOURS[-1], label="chance")
    curves = metrics.roc_curves(run.labels, run.probabilities)
    names = map(_plain, run.class_names)
    for i, (name, curve) in enumerate(zip(names, curves, strict=True)):
        if curve is not None:
            false, true = (100 * np.array(rates) for rates in curve.values())
            dash = DASHES[i // len(COLOURS) % len(DASHES)]
            colour = COLOURS[i % len(COLOURS)]
            axes.plot(false, true, dash, color=colour, label=name)
    note = "Each class against the rest. The areas are in the table."
    return _chart(figure, "ROC curves", note)


def _reliability_chart(calibration: dict) -> dict:
    figure, axes = _axes("confidence (%)", "percent", **SQUARE)
    rows, width = calibration["bins"], 100 / len(calibration["bins"])
    left = [100 * row["low"] for row in rows]
    heights = [100 * (row["accuracy"] or 0) for row in rows]
    counts = np.array([row["count"] for row in rows])
    shares = 100 * counts / counts.sum()
    bars = {"align": "edge", "edgecolor": "white", "color": COLOURS[5]}
    axes.bar(left, heights, width, label="accuracy in the bin", **bars)
    line = {"color": COLOURS[1], "linewidth": 2, "zorder": 3}
    axes.stairs(shares, [*left, 100], label="share of images", **line)
    axes.plot([0, 100], [0, 100], ":", color="#222222", label="calibrated")
    error = _percent(calibration["expected_calibration_error"])
    note = f"ECE {error}%. A bar below the dotted line: overconfident there."
    return _chart(figure, "Reliability", note)

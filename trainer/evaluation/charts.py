"""Metrics and curves as charts; `tuning.charts` draws in the same style.

Arrays in, PNG data URLs with their title and a text that says the same to who
cannot see them. It computes no metric and leaves matplotlib's global
state alone (no pyplot). No line is told from another by its colour alone.
"""

import base64
import io
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's colours for every kind of colour vision, without yellow (too
# faint on white) and with grey; Wong, Nature Methods 8 (2011).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
COLOURS += ("#000000", "#8A8A8A")
DASHES = ("-", "--", ":", "-.")  # of coprime number with the markers
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

# In a column or on a phone, 310 to 350 px wide, an inch has 70 to 80 px: the
# 10 pt of the labels stay legible. Dots for screens of twice that density.
CHART_INCHES = (4.4, 4.0)
WIDE_INCHES = (9.2, 4.4)
DOTS_PER_INCH = 160
SQUARE = {"xlim": (-1, 101), "ylim": (-1, 101), "aspect": "equal"}  # percent


def learning_charts(
    columns: Mapping[str, np.ndarray], boundary: int
) -> list[dict]:
    """Draws loss, accuracy and learning rate over the epochs.

    Args:
      columns: name in history.csv -> float [epochs]; losses in nats, others
        in [0, 1], NaN for what was not measured.
      boundary: epochs before fine-tuning began; 0 draws no line there.
    """
    scores = {"accuracy": "training", "val_accuracy": "validation"}
    scores["val_macro_f1"] = "validation macro-F1"
    losses = {"loss": "training", "val_loss": "validation"}
    percent = {key: 100 * columns[key] for key in scores}
    loss = {text: columns[key] for key, text in losses.items()}
    score = {text: percent[key] for key, text in scores.items()}
    rate = {"learning rate": columns["learning_rate"]}
    return [
        epoch_chart("Accuracy", "percent", score, boundary=boundary),
        epoch_chart("Loss", "loss (nats)", loss, boundary=boundary),
        epoch_chart(
            "Learning rate", "rate", rate, boundary=boundary, is_log=True
        ),
    ]


def epoch_chart(
    title: str,
    y_label: str,
    series: Mapping[str, np.ndarray],
    *,
    boundary: int = 0,
    is_log: bool = False,
) -> dict:
    """Draws one line a name over the epochs, the first epoch being 1."""
    figure, axes = make_axes("epoch", y_label)
    for i, (name, values) in enumerate(series.items()):
        if not len(values):
            continue  # Its colour stays its own, as on the other charts.
        epochs = range(1, len(values) + 1)
        # A single epoch has no line, only its marker; many have no room.
        step = max(1, len(values) // 12)
        style = line_style(i) | {"markevery": step, "markersize": 4}
        axes.plot(epochs, values, label=plain(name), **style)
    if boundary:
        style = {"color": "#555555", "linestyle": ":", "linewidth": 1.4}
        axes.axvline(boundary + 0.5, label="fine-tuning begins", **style)
    if is_log and any((values > 0).any() for values in series.values()):
        axes.set_yscale("log", nonpositive="mask")
    count_along_x(axes)
    ends = [
        f"{name} from {v[0]:.3g} to {v[-1]:.3g}"
        for name, v in series.items()
        if len(v)
    ]
    return make_chart(figure, title, alt=f"{y_label}: {'; '.join(ends)}")


def confusion_chart(
    matrix: Sequence[Sequence[int]], class_names: Sequence[str]
) -> dict:
    """Draws counts and row fractions of int [K, K], true classes in rows."""
    counts = np.array(matrix)
    fractions = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = make_axes("predicted class", "true class")
    axes.grid(False)
    axes.imshow(fractions, cmap="Blues", vmin=0, vmax=1)
    names = [plain(name) for name in class_names]
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), names)
    style = {"ha": "center", "va": "center", "fontsize": 7}
    for (row, column), fraction in np.ndenumerate(fractions):
        text = f"{counts[row, column]}\n{100 * fraction:.0f}%"
        # White on the dark half of the map, dark on its light half.
        colour = "white" if fraction > 0.5 else "#222222"
        axes.text(column, row, text, color=colour, **style)
    note = "Number of images, and fraction of the true class (the colour)."
    alt = _worst_confusion(fractions, class_names)
    return make_chart(figure, "Confusion matrix", note, alt=alt)


def roc_chart(
    curves: Sequence[dict | None], class_names: Sequence[str]
) -> dict:
    """Draws one-vs-rest curves, as `metrics.roc_curves` returns them."""
    axis = ("false positive rate (%)", "true positive rate (%)")
    figure, axes = make_axes(*axis, **SQUARE)
    axes.plot([0, 100], [0, 100], ":", color=COLOURS[-1], label="chance")
    for i, (name, curve) in enumerate(zip(class_names, curves, strict=True)):
        if curve is not None:
            false, true = (100 * np.array(rates) for rates in curve.values())
            style = line_style(i) | {"marker": ""}
            axes.plot(false, true, label=plain(name), **style)
    note = "Each class against the rest. The areas are in the table."
    drawn = [n for n, c in zip(class_names, curves, strict=True) if c]
    alt = f"of {', '.join(drawn)}"
    return make_chart(figure, "ROC curves", note, alt=alt)


def reliability_chart(title: str, calibration: dict) -> dict:
    """Draws what `reliability.reliability` returned."""
    figure, axes = make_axes("confidence (%)", "percent", **SQUARE)
    rows, width = calibration["bins"], 100 / len(calibration["bins"])
    left = [100 * row["low"] for row in rows]
    heights = [100 * (row["accuracy"] or 0) for row in rows]
    counts = np.array([row["count"] for row in rows])
    percentages = 100 * counts / counts.sum()
    bars = {"align": "edge", "edgecolor": "white", "color": COLOURS[5]}
    axes.bar(left, heights, width, label="accuracy in the bin", **bars)
    line = {"color": COLOURS[1], "linewidth": 2, "zorder": 3}
    axes.stairs(percentages, [*left, 100], label="fraction of images", **line)
    axes.plot([0, 100], [0, 100], ":", color="#222222", label="calibrated")
    error = f"ECE {100 * calibration['ece']:.1f}%"
    note = f"{error}. A bar below the dotted line: overconfident there."
    filled = [row for row in rows if row["count"]]
    alt = "; ".join(
        f"confidence {row['confidence']:.0%}: accuracy {row['accuracy']:.0%}"
        for row in filled
    )
    return make_chart(figure, title, note, alt=f"{error}. {alt}")


def robustness_charts(curves: Sequence[dict]) -> list[dict]:
    """Draws the curves of `robustness.measure`, accuracy with intervals."""
    return [_robustness_chart(curve) for curve in curves]


def _robustness_chart(curve: dict) -> dict:
    points = curve["points"]
    names = [
        "as it is" if p["strength"] is None else f"{p['strength']:g}"
        for p in points
    ]
    values = 100 * np.array([point["accuracy"] for point in points])
    bounds = 100 * np.array([point["interval"] for point in points])
    figure, axes = make_axes(curve["unit"], "accuracy (%)", ylim=(0, 100))
    # Places of equal distance: not every strength is a number.
    places = range(len(points))
    band = {"color": COLOURS[5], "alpha": 0.35, "linewidth": 0}
    axes.fill_between(places, *bounds.T, label="95% interval", **band)
    axes.plot(places, values, label="accuracy", **line_style(0))
    axes.set_xticks(places, names)
    pairs = zip(names, values, strict=True)
    alt = ", ".join(f"{name}: {value:.1f}%" for name, value in pairs)
    return make_chart(figure, curve["name"], alt=f"{curve['unit']}, {alt}")


def recall_chart(
    class_names: Sequence[str], runs: Mapping[str, Sequence[dict | None]]
) -> dict:
    """Draws the recall of each class in several runs, with intervals.

    Args:
      class_names: in the order of the page.
      runs: name -> a row of `per_class` for each of the classes, or None.
    """
    figure, axes = make_axes("", "recall (%)", WIDE_INCHES, ylim=(0, 101))
    spread = 0.7 / len(runs)
    for i, (name, rows) in enumerate(runs.items()):
        known = [k for k, r in enumerate(rows) if r and r["recall_interval"]]
        recall = np.array([100 * rows[k]["recall"] for k in known])
        bounds = [rows[k]["recall_interval"] for k in known]
        low, high = 100 * np.reshape(bounds, (-1, 2)).T
        where = np.array(known) + (i - (len(runs) - 1) / 2) * spread
        style = line_style(i) | {"linestyle": "", "capsize": 2}
        # An interval ends at 0 or 1 to the last bit, and no bar is negative.
        bars = np.maximum([recall - low, high - recall], 0)
        axes.errorbar(where, recall, bars, label=plain(name), **style)
    axes.set_xticks(range(len(class_names)), map(plain, class_names))
    axes.grid(False, axis="x")
    note = "With 95% intervals (Wilson). The numbers are in the table."
    return make_chart(
        figure, "Recall of each class", note, alt=", ".join(class_names)
    )


def data_url(png: io.BytesIO) -> str:
    """Returns a PNG as text that an <img> takes."""
    text = base64.b64encode(png.getvalue()).decode("ascii")
    return f"data:image/png;base64,{text}"


def line_style(i: int) -> dict:
    """Returns how the line of number i is drawn: colour, dashes, marker."""
    return {
        "color": COLOURS[i % len(COLOURS)],
        "linestyle": DASHES[i % len(DASHES)],
        "marker": MARKERS[i % len(MARKERS)],
    }


def make_axes(
    x_label: str,
    y_label: str,
    inches: tuple[float, float] = CHART_INCHES,
    **options: Any,
) -> tuple[Figure, Axes]:
    """Returns an empty chart in the pages' style."""
    figure = Figure(figsize=inches, layout="constrained")
    axes = figure.add_subplot(xlabel=x_label, ylabel=y_label, **options)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#E4E4E4", linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def count_along_x(axes: Axes) -> None:
    """Marks whole numbers alone, also where there is a single one."""
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)


def make_chart(
    figure: Figure, title: str, note: str = "", *, alt: str = ""
) -> dict:
    """Returns what a page shows of a figure: title, note, alt and source.

    Where `is_wide`, a narrow page scrolls it instead of making it smaller.
    """
    lines = sum(len(a.get_legend_handles_labels()[0]) for a in figure.axes)
    if lines:
        # Outside the axes it cannot cover data.
        style = {"ncols": 2 if lines < 5 else 3, "frameon": False}
        figure.legend(loc="outside upper center", fontsize=9, **style)
    stream = io.BytesIO()
    # Without the name and version of the software: same input, same bytes.
    options = {"dpi": DOTS_PER_INCH, "metadata": {"Software": None}}
    figure.savefig(stream, format="png", **options)
    alt = f"Chart: {title}. {alt}"
    return {
        "title": title,
        "note": note,
        "alt": alt,
        "source": data_url(stream),
        "is_wide": figure.get_figwidth() > CHART_INCHES[0],
    }


def _worst_confusion(fractions: np.ndarray, class_names: Sequence[str]) -> str:
    off = fractions * (1 - np.eye(len(fractions)))
    true, predicted = np.unravel_index(off.argmax(), off.shape)
    return (
        f"Most often confused: {class_names[true]}, taken for "
        f"{class_names[predicted]} in {off.max():.0%} of its images"
    )


def plain(name: str) -> str:
    """Keeps matplotlib from reading mathematics or "no legend" in a name."""
    kept = name.replace("$", r"\$")
    return f" {kept}" if kept.startswith("_") else kept

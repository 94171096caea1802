"""Charts of a search, in the style of `trainer.evaluation.charts`.

Computes no figure of merit. Must not import TensorFlow.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from trainer.evaluation import charts
from tuning.space import Parameter

# From dark, the worst, to bright, the best; tells apart for every kind of
# colour vision and in grey.
COLOUR_MAP = "viridis"


def parallel_chart(
    parameters: Sequence[Parameter],
    values: Sequence[dict[str, Any]],
    scores: Sequence[float],
    *,
    label: str,
    less_is_better: bool,
) -> dict:
    """Draws a line for each trial through its values, coloured by its score.

    Args:
      parameters: of the search, one axis each.
      values: of each completed trial.
      scores: the objective of each, in the units of `label`.
      label: says what the scores are.
      less_is_better: whether the least is the best.
    """
    figure, axes = charts.make_axes("", "", charts.WIDE_INCHES)
    axes.grid(False)
    axes.spines[["left", "bottom"]].set_visible(False)
    colours = _colours(scores, less_is_better)
    order = np.argsort(scores, kind="stable")
    # The best are drawn last, over the others.
    for i in order[::-1] if less_is_better else order:
        heights = [_height(each, values[i]) for each in parameters]
        axes.plot(heights, color=colours.to_rgba(scores[i]), alpha=0.75)
    for place, each in enumerate(parameters):
        axes.axvline(place, color="#B0B0B0", linewidth=0.8, zorder=0)
        _mark(axes, place, each)
    names = [charts.plain(each.name.replace("_", "\n")) for each in parameters]
    axes.set_xticks(range(len(parameters)), names, fontsize=8)
    axes.set(yticks=[], xlim=(-0.3, len(parameters) - 0.2), ylim=(-0.06, 1.06))
    figure.colorbar(colours, ax=axes, label=label, pad=0.01)
    note = "A line is a trial; it breaks where a value does not apply."
    alt = f"{len(scores)} trials over {len(parameters)} hyperparameters"
    return charts.make_chart(figure, "Parallel coordinates", note, alt=alt)


def scatter_charts(
    parameters: Sequence[Parameter],
    values: Sequence[dict[str, Any]],
    scores: Sequence[float],
    *,
    label: str,
) -> list[dict]:
    """Draws the scores over each hyperparameter; arguments as above."""
    return [_scatter(each, values, scores, label=label) for each in parameters]


def progress_chart(
    scores: Sequence[float], label: str, less_is_better: bool
) -> dict:
    """Draws the scores in the order of the trials, and the best so far.

    Args:
      scores: in that order; NaN for a trial without one.
      label: says what the scores are.
      less_is_better: whether the least is the best.
    """
    figure, axes = charts.make_axes("trial", label)
    numbers = np.arange(1, len(scores) + 1)
    axes.plot(numbers, scores, "o", color=charts.COLOURS[5], label="trial")
    best = np.fmin if less_is_better else np.fmax
    sofar = best.accumulate(np.array(scores, float))
    axes.step(
        numbers, sofar, where="post", color="#000000", label="best so far"
    )
    charts.count_along_x(axes)
    alt = f"best {sofar[-1]:.4g} after {len(scores)} trials"
    return charts.make_chart(figure, "Progress", alt=alt)


def importance_chart(rows: Sequence[dict]) -> dict:
    """Draws what `importance.importances` returned."""
    figure, axes = charts.make_axes("share of variance (%)", "")
    known = [row for row in rows if row["fraction"] is not None][::-1]
    fractions = [100 * row["fraction"] for row in known]
    axes.barh(range(len(known)), fractions, color=charts.COLOURS[0])
    axes.set_yticks(range(len(known)), [charts.plain(r["name"]) for r in known])
    axes.grid(False, axis="y")
    alt = ", ".join(f"{r['name']} {r['fraction']:.0%}" for r in known[::-1])
    return charts.make_chart(figure, "Importance", alt=alt)


def spread_chart(spreads: Sequence, label: str, scale: float) -> dict:
    """Draws the scores of each seed, and their mean.

    Args:
      spreads: `results.Spread` of each choice.
      label: says what the scores are.
      scale: from scores to the units of `label`.
    """
    figure, axes = charts.make_axes("", label)
    for place, spread in enumerate(spreads):
        scores = scale * np.array(spread.scores)
        style = {"color": charts.COLOURS[place % len(charts.COLOURS)]}
        axes.plot([place] * len(scores), scores, "o", **style)
        axes.plot(place, scale * spread.mean, "_", markersize=22, **style)
    names = [charts.plain(spread.name) for spread in spreads]
    axes.set_xticks(range(len(spreads)), names)
    axes.margins(x=0.2)
    alt = ", ".join(f"{s.name} {scale * s.mean:.4g}" for s in spreads)
    note = "A dot is a seed that the search did not use; the bar is the mean."
    return charts.make_chart(figure, "Spread over seeds", note, alt=alt)


def _scatter(
    parameter: Parameter,
    values: Sequence[dict[str, Any]],
    scores: Sequence[float],
    *,
    label: str,
) -> dict:
    figure, axes = charts.make_axes(charts.plain(parameter.name), label)
    known = [i for i, v in enumerate(values) if parameter.name in v]
    given = [values[i][parameter.name] for i in known]
    heights = [scores[i] for i in known]
    if parameter.values:
        # Beside each other where they would hide each other.
        shift = (np.arange(len(known)) % 7 - 3) * 0.03
        places = [parameter.values.index(value) for value in given] + shift
        axes.plot(places, heights, "o", color=charts.COLOURS[0], alpha=0.7)
        names = [charts.plain(str(value)) for value in parameter.values]
        axes.set_xticks(range(len(names)), names)
    else:
        axes.plot(given, heights, "o", color=charts.COLOURS[0], alpha=0.7)
        axes.set_xscale("log")
    return charts.make_chart(
        figure, parameter.name, alt=f"{len(known)} trials have a value"
    )


def _colours(scores: Sequence[float], less_is_better: bool) -> ScalarMappable:
    # A few hopeless trials would take all of the scale from the good ones.
    low, high = np.quantile(scores, [0, 0.9] if less_is_better else [0.1, 1])
    scale = Normalize(low, max(high, low + 1e-9), clip=True)
    colours = f"{COLOUR_MAP}_r" if less_is_better else COLOUR_MAP
    return ScalarMappable(scale, colours)


def _height(parameter: Parameter, values: dict[str, Any]) -> float:
    """Where a value stands on its axis, in [0, 1]; NaN without one."""
    if parameter.name not in values:
        return np.nan
    value = values[parameter.name]
    if not parameter.values:
        ratio = np.log(parameter.high / parameter.low)
        return np.log(value / parameter.low) / ratio
    return parameter.values.index(value) / max(1, len(parameter.values) - 1)


def _mark(axes: Axes, place: int, parameter: Parameter) -> None:
    """The values beside an axis."""
    marks = parameter.values or (parameter.low, parameter.high)
    for value in marks:
        text = f"{value:g}" if isinstance(value, float) else str(value)
        height = _height(parameter, {parameter.name: value})
        # Legible on top of the lines.
        box = {"facecolor": "white", "alpha": 0.7, "pad": 0.5, "linewidth": 0}
        axes.text(
            place + 0.04, height, charts.plain(text), fontsize=8, bbox=box
        )

"""Measurements as small PNG files, in the style of the project's pages."""

import pathlib
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from trainer import files
from trainer.evaluation import charts

_DOTS_PER_INCH = 110


def draw_lines(
    path: pathlib.Path,
    *,
    labels: tuple[str, str],
    places: Sequence[float],
    lines: Mapping[str, Sequence[float]],
    is_log: bool = False,
) -> None:
    """Draws one line for each name.

    Args:
      path: of the PNG.
      labels: of the x and the y axis.
      places: x of all lines.
      lines: name -> y at each of the places.
      is_log: each step of the y axis is ten times the last.
    """
    figure, axes = charts.make_axes(*labels, inches=charts.WIDE_INCHES)
    for i, (name, values) in enumerate(lines.items()):
        axes.plot(places, values, label=name, **charts.line_style(i))
    if is_log:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.set_xlim(left=0)
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    _save(figure, path)


def draw_bars(
    path: pathlib.Path,
    *,
    label: str,
    bars: Mapping[str, tuple[float, float, float]],
) -> None:
    """Draws a bar for each name, with its spread.

    Args:
      path: of the PNG.
      label: of the axis.
      bars: name -> median, smallest and largest.
    """
    figure, axes = charts.make_axes(label, "", inches=charts.WIDE_INCHES)
    names = list(bars)[::-1]
    middle = [bars[name][0] for name in names]
    ends = [
        [bars[name][0] - bars[name][1] for name in names],
        [bars[name][2] - bars[name][0] for name in names],
    ]
    axes.barh(names, middle, xerr=ends, color=charts.COLOURS[0], height=0.6)
    _save(figure, path)


def _save(figure: Any, path: pathlib.Path) -> None:
    with files.write_aside(path) as aside:
        options = {"dpi": _DOTS_PER_INCH, "metadata": {"Software": None}}
        figure.savefig(aside, format="png", **options)

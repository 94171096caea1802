"""Size, accuracy and latency of the files of an export, as one chart.

Draws what it is given; measures and reads nothing. The only file of `export`
that imports matplotlib.
"""

import io
import itertools
from typing import Any

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

# Told apart by shape, since the colour shows the accuracy.
MARKERS = "os^Dv<>Pp*hX"


def draw(rows: list[dict[str, Any]]) -> bytes:
    """Draws one point for each file: size across, latency up, by accuracy.

    Args:
      rows: the `files` of a latency report.

    Returns:
      A PNG.
    """
    canvas = Figure(figsize=(8, 5.5), layout="constrained")
    axes = canvas.add_subplot()
    _draw_points(axes, rows)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="size of the file (KB)",
        ylabel="one picture, one thread, median (ms)",
        title="Size, latency and validation accuracy",
    )
    axes.margins(0.15)
    for axis in (axes.xaxis, axes.yaxis):
        _write_plain_numbers(axis)
    axes.grid(visible=True, which="both", alpha=0.3)
    if any(row["accuracy"] is not None for row in rows):
        canvas.colorbar(axes.collections[0], label="validation accuracy (%)")
    canvas.legend(loc="outside lower center", ncols=3, fontsize=8)
    png = io.BytesIO()
    canvas.savefig(png, format="png", dpi=120)
    return png.getvalue()


def _draw_points(axes: Axes, rows: list[dict[str, Any]]) -> None:
    known = [row["accuracy"] for row in rows if row["accuracy"] is not None]
    for row, marker in zip(rows, itertools.cycle(MARKERS)):
        accuracy = row["accuracy"]
        axes.scatter(
            [row["bytes"] / 1000],
            [row["one_thread"]["median_ms"]],
            c=[float("nan") if accuracy is None else 100 * accuracy],
            vmin=100 * min(known, default=0),
            vmax=100 * max(known, default=1),
            label=_label(row),
            marker=marker,
            s=110,
            cmap="viridis",
            edgecolors="black",
            alpha=0.8,
            plotnonfinite=True,
        )


def _label(row: dict[str, Any]) -> str:
    name = row["file"].removeprefix("model_").removesuffix(".tflite")
    text = f"{name}: {row['bytes'] / 1000:,.0f} KB"
    text += f", {row['one_thread']['median_ms']:.2f} ms"
    return text if row["accuracy"] is None else f"{text}, {row['accuracy']:.1%}"


def _write_plain_numbers(axis: Axis) -> None:
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:,g}")
    axis.set_minor_formatter("")

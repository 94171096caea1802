"""Size, accuracy and latency of the files of an export, as one picture.

Draws what it is given; measures and reads nothing. The only file of `export`
that imports matplotlib.
"""

import io
from typing import Any

from matplotlib.figure import Figure


def draw(rows: list[dict[str, Any]]) -> bytes:
    """Draws one point for each file: size across, latency up, by accuracy.

    Args:
      rows: the `files` of a latency report.

    Returns:
      A PNG.
    """
    canvas = Figure(figsize=(8, 5), layout="constrained")
    axes = canvas.add_subplot()
    sizes = [row["bytes"] / 1000 for row in rows]
    times = [row["one_thread"]["median_ms"] for row in rows]
    shares = [row["accuracy"] for row in rows]
    known = [share for share in shares if share is not None]
    points = axes.scatter(
        sizes,
        times,
        c=[
            100 * share if share is not None else float("nan")
            for share in shares
        ],
        s=90,
        cmap="viridis",
        edgecolors="black",
        plotnonfinite=True,
    )
    for row, x, y in zip(rows, sizes, times, strict=True):
        text = row["file"].removeprefix("model_").removesuffix(".tflite")
        if row["accuracy"] is not None:
            text += f"\n{row['accuracy']:.1%}"
        axes.annotate(
            text, (x, y), xytext=(7, 4), textcoords="offset points", fontsize=8
        )
    axes.set(
        xlim=(0, 1.25 * max(sizes)),
        ylim=(0, 1.2 * max(times)),
        xlabel="size of the file (KB)",
        ylabel="one picture, one thread, median (ms)",
        title="Size, latency and validation accuracy",
    )
    axes.grid(visible=True, alpha=0.3)
    if known:
        canvas.colorbar(points, label="validation accuracy (%)")
    png = io.BytesIO()
    canvas.savefig(png, format="png", dpi=120)
    return png.getvalue()

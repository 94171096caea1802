"""The page about a search: metrics and charts of its trials.

Takes results that are read already; trains nothing, and computes no figure of
merit of its own. Must not import TensorFlow or KerasTuner.
"""

import dataclasses
import math
import pathlib
from collections.abc import Callable
from collections.abc import Sequence

from trainer import files
from trainer.evaluation import report as trainer_report
from tuning import charts
from tuning import importance
from tuning import results
from tuning.options import OBJECTIVES
from tuning.options import SearchOptions

# Objective -> what the page calls it, and the factor to the unit shown there.
LABELS = {
    "accuracy": ("validation accuracy (%)", 100.0),
    "macro_f1": ("validation macro-F1 (%)", 100.0),
    "loss": ("validation loss (nats)", 1.0),
}


NO_NOISE = "With one seed each no noise was measured"


@dataclasses.dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
      trials: all that have ended, in order.
      spreads: of the best and, last, of the recipe; empty without seeds.
      winner: name of the trial that best.flags holds.
    """

    trials: Sequence[results.Trial]
    spreads: Sequence[results.Spread]
    winner: str


def write_report(
    path: pathlib.Path, options: SearchOptions, found: Found
) -> None:
    """Writes the page, all of it or nothing.

    Args:
      path: the .html file.
      options: of the search.
      found: what it found, with at least one completed trial.
    """
    label, scale = LABELS[options.objective]
    less_is_better = OBJECTIVES[options.objective][1]
    order = results.ranked(found.trials, options.objective)
    values = [trial.values for trial in order]
    scores = [scale * trial.metrics[options.objective] for trial in order]
    sign = -1 if less_is_better else 1
    rows = importance.importances(
        options.parameters, values, [sign * score for score in scores]
    )
    completed = (options.parameters, values, scores)
    page = trainer_report.render(
        "search.html",
        package="tuning",
        title=_title(options),
        options=options,
        label=label,
        order=order,
        failed=[t for t in found.trials if not t.is_completed],
        names=[each.name for each in options.parameters],
        winner=found.winner,
        verdicts=verdicts(options, found),
        spreads=_spread_rows(found),
        no_noise=NO_NOISE,
        has_noise=any(len(each.scores) > 1 for each in found.spreads),
        importances=rows,
        fewest=importance.FEWEST_TRIALS,
        seconds=_median([trial.seconds for trial in order]),
        show=_show(options),
        overview=[
            charts.parallel_chart(
                *completed, label=label, less_is_better=less_is_better
            ),
        ],
        charts=_charts(options, found, rows),
        scatters=charts.scatter_charts(*completed, label=label),
    )
    files.write_text(path, page)


def _charts(
    options: SearchOptions, found: Found, rows: list[dict]
) -> list[dict]:
    """Progress, and what matters and how far seeds differ where known."""
    label, scale = LABELS[options.objective]
    less_is_better = OBJECTIVES[options.objective][1]
    drawn = [
        charts.progress_chart(
            _in_order(options, found, scale), label, less_is_better
        )
    ]
    if _is_known(rows):
        drawn.append(charts.importance_chart(rows))
    if found.spreads:
        drawn.append(charts.spread_chart(found.spreads, label, scale))
    return drawn


def verdicts(options: SearchOptions, found: Found) -> list[str]:
    """Returns what may be said of the winner, in sentences."""
    if not found.spreads:
        return [
            "The winner was not trained with other seeds, so nothing can be "
            "said of how much of its lead is luck: give --confirm_seeds=3."
        ]
    by_name = {spread.name: spread for spread in found.spreads}
    best = by_name[found.winner]
    return [
        _sentence(options, best, other, pool=found.spreads)
        for other in found.spreads
        if other is not best
    ]


def _sentence(
    options: SearchOptions,
    best: results.Spread,
    other: results.Spread,
    *,
    pool: Sequence[results.Spread],
) -> str:
    gap = results.difference(best, other, pool)
    show = _show(options)
    what = (
        "the recipe as it was given"
        if other.name == results.RECIPE
        else f"trial {other.name}"
    )
    amount = f"{show(abs(gap['difference']), unit=True)}"
    is_better = (gap["difference"] > 0) != OBJECTIVES[options.objective][1]
    side = "better" if is_better else "worse"
    text = f"Trial {best.name} is {amount} {side} than {what}"
    if math.isnan(gap["noise"]):
        return f"{text}. {NO_NOISE}: give --confirm_seeds=3."
    noise = f"twice the standard error over seeds is {show(gap['noise'])}"
    if gap["is_noise"]:
        return f"{text}: inside the noise ({noise})."
    return f"{text}, more than the noise ({noise})."


def _spread_rows(found: Found) -> list[dict]:
    by_name = {spread.name: spread for spread in found.spreads}
    rows = []
    for spread in found.spreads:
        gap = results.difference(spread, by_name[found.winner], found.spreads)
        verdict = "inside the noise" if gap["is_noise"] else "differs"
        if math.isnan(gap["noise"]):
            verdict = "no noise measured"
        if spread.name == found.winner:
            verdict = "winner"
        rows.append({"spread": spread, "gap": gap, "verdict": verdict})
    return rows


def _show(options: SearchOptions) -> Callable[..., str]:
    """A function that writes a score: fractions as percent."""
    _, scale = LABELS[options.objective]
    name = " nats" if scale == 1 else " points"

    def show(score: float | None, unit: bool = False) -> str:
        if score is None or score != score:
            return "\u2013"
        text = f"{scale * score:.4f}" if scale == 1 else f"{scale * score:.2f}"
        return text + (name if unit else "")

    return show


def _in_order(
    options: SearchOptions, found: Found, scale: float
) -> list[float]:
    return [
        scale * trial.metrics[options.objective]
        if trial.is_completed
        else float("nan")
        for trial in found.trials
    ]


def _is_known(rows: list[dict]) -> bool:
    return any(row["fraction"] is not None for row in rows)


def _median(numbers: list[float]) -> float:
    return sorted(numbers)[len(numbers) // 2]


def _title(options: SearchOptions) -> str:
    settings = options.settings
    what = "heads" if options.scope == "head" else "fine-tuning"
    where = f"{settings.model.backbone} on {settings.data.dataset}"
    return f"Search for {what}: {where}"

"""Compares finished runs on one self-contained page.

  python -m trainer.compare --out=comparison.html runs/edge runs/densenet

A folder that `python -m trainer.evaluate` wrote is taken as that of a run.

Everything is read from the runs' own folders; no model is loaded and no data.
The first run is the one that the others are compared with, example by example
where both kept their predictions.
"""

import argparse
import pathlib
import sys
from collections.abc import Sequence

from fer_tfds import labels
from trainer import console
from trainer import files
from trainer import run_folder
from trainer.evaluation import charts
from trainer.evaluation import intervals
from trainer.evaluation import predictions
from trainer.evaluation import report
from trainer.evaluation import stored_runs
from trainer.evaluation.stored_runs import StoredRun

# Past eight the colours repeat and the columns are too narrow to read.
FEWEST_RUNS, MOST_RUNS = 2, 8

# Where and how, not what: no reason for another result.
_NOT_COMPARED = ("data_dir", "max_memory_gib", "feature_cache")


class CompareError(ValueError):
    """The runs cannot be compared as asked; the text says what to do."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    options = _parse_arguments(arguments)
    try:
        if options.out.exists() and not options.overwrite:
            raise CompareError(f"{options.out} exists; give --overwrite")
        write_comparison(options.out, options.runs)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"comparison: {options.out}")
    return 0


def write_comparison(
    path: pathlib.Path, folders: Sequence[pathlib.Path]
) -> None:
    """Writes the page about two to eight finished runs.

    Args:
      path: the .html file; its folder is made when absent.
      folders: the workdirs, the first to compare the others with.

    Raises:
      CompareError: there are fewer, more, or one twice.
      stored_runs.StoredRunError: a folder holds no finished run.
      predictions.PredictionsError: its predictions are damaged.
    """
    if not FEWEST_RUNS <= len(folders) <= MOST_RUNS:
        raise CompareError(
            f"give {FEWEST_RUNS} to {MOST_RUNS} folders of finished runs; "
            f"received {len(folders)}"
        )
    runs = [
        stored_runs.read_run(folder, name)
        for folder, name in zip(folders, _short_names(folders), strict=True)
    ]
    present = {split for run in runs for split in run.metrics}
    splits = [s for s in stored_runs.SPLITS if s in present]
    splits += sorted(present.difference(splits))
    page = report.render(
        "compare.html",
        title=f"Comparison of {len(runs)} runs",
        runs=runs,
        settings=differing_settings(runs),
        charts=_learning_charts(runs),
        splits=[_split(name, runs) for name in splits],
    )
    files.write_text(path, page)


def differing_settings(runs: Sequence[StoredRun]) -> dict[str, list]:
    """Returns setting -> its value in each run, where they are not all one.

    Of a model whose settings are not known each is "unknown".
    """
    known = [run.settings for run in runs if run.settings]
    names = known[0] if known else ()
    return {
        name: [run.settings.get(name, "unknown") for run in runs]
        for name in names
        if name not in _NOT_COMPARED
        and any(each[name] != known[0][name] for each in known)
    }


def compare_predictions(first: StoredRun, other: StoredRun, split: str) -> dict:
    """Compares two runs on the examples that both predicted.

    Returns:
      {"n": shared examples, "only_first" and "only_other": how many of them
      one run alone got right, "difference": accuracy of `other` less that of
      `first`, in [-1, 1], "interval" [low, high] (95%, paired), "p_value"
      (McNemar, exact)}; or {"reason": why they cannot be compared}.

    Raises:
      predictions.PredictionsError: predictions are damaged.
    """
    if _family(first) != _family(other):
        return {"reason": f"{other.name} was scored on {other.data}"}
    predicted = []
    for run in (first, other):
        path = run.path / run_folder.PREDICTIONS
        stored = predictions.read(path, split) if path.exists() else None
        if stored is None:
            return {"reason": f"{run.name} kept no predictions of this split"}
        predicted.append(_by_example(run, split, stored))
    shared = predicted[0].keys() & predicted[1].keys()
    pairs = [(predicted[0][name], predicted[1][name]) for name in shared]
    if not pairs:
        return {"reason": "the runs predicted different examples"}
    relabelled = sum(one[0] != two[0] for one, two in pairs)
    if relabelled:
        return {"reason": f"{relabelled:,} shared examples have other labels"}
    only_first = sum(one[1] and not two[1] for one, two in pairs)
    only_other = sum(two[1] and not one[1] for one, two in pairs)
    n = len(pairs)
    return {
        "n": n,
        "only_first": only_first,
        "only_other": only_other,
        "difference": (only_other - only_first) / n,
        "interval": intervals.paired_interval(only_other, only_first, n),
        "p_value": intervals.mcnemar_p(only_first, only_other),
    }


def _family(run: StoredRun) -> str:
    """The data set; names of examples of another one mean other examples."""
    return run.data.partition("/")[0]


def _by_example(
    run: StoredRun, split: str, stored: predictions.Predictions
) -> dict[str, tuple[str, bool]]:
    """Example -> name of its class, and whether the run named it."""
    names = run.metrics[split].class_names if split in run.metrics else []
    if stored.probabilities.shape[1] != len(names):
        raise CompareError(
            f"{run.path}: {run_folder.PREDICTIONS} has "
            f"{stored.probabilities.shape[1]} classes and metrics.json "
            f"{len(names)} on {split}; train the run again"
        )
    is_right = stored.probabilities.argmax(axis=1) == stored.labels
    rows = zip(stored.ids, stored.labels, is_right.tolist(), strict=True)
    common = [labels.common_name(name) for name in names]
    return {name: (common[label], right) for name, label, right in rows}


def _split(name: str, runs: Sequence[StoredRun]) -> dict:
    scored = [run for run in runs if name in run.metrics]
    metrics = {run.name: run.metrics[name] for run in scored}
    classes = list(
        dict.fromkeys(c for m in metrics.values() for c in m.class_names)
    )
    recalls = {
        run: [m.recalls.get(c) for c in classes] for run, m in metrics.items()
    }
    return {
        "name": name,
        "metrics": metrics,
        "same_count": len({m.n for m in metrics.values()}) == 1,
        "first": runs[0].name,
        "pairs": {
            run.name: compare_predictions(runs[0], run, name)
            for run in runs[1:]
        },
        "classes": classes,
        "recalls": recalls,
        "chart": charts.recall_chart(classes, recalls),
    }


def _learning_charts(runs: Sequence[StoredRun]) -> list[dict]:
    """Curves of the runs that were trained here; none of evaluations alone."""
    if not any(run.epochs for run in runs):
        return []
    accuracy = {r.name: 100 * r.history["val_accuracy"] for r in runs}
    loss = {r.name: r.history["val_loss"] for r in runs}
    rate = {r.name: r.history["learning_rate"] for r in runs}
    return [
        charts.epoch_chart("Validation accuracy", "accuracy (%)", accuracy),
        charts.epoch_chart("Validation loss", "loss (nats)", loss),
        charts.epoch_chart("Learning rate", "rate", rate, is_log=True),
    ]


def _short_names(folders: Sequence[pathlib.Path]) -> list[str]:
    """The folders' own names, or their paths where two are called the same."""
    resolved = [folder.resolve() for folder in folders]
    if len(set(resolved)) < len(resolved):
        raise CompareError("one folder is given twice; give different runs")
    names = [path.name for path in resolved]
    return [
        name if names.count(name) == 1 else str(folder)
        for name, folder in zip(names, folders, strict=True)
    ]


def _parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m trainer.compare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--out", type=pathlib.Path, required=True, help="the page to write"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace a page of that name"
    )
    parser.add_argument(
        "runs",
        type=pathlib.Path,
        nargs="+",
        metavar="RUN",
        help="folder of a finished run or an evaluation; "
        f"{FEWEST_RUNS} to {MOST_RUNS}, the first to compare the others with",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(console.run_stoppable(main))

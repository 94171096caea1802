"""`run_search(options)`: from options to trials, best.flags and a report.

A search that was interrupted resumes when the same command is typed again;
`tuning.folder` says what its folder holds.
"""

import dataclasses
import pathlib
from typing import Any

import keras
import tensorflow as tf
from keras_tuner import errors

from trainer import console
from trainer import files
from trainer import runtime
from trainer.data import prepared
from trainer.models import build_model
from tuning import features as features_lib
from tuning import folder as folder_lib
from tuning import report
from tuning import results
from tuning import service
from tuning import trials
from tuning import tuner as tuner_lib
from tuning.options import KEPT
from tuning.options import SearchOptions


def run_search(
    options: SearchOptions, *, overwrite: bool = False
) -> report.Found | None:
    """Runs a search, or resumes it, and writes what it found.

    Args:
      options: all choices of the search.
      overwrite: delete a search that is already there.

    Returns:
      What was found; None in a worker, whose chief has it.

    Raises:
      folder.SearchError: the folder holds something else, or no trial
        succeeded; the text has the first trial's traceback then.
      ValueError: settings, data or weights do not do.
      service.ServiceError: chief and workers cannot reach each other.
    """
    settings = prepared.with_classes(options.settings)
    options = dataclasses.replace(options, settings=settings)
    role = service.role()
    if role == "worker":
        folder_lib.wait_for_chief(options.out)
    with (
        folder_lib.alone(options.out),
        console.told_when_stopped(lambda: _stands(options.out)),
    ):
        overwrite = overwrite and role != "worker"
        folder_lib.check_folder(options, overwrite=overwrite)
        strategy = runtime.configure(options.base.training)
        work = _prepare(options, strategy)
        if role != "worker":
            folder_lib.open_folder(options, overwrite=overwrite)
        folder_lib.keep_key(options.out, work.key)
        tuner = tuner_lib.SearchTuner(options, work.train, work.layers)
        _run_trials(role, tuner, options)
        if role == "worker":
            return None
        return _finish(options, work)


def _stands(out: pathlib.Path) -> str:
    """Says how far a search has come, in a sentence."""
    count = len(results.read_trials(out / results.TRIALS))
    return f"{count} trials are kept in {out}. The same command resumes"


@dataclasses.dataclass(frozen=True)
class _Work:
    """What trials are trained with.

    Attributes:
      train: trains one.
      layers: names of the network's layers that have weights.
      key: what features depend on; empty for whole runs.
    """

    train: trials.Train
    layers: tuple[str, ...]
    key: dict[str, Any]


def _prepare(options: SearchOptions, strategy: tf.distribute.Strategy) -> _Work:
    """Reads the data and computes features: all that trials share."""
    base = options.base
    prepared.find_data(base.data)
    if options.scope == "full":
        # Each trial would come upon damage anew, in a process of its own.
        for split in base.data.splits.values():
            prepared.load_ids(base.data, split)
        model = build_model(base, len(base.data.class_names), keras)
        layers = tuple(layer.name for layer in model.layers if layer.weights)
        return _Work(trials.train_whole, layers, {})
    data = prepared.settle_reading(base.data)
    splits = prepared.load_splits(data)
    features = features_lib.get_features(
        base,
        splits,
        strategy,
        num_passes=options.feature_passes,
    )
    train = trials.make_head_training(features, splits, strategy)
    # The order of examples depends on how they are read.
    is_streamed = data.reading == "stream"
    reading = {"reading": data.reading} if is_streamed else {}
    return _Work(train, (), {**features.key, **reading})


def _run_trials(
    role: str, tuner: tuner_lib.SearchTuner, options: SearchOptions
) -> None:
    workers = options.out / folder_lib.WORKERS
    try:
        if role == "chief":
            service.serve(tuner.oracle, workers, options.worker_timeout)
        elif role == "worker":
            with service.explain_lost_chief(), service.beating(workers):
                tuner.search()
        else:
            tuner.search()
    except errors.FatalRuntimeError as error:
        raise error.__cause__ from None


def _finish(options: SearchOptions, work: _Work) -> report.Found:
    out = options.out
    found = results.read_trials(out / results.TRIALS)
    order = results.ranked(found, options.objective)
    if not order:
        first = found[0].message if found else "no trial was begun"
        raise folder_lib.SearchError(
            f"none of {len(found)} trials succeeded. The first one said:\n"
            f"{first}"
        )
    results.prune(out, options.objective)
    spreads = _train_seeds(options, order[:KEPT], work)
    candidates = [s for s in spreads if s.name != results.RECIPE]
    best = order[0].name
    if candidates:
        best = results.winner(candidates, options.objective).name
    values = next(trial.values for trial in order if trial.name == best)
    names = [each.name for each in options.parameters]
    table = results.trials_csv(found, names, options.objective)
    files.write_text(out / folder_lib.TABLE, table)
    files.write_text(
        out / folder_lib.BEST_FLAGS,
        folder_lib.best_flags(options, best, values, layers=work.layers),
    )
    outcome = report.Found(found, spreads if candidates else [], best)
    report.write_report(out / folder_lib.REPORT, options, outcome)
    return outcome


def _train_seeds(
    options: SearchOptions, best: list[results.Trial], work: _Work
) -> list[results.Spread]:
    """Spreads of the best trials and, last, of the recipe as it was given."""
    if not options.confirm_seeds:
        return []
    objective = options.objective
    choices = [(t.name, t.values, t.metrics[objective]) for t in best]
    spreads = []
    for name, values, searched in [*choices, (results.RECIPE, {}, None)]:
        scores = []
        for more in range(1, options.confirm_seeds + 1):
            seed = options.settings.training.seed + more
            done = _train_seed(options, name, values, seed=seed, work=work)
            if done is not None:
                scores.append(done.metrics[objective])
        if scores:
            spread = results.Spread(name, searched, tuple(scores))
            spreads.append(spread)
            print(
                f"{name}: {objective} {spread.mean:.4f} over "
                f"{len(scores)} further seeds",
                flush=True,
            )
    return spreads


def _train_seed(
    options: SearchOptions,
    name: str,
    values: dict[str, Any],
    *,
    seed: int,
    work: _Work,
) -> results.Trial | None:
    folder = options.out / results.SEEDS / f"{name}-{seed}"
    settings = tuner_lib.trial_settings(
        options, values, options.epochs, layers=work.layers, seed=seed
    )
    try:
        return trials.run_trial(folder, settings, values, train_call=work.train)
    except OSError:
        raise
    except Exception:  # What it was stands in its result.json.
        return None
    finally:
        results.prune(options.out, options.objective)

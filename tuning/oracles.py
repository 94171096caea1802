"""KerasTuner's algorithms over our search space, made safe to interrupt.

An oracle chooses the values of trials and remembers how they ended. What is
mended here, of KerasTuner 1.4.8: its files are written in place, so that
kill -9 can leave half of one; a trial that was running then may be forgotten;
a grid cannot be resumed, and its first points differ in the last
hyperparameters alone; a search goes on when every trial fails.
"""

import contextlib
import json
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import keras_tuner
from keras_tuner import oracles
from keras_tuner.engine import oracle as oracle_lib
from keras_tuner.engine.trial import Trial

from trainer import files
from trainer import json_files
from tuning import space
from tuning.options import BEGIN_AGAIN
from tuning.options import OBJECTIVES
from tuning.options import SearchOptions

# So many failures before anything succeeded end a search: it is not the
# hyperparameters then.
MOST_FAILURES = 5

# KerasTuner stops at so many failures in a row, by an exception that leaves
# its lock held; ours above is the one that counts.
_NEVER = 10**9


class _Durable(oracle_lib.Oracle):
    """An oracle whose files are whole at any time."""

    def save(self) -> None:
        files.write_text(self._get_oracle_fname(), json.dumps(self.get_state()))

    def _save_trial(self, trial: Trial) -> None:
        path = os.path.join(self._get_trial_dir(trial.trial_id), "trial.json")
        files.write_text(path, json.dumps(trial.get_state()))

    def reload(self) -> None:
        folder = pathlib.Path(self._project_dir)
        for path in folder.glob("trial_*/trial.json"):
            json_files.read(path, Trial.from_state, advice=BEGIN_AGAIN)
        path = self._get_oracle_fname()
        json_files.read(path, self._reload, advice=BEGIN_AGAIN)
        # Killed between the two files of a new trial, the oracle knows
        # nothing of it.
        for name, trial in self.trials.items():
            waits = name in self._retry_queue or name in self.end_order
            if trial.status == "RUNNING" and not waits:
                self._retry_queue.append(name)
            if name not in self.start_order:
                self.start_order.append(name)

    def _reload(self, state: Any) -> None:
        """KerasTuner reads its files again, and says KeyError its own way."""
        json_files.as_object(state)
        try:
            super().reload()
        except RuntimeError as error:
            raise ValueError(repr(error.__cause__)) from error

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        if self.has_only_failures():
            return {"status": "STOPPED", "values": None}
        return super().populate_space(trial_id)

    def has_only_failures(self) -> bool:
        """Whether the first trials have all failed."""
        statuses = [self.trials[name].status for name in self.end_order]
        return len(statuses) >= MOST_FAILURES and "COMPLETED" not in statuses

    @keras_tuner.synchronized
    def end_trial(self, trial: Trial) -> None:
        name = trial.trial_id
        # It may have been handed on, because its worker seemed lost.
        if name in self._retry_queue:
            self._retry_queue.remove(name)
        if name not in self.end_order:
            super().end_trial(trial)
            return
        self.trials[name].status = trial.status
        for tuner_id, ongoing in list(self.ongoing_trials.items()):
            if ongoing.trial_id == name:
                self.ongoing_trials.pop(tuner_id)

    @keras_tuner.synchronized
    def give_up(self, tuner_id: str) -> bool:
        """Hands the trial of a worker that is gone to the next one that asks.

        Returns:
          Whether it had one.
        """
        trial = self.ongoing_trials.pop(tuner_id, None)
        if trial is not None:
            self._retry_queue.append(trial.trial_id)
            self.save()
        self.tuner_ids.discard(tuner_id)
        return trial is not None

    @keras_tuner.synchronized
    def is_over(self, has_stopped: bool) -> bool:
        """Whether nothing runs or waits, and no trial is left.

        Args:
          has_stopped: whether a worker was told that there is none.
        """
        is_busy = bool(self.ongoing_trials or self._retry_queue)
        is_full = len(self.trials) >= self.max_trials
        is_last = is_full or has_stopped or self.has_only_failures()
        return is_last and not is_busy


class _Random(_Durable, oracles.RandomSearchOracle):
    """Values drawn at random."""


class _Bayesian(_Durable, oracles.BayesianOptimizationOracle):
    """Values where a Gaussian process hopes for the most."""


class _Hyperband(_Durable, oracles.HyperbandOracle):
    """Many short trials, of which the best are trained again for longer."""


class _Grid(_Durable):
    """The points of a grid, each once, the first of them spread over it."""

    parameters: tuple[space.Parameter, ...]

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        number = len(self.start_order)
        if self.has_only_failures() or number >= self.max_trials:
            return {"status": "STOPPED", "values": None}
        point = space.grid_point(self.parameters, number)
        values = {
            each.name: _encode(each, point[each.name])
            for each in self.parameters
            if each.name in point
        }
        return {"status": "RUNNING", "values": values}


def make_oracle(options: SearchOptions) -> oracle_lib.Oracle:
    """Returns the oracle of a search, without anything it did before."""
    name, less_is_better = OBJECTIVES[options.objective]
    common = {
        "objective": keras_tuner.Objective(
            name, "min" if less_is_better else "max"
        ),
        "hyperparameters": _declare(options.parameters),
        "tune_new_entries": False,
        "allow_new_entries": False,
        # Zero would be a random one.
        "seed": options.settings.training.seed + 1,
        "max_consecutive_failed_trials": _NEVER,
    }
    count = options.max_trials
    if options.algorithm == "random":
        oracle = _Random(max_trials=count, **common)
    elif options.algorithm == "bayesian":
        # Its own default, three for each hyperparameter, would leave nothing
        # to choose by in a short search.
        start = min(2 * len(options.parameters), max(3, count // 3))
        oracle = _Bayesian(max_trials=count, num_initial_points=start, **common)
    elif options.algorithm == "hyperband":
        # Brackets follow each other until there are enough trials.
        oracle = _Hyperband(
            max_epochs=options.epochs, hyperband_iterations=count, **common
        )
    else:
        oracle = _Grid(**common)
        oracle.parameters = options.parameters
        count = min(count, space.count_points(options.parameters))
    oracle.max_trials = count
    oracle.verbose = 0
    return oracle


def decode(
    options: SearchOptions, hyperparameters: keras_tuner.HyperParameters
) -> tuple[dict[str, Any], int]:
    """Returns the values of a trial, and for how many epochs it trains."""
    given = hyperparameters.values
    values = {}
    for parameter in options.parameters:
        if not space.is_active(parameter, values):
            continue
        value = given[parameter.name]
        values[parameter.name] = (
            parameter.values[value] if parameter.values else space.tidy(value)
        )
    return values, given.get("tuner/epochs", options.epochs)


def _declare(
    parameters: Sequence[space.Parameter],
) -> keras_tuner.HyperParameters:
    """The search space in KerasTuner's terms.

    A choice is declared by its place in the table: the service passes real
    numbers in single precision, and 0.05 would not be 0.05 any more.
    """
    declared = keras_tuner.HyperParameters()
    places = {each.name: each for each in parameters}
    for each in parameters:
        with contextlib.ExitStack() as stack:
            if each.parent:
                parent = places[each.parent]
                allowed = [_encode(parent, v) for v in each.parent_values]
                stack.enter_context(
                    declared.conditional_scope(each.parent, allowed)
                )
            if each.values:
                declared.Choice(each.name, list(range(len(each.values))))
            else:
                declared.Float(each.name, each.low, each.high, sampling="log")
    return declared


def _encode(parameter: space.Parameter, value: Any) -> Any:
    return parameter.values.index(value) if parameter.values else value

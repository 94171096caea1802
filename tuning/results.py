"""What a search found: read from the folders of its trials, ranked, written.

Everything here works from result.json files, so it does not matter which
process ran a trial. Must not import TensorFlow or KerasTuner.
"""

import csv
import dataclasses
import io
import json
import math
import pathlib
import shutil
from collections.abc import Sequence
from typing import Any

from trainer import files
from trainer import json_files
from trainer import run_folder
from tuning.options import KEPT
from tuning.options import OBJECTIVES

RESULT = "result.json"
TRIALS = "trials"
SEEDS = "seeds"

# The settings that were given, among those trained with further seeds.
RECIPE = "recipe"

# Attribute of a trial -> its key in result.json, where that is another: the
# searches that are there already have it.
_KEYS = {"metrics": "figures"}

# What a trial that is not among the best gives up, and what every finished
# one does; histories and curves are small and stay.
_LARGE = (run_folder.BEST_WEIGHTS, run_folder.PREDICTIONS, run_folder.REPORT)


@dataclasses.dataclass(frozen=True)
class Trial:
    """How a trial ended.

    Attributes:
      name: of its folder.
      values: hyperparameters.
      seed: it was trained with.
      status: completed, diverged or failed; running before it ended.
      metrics: validation accuracy and macro_f1 in [0, 1] and loss in nats of
        the epoch whose weights are kept.
      epochs: trained.
      seconds: from its beginning to its end.
      message: the traceback of a trial that failed.
    """

    name: str
    values: dict[str, Any]
    seed: int = 0
    status: str = "running"
    metrics: dict[str, float] = dataclasses.field(default_factory=dict)
    epochs: int = 0
    seconds: float = 0.0
    message: str = ""

    @property
    def is_completed(self) -> bool:
        """Whether it has metrics."""
        return self.status == "completed"


def write_trial(folder: pathlib.Path, trial: Trial) -> None:
    """Keeps how a trial ended."""
    values = dataclasses.asdict(trial)
    stored = {_KEYS.get(name, name): values[name] for name in values}
    text = json.dumps(stored, indent=2) + "\n"
    files.write_text(folder / RESULT, text)


def read_trial(folder: pathlib.Path) -> Trial | None:
    """Returns how a trial ended; None when it has not.

    Raises:
      json_files.DamagedFileError: it cannot be read.
    """
    path = folder / RESULT
    advice = f"delete {folder}; the search goes on without that trial"
    try:
        return json_files.read(path, _as_trial, advice=advice)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _as_trial(value: Any) -> Trial:
    stored = json_files.as_object(value)
    names = {key: name for name, key in _KEYS.items()}
    trial = json_files.as_dataclass(
        Trial, {names.get(key, key): stored[key] for key in stored}
    )
    if trial.is_completed:
        for name in OBJECTIVES:
            float(trial.metrics[name])
    return trial


def read_trials(folder: pathlib.Path) -> list[Trial]:
    """Returns the trials below a folder that have ended, by name."""
    found = [read_trial(path) for path in sorted(folder.glob("*"))]
    return [trial for trial in found if trial is not None]


def ranked(trials: Sequence[Trial], objective: str) -> list[Trial]:
    """Returns the completed trials, the best first.

    Trials of equal metrics keep their order.
    """
    completed = [trial for trial in trials if trial.is_completed]
    sign = 1 if OBJECTIVES[objective][1] else -1
    return sorted(completed, key=lambda t: sign * t.metrics[objective])


def prune(out: pathlib.Path, objective: str) -> None:
    """Deletes what only unfinished or the best trials need.

    Several processes may do that at once.
    """
    trials = read_trials(out / TRIALS)
    best = {trial.name for trial in ranked(trials, objective)[:KEPT]}
    for trial in trials:
        _prune_trial(out / TRIALS / trial.name, keep=trial.name in best)
    for trial in read_trials(out / SEEDS):
        _prune_trial(out / SEEDS / trial.name, keep=False)


def trials_csv(
    trials: Sequence[Trial], names: Sequence[str], objective: str
) -> str:
    """Returns a table of all trials as CSV text: completed ones by rank."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    metrics = tuple(OBJECTIVES)
    writer.writerow(
        ["rank", "trial", "status", *metrics, "epochs", "seconds", *names]
    )
    order = ranked(trials, objective)
    rest = [trial for trial in trials if not trial.is_completed]
    for rank, trial in enumerate([*order, *rest], start=1):
        writer.writerow(
            [
                rank if trial.is_completed else "",
                trial.name,
                trial.status,
                *(trial.metrics.get(name, "") for name in metrics),
                trial.epochs,
                round(trial.seconds, 1),
                *(trial.values.get(name, "") for name in names),
            ]
        )
    return text.getvalue()


@dataclasses.dataclass(frozen=True)
class Spread:
    """What further seeds made of one choice of hyperparameters.

    Attributes:
      name: of the trial, or `recipe` for the settings that were given.
      searched: the objective in the search; None for the recipe.
      scores: the objective with each further seed.
    """

    name: str
    searched: float | None
    scores: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Of the further seeds."""
        return sum(self.scores) / len(self.scores)

    @property
    def deviation(self) -> float:
        """Standard deviation over the seeds; NaN for fewer than two."""
        if len(self.scores) < 2:
            return math.nan
        squares = sum((score - self.mean) ** 2 for score in self.scores)
        return math.sqrt(squares / (len(self.scores) - 1))


def difference(first: Spread, second: Spread, pool: Sequence[Spread]) -> dict:
    """Compares two choices of hyperparameters over their seeds.

    Args:
      first: one.
      second: the other.
      pool: all spreads, whose common variance is the noise: that of two or
        three seeds alone would be a matter of luck.

    Returns:
      {"difference": mean of `first` less that of `second`, "noise": twice its
      standard error, "is_noise": whether it is no larger than that, or cannot
      be known}.
    """
    known = [s for s in pool if len(s.scores) > 1]
    freedom = sum(len(s.scores) - 1 for s in known)
    gap = first.mean - second.mean
    if not freedom:
        return {"difference": gap, "noise": math.nan, "is_noise": True}
    squares = sum((len(s.scores) - 1) * s.deviation**2 for s in known)
    inverse = 1 / len(first.scores) + 1 / len(second.scores)
    noise = 2 * math.sqrt(squares / freedom * inverse)
    return {"difference": gap, "noise": noise, "is_noise": abs(gap) <= noise}


def winner(spreads: Sequence[Spread], objective: str) -> Spread:
    """Returns the best by its mean over further seeds.

    The seed that a trial won the search with flatters it; these do not.
    """
    sign = 1 if OBJECTIVES[objective][1] else -1
    return min(spreads, key=lambda spread: sign * spread.mean)


def _prune_trial(folder: pathlib.Path, *, keep: bool) -> None:
    shutil.rmtree(folder / run_folder.CHECKPOINTS, ignore_errors=True)
    for name in () if keep else _LARGE:
        (folder / name).unlink(missing_ok=True)

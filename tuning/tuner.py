"""KerasTuner's loop over trials, which are trained by `tuning.trials`."""

import contextlib
import dataclasses
import io
import time
from typing import Any

from keras_tuner import errors
from keras_tuner.engine import base_tuner
from keras_tuner.engine.trial import Trial
from keras_tuner.src import config

from trainer import files
from trainer.settings.settings import Settings
from tuning import oracles
from tuning import results
from tuning import service
from tuning import space
from tuning import trials
from tuning.options import OBJECTIVES
from tuning.options import SearchOptions

ORACLE_FOLDER = "oracle"

# A worker that asks for a trial while none can be chosen asks again at once.
PAUSE_SECONDS = 0.2


class SearchTuner(base_tuner.BaseTuner):
    """Asks an oracle for trials, has them trained and tells it the metrics."""

    def __init__(
        self,
        options: SearchOptions,
        train_call: trials.Train | None,
        layers: tuple[str, ...] = (),
    ):
        """Resumes where the search stands.

        Args:
          options: of the search.
          train_call: trains a trial; a chief trains none.
          layers: names of the network's layers that have weights.
        """
        self._options, self._train, self._layers = options, train_call, layers
        # It prints every traceback; result.json has them.
        config.DEBUG = False
        # It says which file it reads when it resumes.
        with contextlib.redirect_stdout(io.StringIO()):
            super().__init__(
                oracles.make_oracle(options),
                directory=str(options.out),
                project_name=ORACLE_FOLDER,
            )
        if self._is_worker():
            self.oracle = service.PatientOracle(self.oracle)
        self.save()

    def pre_create_trial(self) -> None:
        """Waits a moment: nothing else does where no trial can be chosen."""
        time.sleep(PAUSE_SECONDS)

    def run_trial(self, trial: Trial) -> dict[str, float]:
        """Trains one trial.

        Returns:
          Its validation metrics, under the names of history.csv.

        Raises:
          keras_tuner.errors.FatalRuntimeError: no fault of the trial.
        """
        options = self._options
        values, epochs = oracles.decode(options, trial.hyperparameters)
        folder = options.out / results.TRIALS / trial.trial_id
        settings = trial_settings(options, values, epochs, layers=self._layers)
        try:
            done = trials.run_trial(
                folder, settings, values, train_call=self._train
            )
        except OSError as error:
            raise errors.FatalRuntimeError(str(error)) from error
        return {
            column: done.metrics[name]
            for name, (column, _) in OBJECTIVES.items()
        }

    def on_trial_end(self, trial: Trial) -> None:
        """Tells the oracle, frees the disk and prints a line."""
        super().on_trial_end(trial)
        results.prune(self._options.out, self._options.objective)
        self._report(trial.trial_id)

    def save(self) -> None:
        """Saves the state; a worker has none of its own."""
        if not self._is_worker():
            self.oracle.save()
            files.write_text(self._get_tuner_fname(), "{}")

    def reload(self) -> None:
        """Takes up the state of an interrupted search."""
        if not self._is_worker():
            self.oracle.reload()

    def _report(self, name: str) -> None:
        out, objective = self._options.out, self._options.objective
        trial = results.read_trial(out / results.TRIALS / name)
        if trial is None:
            return
        best = results.ranked(
            results.read_trials(out / results.TRIALS), objective
        )
        score = trial.status
        if trial.is_completed:
            score = f"{objective} {trial.metrics[objective]:.4f}"
        top = f"{best[0].metrics[objective]:.4f}" if best else "none"
        print(
            f"trial {name}/{self._options.max_trials}  {score}  best {top}  "
            f"{trial.seconds:.1f} s  {_as_line(trial.values)}",
            flush=True,
        )


def trial_settings(
    options: SearchOptions,
    values: dict,
    epochs: int,
    *,
    layers: tuple[str, ...],
    seed: int | None = None,
) -> Settings:
    """Returns the settings of a trial.

    Args:
      options: of the search.
      values: hyperparameters.
      epochs: of the phase that is searched.
      layers: names of the network's layers that have weights.
      seed: another one than the search's.
    """
    settings = space.to_settings(options.base, values, layers)
    phase = "head" if options.scope == "head" else "fine_tune"
    changes = {f"{phase}_epochs": epochs}
    if seed is not None:
        changes["seed"] = seed
    training = dataclasses.replace(settings.training, **changes)
    return dataclasses.replace(settings, training=training)


def _as_line(values: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in values.items())

"""Searches for better settings of a training run.

Example:

  python -m tuning --flagfile=densenet.flags --out=runs/densenet_search

takes the trainer's flags and searches around them. A search that was
interrupted goes on when the same command is typed again.
"""

import pathlib

from absl import app
from absl import flags
from absl import logging

from trainer import console
from trainer.settings import cli_flags
from tuning import options as options_lib

flags.adopt_module_key_flags(cli_flags)

OUT = flags.DEFINE_string("out", None, "Folder of the search.")
SCOPE = flags.DEFINE_enum(
    "scope",
    "head",
    ["head", "full"],
    "head: heads on backbone features that are computed once. full: "
    "fine-tuning, each trial a whole run.",
)
ALGORITHM = flags.DEFINE_enum(
    "algorithm", "random", list(options_lib.ALGORITHMS), "Who chooses trials."
)
OBJECTIVE = flags.DEFINE_enum(
    "objective",
    "accuracy",
    list(options_lib.OBJECTIVES),
    "Validation figure to search by.",
)
MAX_TRIALS = flags.DEFINE_integer(
    "max_trials", 30, "Trials, failed ones included.", lower_bound=1
)
TUNE = flags.DEFINE_list(
    "tune", [], "Hyperparameters to search; default: all of the scope."
)
FEATURE_PASSES = flags.DEFINE_integer(
    "feature_passes",
    0,
    "head: augmented passes over the training images that features are "
    "computed of; epochs take turns. 0: the images as they are.",
    lower_bound=0,
    upper_bound=20,
)
FEATURE_CACHE = flags.DEFINE_string(
    "feature_cache",
    "runs/feature_cache",
    "head: folder that keeps computed features; may be deleted at any time.",
)
CONFIRM_SEEDS = flags.DEFINE_integer(
    "confirm_seeds",
    3,
    "Further seeds that the three best, and the recipe as it is, are trained "
    "with; 0 is off.",
    lower_bound=0,
)
WORKER_TIMEOUT = flags.DEFINE_float(
    "worker_timeout",
    60.0,
    "Several processes: seconds after which a silent worker counts as lost.",
    lower_bound=5,
)


def main(argv: list[str]) -> int:
    """Runs one search; returns the exit code of the process."""
    if len(argv) > 1:
        raise app.UsageError(
            f"{argv[1:]} are not flags; write --name=value, also in a flagfile"
        )
    try:
        options = _options()
    except ValueError as error:
        # TensorFlow loads for seconds: a wrong flag should not wait for it.
        raise app.UsageError(str(error)) from error
    return console.run_command(lambda: _search(options))


def _options():
    if not OUT.value:
        raise ValueError("give --out=FOLDER, where the search is kept")
    settings = cli_flags.settings_from_flags()
    workdir = cli_flags.WORKDIR.value or f"runs/{settings.model.backbone}"
    return options_lib.SearchOptions(
        settings=settings,
        out=pathlib.Path(OUT.value),
        workdir=f"{workdir}_tuned",
        scope=SCOPE.value,
        algorithm=ALGORITHM.value,
        objective=OBJECTIVE.value,
        max_trials=MAX_TRIALS.value,
        tune=tuple(TUNE.value),
        feature_passes=FEATURE_PASSES.value,
        feature_cache=pathlib.Path(FEATURE_CACHE.value),
        confirm_seeds=CONFIRM_SEEDS.value,
        worker_timeout=WORKER_TIMEOUT.value,
    )


def _search(options) -> None:
    if not flags.FLAGS["verbosity"].present:
        # TensorFlow warns of every trial's new graph.
        logging.set_verbosity(logging.ERROR)
    from tuning import folder
    from tuning import report
    from tuning import search

    found = search.run_search(options, overwrite=cli_flags.OVERWRITE.value)
    if found is None:
        print("no trial is left; the chief writes the results")
        return
    for verdict in report.verdicts(options, found):
        print(verdict)
    print(f"report:  {options.out / folder.REPORT}")
    print(
        "next:    python -m trainer --flagfile=YOURS.flags "
        f"--flagfile={options.out / folder.BEST_FLAGS}"
    )


if __name__ == "__main__":
    app.run(main)

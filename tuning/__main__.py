"""Searches for better settings of a training run.

Example:

  python -m tuning --flagfile=densenet.flags --out=runs/densenet_search

takes the trainer's flags and searches around them. A search that was
interrupted resumes when the same command is typed again.
"""

import pathlib

from absl import app
from absl import flags
from absl import logging

from trainer import console
from trainer.settings import cli_flags
from trainer.settings import derived_flags
from tuning import options as options_lib

flags.adopt_module_key_flags(cli_flags)

OUT = flags.DEFINE_string("out", None, "Folder of the search.")
derived_flags.define(options_lib.SearchOptions)


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


def _options() -> options_lib.SearchOptions:
    if not OUT.value:
        raise ValueError("give --out=FOLDER, where the search is kept")
    settings = cli_flags.settings_from_flags()
    workdir = cli_flags.WORKDIR.value or f"runs/{settings.model.backbone}"
    return options_lib.SearchOptions(
        settings=settings,
        out=pathlib.Path(OUT.value),
        workdir=f"{workdir}_tuned",
        **derived_flags.values_of(options_lib.SearchOptions),
    )


def _search(options: options_lib.SearchOptions) -> None:
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
    app.run(main, flags_parser=derived_flags.parse)

"""Trains a facial-expression classifier and reports on it.

Example:

  python -m trainer --flagfile=edge.flags

Flags given after a flagfile win over it. A run that was interrupted
resumes after its last finished epoch when the same command is typed again.
`trainer.exit_codes` says what the exit codes mean.
"""

import pathlib
import sys

from absl import app
from absl import flags

from trainer import console
from trainer import run_folder
from trainer.settings import cli_flags
from trainer.settings import derived_flags
from trainer.settings import manual
from trainer.settings.settings import Settings

flags.adopt_module_key_flags(cli_flags)


def main(argv: list[str]) -> int:
    """Runs one training; returns the exit code of the process."""
    if len(argv) > 1:
        raise app.UsageError(
            f"{argv[1:]} are not flags; write --name=value, also in a flagfile"
        )
    try:
        settings = cli_flags.settings_from_flags()
    except ValueError as error:
        # TensorFlow loads for seconds: a wrong flag should not wait for it.
        raise app.UsageError(str(error)) from error
    idle = cli_flags.idle_line(settings)
    if idle:
        print(idle, file=sys.stderr, flush=True)
    return console.run_command(lambda: _train(settings))


def _parse(arguments: list[str]) -> list[str]:
    """Parses flags; `--help` shows the manual in place of absl's listing."""
    if {"--help", "-help"} & set(arguments[1:]):
        print(manual.manual())
        sys.exit(0)
    return derived_flags.parse(arguments)


def _train(settings: Settings) -> None:
    workdir = pathlib.Path(
        cli_flags.WORKDIR.value or f"runs/{settings.model.backbone}"
    )
    from trainer import train
    from trainer.evaluation import evaluate
    from trainer.evaluation import undertrained

    metrics = train.train_and_evaluate(
        settings, workdir, overwrite=cli_flags.OVERWRITE.value
    )
    for name, split in metrics.items():
        print(evaluate.headline(name, split))
    print(f"report:  {workdir / run_folder.REPORT}")
    nothing = undertrained.learned_nothing(metrics["validation"])
    if nothing:
        print(f"WARNING: {nothing}", file=sys.stderr, flush=True)
        print(f"next:    {undertrained.advice(settings.training)}")
    else:
        print(f"next:    python -m export --workdir={workdir} --tflite")


if __name__ == "__main__":
    app.run(main, flags_parser=_parse)

"""Reports on any model and any prepared data.

  python -m trainer.evaluate --model=runs/edge --dataset=image_folder --out=DIR

The model is the workdir of a finished run, a .tflite file that `python -m
export` wrote, or `edge` or `pocket`, the released ones. Classes are matched by
name. The folder holds what the end of a run writes of a split: metrics,
predictions, robustness and the page; `python -m trainer.compare` takes it as it
takes runs.
"""

import argparse
import dataclasses
import os
import pathlib
import sys
from typing import Any

from trainer import console
from trainer import exit_codes
from trainer import files
from trainer import run_folder


class EvaluateError(ValueError):
    """The folder cannot be written as asked; the text says what to do."""


@dataclasses.dataclass(frozen=True)
class Request:
    """What to measure, and where to write it.

    Attributes:
      model: the workdir of a finished run, a `.tflite` file, or the name of a
        released model.
      dataset: name of prepared data.
      split: in TFDS's language.
      data_dir: folder of prepared data; None is that of TFDS.
      out: the folder to write.
      overwrite: replace an evaluation that is there.
    """

    model: str
    dataset: str
    out: pathlib.Path
    split: str = "test"
    data_dir: str | None = None
    overwrite: bool = False


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    request = Request(**vars(_parse_arguments(arguments)))
    return console.run_command(lambda: _report(request))


def evaluate_model(request: Request) -> dict[str, Any]:
    """Measures a model and writes the folder, all of it or nothing.

    Returns:
      The metrics of the split, as in metrics.json.

    Raises:
      ValueError: model, data or folder cannot be used; the text says what to
        do.
      OSError: the folder cannot be written.
    """
    from trainer import measuring

    check_out(request.out, overwrite=request.overwrite)
    _make_folder(request.out.absolute().parent)
    # The hidden folder first: what cannot be written is not worth measuring.
    with files.write_aside(request.out) as aside:
        aside.mkdir()
        measured = measuring.measure(
            request.model,
            request.dataset,
            split=request.split,
            data_dir=request.data_dir,
        )
        measuring.write(aside, measured)
        if request.out.exists():
            # Into the hidden folder, which goes when the new one is in place.
            os.replace(request.out, aside.parent / "old")
    return measured.metrics


def check_out(out: pathlib.Path, *, overwrite: bool) -> None:
    """Refuses a folder that holds something, but for an evaluation.

    Raises:
      EvaluateError: the text says what is there.
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise EvaluateError(f"{out} is no folder; give another --out")
    names = {path.name for path in out.iterdir()}
    others = sorted(names - set(run_folder.EVALUATED))
    if others:
        raise EvaluateError(
            f"{out} holds {others[0]}, which is of no evaluation; give another "
            "--out"
        )
    if names and not overwrite:
        raise EvaluateError(
            f"{out} holds an evaluation; give --overwrite, or another --out"
        )


def _make_folder(folder: pathlib.Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if exit_codes.is_disk_full(error):
            raise
        reason = f"cannot make {folder} ({error.strerror})"
        raise EvaluateError(f"{reason}; give another --out") from error
    if not os.access(folder, os.W_OK):
        raise EvaluateError(f"cannot write to {folder}; give another --out")


def _report(request: Request) -> None:
    from trainer.evaluation import evaluate

    figures = evaluate_model(request)
    print(evaluate.headline(request.split, figures))
    shared = figures["shared_classes"]
    if figures["only_in_model"]:
        low, high = shared["accuracy_interval"]
        print(
            f"among the {len(shared['names'])} shared classes: accuracy "
            f"{shared['accuracy']:.4f} (95% interval {low:.4f} to {high:.4f})"
        )
    for name, count in figures["left_out"].items():
        print(f"left out, since the model does not know it: {count:,} {name}")
    print(f"report:  {request.out / run_folder.REPORT}")


def _parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m trainer.evaluate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--model",
        required=True,
        help="workdir of a finished run, FILE.tflite, edge or pocket",
    )
    parser.add_argument(
        "--dataset", required=True, help="name of the prepared TFDS data set"
    )
    parser.add_argument(
        "--data_dir", help="folder of prepared data; default: that of TFDS"
    )
    parser.add_argument(
        "--split", default="test", help="TFDS split; default: test"
    )
    parser.add_argument(
        "--out", type=pathlib.Path, required=True, help="the folder to write"
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace an evaluation that is there",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

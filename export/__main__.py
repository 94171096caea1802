"""Exports a finished run for programs and devices, and proves it is the same.

Example:

  python -m export --tflite

takes the run that finished last; `--workdir` names another.
"""

import os
import pathlib
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

from absl import app
from absl import flags

from export import options as options_lib
from export.bounds import Bounds
from export.compression import options as compression_options
from export.compression.options import CompressionOptions
from export.options import ExportOptions
from trainer import console
from trainer.settings import derived_flags

WORKDIR = flags.DEFINE_string(
    "workdir", None, "A finished run; default: the one that finished last."
)
RUNS = flags.DEFINE_string(
    "runs", "runs", "Where to look for the run that finished last."
)
SERVING = flags.DEFINE_string(
    "serving",
    None,
    "Publish the SavedModel in this folder, as TensorFlow Serving wants it: "
    "SERVING/NAME/VERSION; without --tflite and --overwrite that of the export "
    "that is there.",
)
SERVING_NAME = flags.DEFINE_string(
    "serving_name", "fer", "--serving: what clients call the model."
)
for _kind in (ExportOptions, Bounds, CompressionOptions):
    derived_flags.define(_kind)


@flags.validator("recipes")
def _check_recipes(names: list[str]) -> bool:
    return _passes(options_lib.check_recipes, names)


@flags.validator("compress")
def _check_compress(names: list[str]) -> bool:
    return _passes(compression_options.check_variants, names)


@flags.multi_flags_validator(
    ["compress", "microcontroller", "web", "tflite"],
    "--compress, --microcontroller and --web need .tflite files: give --tflite",
)
def _check_has_tflite(values: dict[str, Any]) -> bool:
    asked = (values[n] for n in ("compress", "microcontroller", "web"))
    return values["tflite"] or not any(asked)


def _passes(check: Callable[[Sequence[str]], None], names: list[str]) -> bool:
    try:
        check(names)
    except ValueError as error:
        raise flags.ValidationError(str(error)) from error
    return True


def main(argv: list[str]) -> int:
    """Runs one export; returns the exit code of the process."""
    if len(argv) > 1:
        raise app.UsageError(
            f"{argv[1:]} are not flags; write --name=value, also in a flagfile"
        )
    # On a GPU, TF32 arithmetic differs from a device by more than the gate
    # allows; files exported here must be compared on a CPU.
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    return console.run_command(_export)


def _export() -> None:
    # TensorFlow loads for seconds: a wrong flag should not wait for that.
    from export import exporter
    from export import serving
    from trainer import checkpoints

    workdir = WORKDIR.value
    if workdir is None:
        workdir = checkpoints.last_finished_run(RUNS.value)
        print(f"run: {workdir} (the one that finished last)", flush=True)
    options = _options(pathlib.Path(workdir))
    if SERVING.value:
        serving.check(pathlib.Path(SERVING.value), SERVING_NAME.value)
    if options.benchmark and not options.tflite:
        exporter.benchmark_export(options)
    elif not (SERVING.value and _keeps_export(options)):
        _print_result(exporter.export_run(options), workdir)
    if SERVING.value:
        root = pathlib.Path(SERVING.value)
        with console.told_when_stopped(
            lambda: f"{options.target} is there and was not published"
        ):
            published = serving.publish(
                options.target, root, SERVING_NAME.value
            )
        print(f"published: {published}")


def _keeps_export(options: ExportOptions) -> bool:
    """Whether there is an export that nobody asked to write anew."""
    return options.has_export and not (options.tflite or options.overwrite)


def _options(workdir: pathlib.Path) -> ExportOptions:
    values = derived_flags.values_of(ExportOptions)
    compression = derived_flags.values_of(CompressionOptions)
    variants = map(compression_options.canonical, compression["variants"])
    # What is named twice is written once.
    values["recipes"] = tuple(dict.fromkeys(values["recipes"]))
    compression["variants"] = tuple(dict.fromkeys(variants))
    return ExportOptions(
        workdir=workdir,
        bounds=Bounds(**derived_flags.values_of(Bounds)),
        compression=CompressionOptions(**compression),
        **values,
    )


def _print_result(folder: pathlib.Path, workdir: str | pathlib.Path) -> None:
    print("written:")
    for path in sorted(folder.iterdir()):
        files = path.rglob("*") if path.is_dir() else [path]
        size = sum(file.stat().st_size for file in files if file.is_file())
        print(f"  {size / 1000:10.1f} KB  {path}")
    model = folder / "model_int8.tflite"
    if model.exists():
        print(f"next:  python -m edge --model={model} FACE.png")
    else:
        print(
            f"next:  python -m export --workdir={workdir} --tflite --overwrite"
        )


if __name__ == "__main__":
    app.run(main, flags_parser=derived_flags.parse)

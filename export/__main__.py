"""Exports a finished run for programs and devices, and proves it is the same.

Example:

  python -m export --tflite

takes the run that finished last; `--workdir` names another.
"""

import os
import pathlib

from absl import app
from absl import flags

from export import choices
from export.compression import options as compression_options
from trainer import console

WORKDIR = flags.DEFINE_string(
    "workdir", None, "A finished run; default: the one that finished last."
)
RUNS = flags.DEFINE_string(
    "runs", "runs", "Where to look for the run that finished last."
)
OUT = flags.DEFINE_string(
    "out", None, "Folder to write; default: WORKDIR/export."
)
TFLITE = flags.DEFINE_bool(
    "tflite", False, "Also write .tflite files, those of --recipes."
)
RECIPES = flags.DEFINE_list(
    "recipes",
    list(choices.DEFAULT_RECIPES),
    f"Which .tflite files, of {', '.join(choices.RECIPES)}; what each costs "
    "and is for is in docs/devices.md.",
)
IO = flags.DEFINE_enum(
    "io",
    choices.DEFAULT_IO,
    choices.IO_TYPES,
    "What integer files take and give: raw pixels, the same less 128, or "
    "floating point. int16x8 files have int16 ends for the first two.",
)
COMPRESS = flags.DEFINE_list(
    "compress",
    [],
    "Also write compressed variants, trained a little more, of "
    f"{', '.join(compression_options.VARIANTS)}.",
)
COMPRESS_EPOCHS = flags.DEFINE_integer(
    "compress_epochs", 2, "Epochs of each step of --compress.", lower_bound=1
)
COMPRESS_LEARNING_RATE = flags.DEFINE_float(
    "compress_learning_rate",
    1e-4,
    "Peak learning rate of --compress (Adam, falling to 0).",
    lower_bound=1e-9,
)
SPARSITY = flags.DEFINE_float(
    "sparsity",
    0.5,
    "--compress=prune: share of each kernel that becomes 0.",
    lower_bound=0.01,
    upper_bound=0.99,
)
CLUSTERS = flags.DEFINE_integer(
    "clusters",
    16,
    "--compress=cluster: values that each kernel keeps.",
    lower_bound=2,
    upper_bound=256,
)
MICROCONTROLLER = flags.DEFINE_bool(
    "microcontroller",
    False,
    "Also write the int8 file as C, with golden vectors and an example.",
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
BENCHMARK = flags.DEFINE_bool(
    "benchmark",
    False,
    "Measure how fast the .tflite files are; without --tflite, those of the "
    "export that is there.",
)
CALIBRATION_IMAGES = flags.DEFINE_integer(
    "calibration_images",
    400,
    "Training images, balanced over the classes, that int8 ranges are "
    "measured with; fewer when there are fewer.",
    lower_bound=1,
)
PARITY_IMAGES = flags.DEFINE_integer(
    "parity_images",
    0,
    "Validation images that the artefacts are compared on; 0 is all.",
    lower_bound=0,
)
FLOAT_DIFFERENCE = flags.DEFINE_float(
    "float_difference",
    1e-4,
    "Float artefacts: largest difference of a probability.",
    lower_bound=0,
)
LEAST_AGREEMENT = {
    kind: flags.DEFINE_float(
        f"{kind}_agreement",
        default,
        f"{what}: least share of equal answers.",
        lower_bound=0,
        upper_bound=1,
    )
    for kind, default, what in (
        ("float", 0.999, "Float artefacts"),
        ("float16", 0.995, "float16 file"),
        ("dynamic", 0.98, "dynamic file"),
        ("int8", 0.98, "int8 file"),
        ("int16x8", 0.99, "int16x8 file"),
        ("compressed", 0.8, "Files of --compress"),
    )
}
MOST_LOST = {
    name: flags.DEFINE_float(
        f"{name}_loss_points",
        default,
        f"Most {what}, in percentage points; one image is always allowed.",
        lower_bound=0,
    )
    for name, default, what in (
        ("accuracy", 0.5, "accuracy an artefact may lose"),
        ("recall", 4.0, "recall a class may lose in an artefact"),
        (
            "compressed_accuracy",
            1.0,
            "accuracy a file of --compress may lose",
        ),
        (
            "compressed_recall",
            10.0,
            "recall a class may lose in a file of --compress",
        ),
    )
}
DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Folder of prepared data; default: that of the run."
)
OVERWRITE = flags.DEFINE_bool(
    "overwrite", False, "Replace an export that is already there."
)


@flags.validator("recipes")
def _check_recipes(names):
    return _check_list(names, choices.RECIPES, allow_none=False)


@flags.validator("compress")
def _check_compress(names):
    known = [compression_options.canonical(name) or name for name in names]
    return _check_list(known, compression_options.VARIANTS, allow_none=True)


@flags.multi_flags_validator(
    ["compress", "microcontroller", "tflite"],
    "--compress and --microcontroller need .tflite files: give --tflite",
)
def _check_has_tflite(values):
    is_asked = values["compress"] or values["microcontroller"]
    return values["tflite"] or not is_asked


def _check_list(names, allowed, *, allow_none):
    unknown = [name for name in names if name not in allowed]
    if unknown or not (names or allow_none):
        raise flags.ValidationError(
            f"must be of {', '.join(allowed)}; received "
            f"{', '.join(unknown) or 'none'}"
        )
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
    if BENCHMARK.value and not TFLITE.value:
        exporter.benchmark_export(options)
    elif not (SERVING.value and _keeps_export(options)):
        _print_result(exporter.export_run(options), workdir)
    if SERVING.value:
        root = pathlib.Path(SERVING.value)
        published = serving.publish(options.target, root, SERVING_NAME.value)
        print(f"published: {published}")


def _keeps_export(options):
    """Whether there is an export that nobody asked to write anew."""
    return options.has_export and not (options.tflite or options.overwrite)


def _options(workdir):
    from export import agreement
    from export import export_options

    variants = map(compression_options.canonical, COMPRESS.value)
    return export_options.ExportOptions(
        workdir=workdir,
        out=pathlib.Path(OUT.value) if OUT.value else None,
        tflite=TFLITE.value,
        recipes=tuple(dict.fromkeys(RECIPES.value)),
        io=IO.value,
        calibration_images=CALIBRATION_IMAGES.value,
        parity_images=PARITY_IMAGES.value,
        bounds=agreement.Bounds(
            float_difference=FLOAT_DIFFERENCE.value,
            **{f"{k}_agreement": f.value for k, f in LEAST_AGREEMENT.items()},
            **{f"{k}_loss_points": f.value for k, f in MOST_LOST.items()},
        ),
        compression=compression_options.CompressionOptions(
            variants=tuple(dict.fromkeys(variants)),
            epochs=COMPRESS_EPOCHS.value,
            learning_rate=COMPRESS_LEARNING_RATE.value,
            sparsity=SPARSITY.value,
            clusters=CLUSTERS.value,
        ),
        microcontroller=MICROCONTROLLER.value,
        benchmark=BENCHMARK.value,
        data_dir=DATA_DIR.value,
        overwrite=OVERWRITE.value,
    )


def _print_result(folder, workdir):
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
    app.run(main)

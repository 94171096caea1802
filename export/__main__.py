"""Exports a finished run for programs and devices, and proves it is the same.

Example:

  python -m export --tflite

takes the run that finished last; `--workdir` names another.
"""

import os
import pathlib

from absl import app
from absl import flags

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
    "tflite", False, "Also write model_float32.tflite and model_int8.tflite."
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
FLOAT_AGREEMENT = flags.DEFINE_float(
    "float_agreement",
    0.999,
    "Float artefacts: least share of equal answers.",
    lower_bound=0,
    upper_bound=1,
)
INT8_AGREEMENT = flags.DEFINE_float(
    "int8_agreement",
    0.98,
    "int8 file: least share of equal answers.",
    lower_bound=0,
    upper_bound=1,
)
ACCURACY_LOSS_POINTS = flags.DEFINE_float(
    "accuracy_loss_points",
    0.5,
    "Most accuracy an artefact may lose, in percentage points; one image is "
    "always allowed.",
    lower_bound=0,
)
DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Folder of prepared data; default: that of the run."
)
OVERWRITE = flags.DEFINE_bool(
    "overwrite", False, "Replace an export that is already there."
)


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
    from export import parity
    from trainer import checkpoints

    workdir = WORKDIR.value
    if workdir is None:
        workdir = checkpoints.last_finished_run(RUNS.value)
        print(f"run: {workdir} (the one that finished last)", flush=True)
    options = exporter.ExportOptions(
        workdir=pathlib.Path(workdir),
        out=pathlib.Path(OUT.value) if OUT.value else None,
        tflite=TFLITE.value,
        calibration_images=CALIBRATION_IMAGES.value,
        parity_images=PARITY_IMAGES.value,
        bounds=parity.Bounds(
            float_difference=FLOAT_DIFFERENCE.value,
            float_agreement=FLOAT_AGREEMENT.value,
            int8_agreement=INT8_AGREEMENT.value,
            accuracy_loss_points=ACCURACY_LOSS_POINTS.value,
        ),
        data_dir=DATA_DIR.value,
        overwrite=OVERWRITE.value,
    )
    _print_result(exporter.export_run(options), workdir)


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

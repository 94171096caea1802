"""`export_run(options)`: checks, artefacts, TFLite, gate, then into place.

Everything is written into a hidden folder beside the target and moved when
the gate has passed, so that a folder of the target's name always holds files
that were compared with the model. Reads no flags and prints only progress.
"""

import dataclasses
import json
import os
import pathlib
import time

from export import artifacts
from export import calibration
from export import parity
from export import tflite
from trainer import checkpoints
from trainer import files
from trainer import records
from trainer.checkpoints import Run
from trainer.records import Split

PARITY = "parity.json"
FAILED_PARITY = "parity_failed.json"


class ExportError(ValueError):
    """The export cannot be made, or an artefact did not pass the gate."""


@dataclasses.dataclass(frozen=True)
class ExportOptions:
    """What to export, where to, and how it is judged.

    Attributes:
      workdir: a finished run.
      out: target folder; None is `workdir/export`.
      tflite: also write the `.tflite` files.
      calibration_images: length of the calibration list.
      parity_images: validation images to compare on; 0 is all.
      bounds: what an artefact may differ by.
      data_dir: folder of prepared data; None is the run's own.
      overwrite: replace an export that is already there.
    """

    workdir: pathlib.Path
    out: pathlib.Path | None = None
    tflite: bool = False
    calibration_images: int = calibration.DEFAULT_IMAGES
    parity_images: int = 0
    bounds: parity.Bounds = dataclasses.field(default_factory=parity.Bounds)
    data_dir: str | None = None
    overwrite: bool = False

    @property
    def target(self) -> pathlib.Path:
        """The folder that the export ends up in."""
        return self.out or self.workdir / "export"


def export_run(options: ExportOptions) -> pathlib.Path:
    """Exports a finished run; returns the folder.

    Raises:
      ExportError: the target is taken, or an artefact broke its bound.
      ValueError: the run, the data or a conversion does not do.
    """
    _check_target(options)
    run = checkpoints.load_for_inference(options.workdir)
    data = run.settings.data
    if options.data_dir is not None:
        data = dataclasses.replace(data, data_dir=options.data_dir)
    validation = records.load_split(data, data.validation_split)
    train = (
        records.load_split(data, data.train_split) if options.tflite else None
    )
    _warn_of_other_data(run, {"validation": validation, "train": train})
    validation = _spread(validation, options.parity_images)
    with files.write_aside(options.target) as aside:
        aside.mkdir()
        _write_artefacts(run, aside, train, options)
        _pass_gate(run, aside, validation, options)
        if options.target.exists():
            # Into the hidden folder, which goes when the new one is in place.
            os.replace(options.target, aside.parent / "old")
    return options.target


def _write_artefacts(run, folder, train, options):
    metadata = artifacts.describe(run)
    artifacts.write_keras_files(run, folder)
    artifacts.write_saved_model(run, folder)
    artifacts.write_labels(run, folder)
    records = {}
    if train is not None:
        chosen = calibration.choose(
            train, len(run.class_names), options.calibration_images
        )
        started = time.monotonic()
        print(f"converting, {len(chosen.ids)} calibration images", flush=True)
        records = tflite.write_tflite_files(run, folder, chosen, metadata)
        print(f"converted in {time.monotonic() - started:.1f} s", flush=True)
        metadata["calibration"] = chosen.describe()
    artifacts.write_metadata(folder, {**metadata, "tflite": records})


def _pass_gate(run, folder, validation, options):
    report = parity.measure(run, folder, validation, options.bounds)
    print(parity.as_table(report), flush=True)
    text = json.dumps(report, indent=2) + "\n"
    failed = options.target.parent / FAILED_PARITY
    if report["passed"]:
        (folder / PARITY).write_text(text, encoding="utf-8")
        failed.unlink(missing_ok=True)
        return
    files.write_text(failed, text)
    names = [r["artefact"] for r in report["artefacts"] if not r["passed"]]
    raise ExportError(
        f"{', '.join(names)} did not pass the gate; nothing was exported. "
        f"The report is in {failed}. For a quantised file try another "
        "--calibration_images; the bounds are flags, see --help"
    )


def _check_target(options):
    """Refuses a target before anything is loaded or computed."""
    target = options.target
    if options.parity_images < 0:
        raise ExportError(
            "`parity_images` must be 0 (all) or more; received "
            f"{options.parity_images}"
        )
    if not target.exists():
        return
    if not options.overwrite:
        raise ExportError(
            f"{target} exists; give --overwrite to replace it, or another --out"
        )
    is_export = (target / artifacts.METADATA).is_file()
    if not is_export and (target.is_file() or any(target.iterdir())):
        raise ExportError(
            f"{target} is not an export, so --overwrite leaves it alone; "
            "give another --out"
        )


def _warn_of_other_data(run: Run, splits: dict[str, Split | None]) -> None:
    recorded = run.manifest.get("data", {}).get("splits", {})
    for name, split in splits.items():
        expected = recorded.get(name, {}).get("sha256")
        if split and expected and split.content_hash() != expected:
            print(
                f"WARNING: the {name} images are not those of the run; its "
                "recorded figures do not apply to them",
                flush=True,
            )


def _spread(split: Split, count: int) -> Split:
    """Takes `count` images evenly over a split; 0 is all of them."""
    total = len(split.labels)
    if count == 0 or count >= total:
        return split
    rows = [index * total // count for index in range(count)]
    ids = [split.ids[row] for row in rows]
    return Split(split.images[rows], split.labels[rows], ids)

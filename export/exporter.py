"""`export_run(options)`: checks, artefacts, TFLite, gate, then into place.

Everything is written into a hidden folder beside the target and moved when
the gate has passed, so that a folder of the target's name always holds files
that were compared with the model. Reads no flags and prints only progress.
"""

import contextlib
import dataclasses
import os
import pathlib
import shutil
import time
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from export import artifacts
from export import calibrate
from export import gate
from export import golden
from export import model_card
from export import options as options_lib
from export import own_predictions
from export import representative_data
from export import tflite
from export.compression import check
from export.compression import compress
from export.measure import latency
from export.measure import latency_chart
from export.microcontroller import write
from export.options import ExportError
from export.options import ExportOptions
from export.representative_data import Calibration
from export.web import layout
from export.web import sources
from fer_tfds import locks
from trainer import checkpoints
from trainer import console
from trainer import files
from trainer.checkpoints import FinishedRun
from trainer.data import prepared
from trainer.data.prepared import Split
from trainer.evaluation import stored_runs

LATENCY_CHART = "latency.png"
WEB = "web"


def export_run(options: ExportOptions) -> pathlib.Path:
    """Exports a finished run; returns the folder.

    Raises:
      ExportError: the target is taken, cannot be written, or an artefact
        broke its bound.
      ValueError: the run, the data or a conversion does not do.
    """
    options_lib.check(options)
    if options.web:
        sources.check()
    _clear_killed(options.target)
    old = "; the export that was there stays" if options.has_export else ""
    with console.told_when_stopped(
        lambda: f"nothing of it is kept{old}; the same command starts again"
    ):
        return _export_run(options)


def _export_run(options: ExportOptions) -> pathlib.Path:
    with _stage("reading the run and its data"):
        run = checkpoints.load_for_inference(options.workdir)
        # The model card tells them, at the very end.
        stored_runs.read_metrics(options.workdir)
        check.check(run.settings, options.compression, options.workdir)
        run = _with_data_dir(run, options.data_dir)
        splits = _load_splits(run, options)
        metadata = artifacts.describe(run) | {
            "calibrated": options.calibrate
            and calibrate.fold(run, splits["validation"])
        }
        splits["validation"] = _spread(
            splits["validation"], options.parity_images
        )
        found = gate.prepare(run, splits["validation"])
    target = options.target
    with (
        _explain_unwritable(target),
        files.write_aside(target) as aside,
        locks.hold_folder(aside.parent),
    ):
        aside.mkdir()
        with gate.explain_untrained(found):
            with _stage("writing and converting"):
                chosen = _write_artefacts(
                    run, aside, splits, metadata=metadata, options=options
                )
            with _stage("comparing the files with the trained model"):
                gate.judge(found, aside, chosen, options=options)
        with _stage("writing for devices"):
            _write_for_devices(aside, options)
            model_card.write(aside, options.workdir)
        if target.exists():
            # Into the hidden folder, which goes when the new one is in place.
            os.replace(target, aside.parent / "old")
    return target


def _stage(name: str) -> contextlib.AbstractContextManager[None]:
    return console.told_when_stopped(lambda: f"while {name}")


def _clear_killed(target: pathlib.Path) -> None:
    """Deletes the hidden folders of exports that were killed.

    By their lock, which goes with its process: without one in it a folder is
    not ours, and one that cannot be had is held, or nobody can know.
    """
    for folder in target.absolute().parent.glob(f".{target.name}-*"):
        lock = folder / locks.LOCK
        if folder.is_symlink() or not lock.is_file():
            continue
        with (
            contextlib.suppress(OSError),
            locks.only_one(lock, wait=False),
        ):
            shutil.rmtree(folder)
            print(f"deleted {folder}, left by an export that was killed")


def _with_data_dir(run: FinishedRun, data_dir: str | None) -> FinishedRun:
    if data_dir is None:
        return run
    data = dataclasses.replace(run.settings.data, data_dir=data_dir)
    settings = dataclasses.replace(run.settings, data=data)
    return dataclasses.replace(run, settings=settings)


def _load_splits(run: FinishedRun, options: ExportOptions) -> dict[str, Split]:
    data = dataclasses.replace(run.settings.data, reading="memory")
    splits = {"validation": prepared.load_split(data, data.validation_split)}
    own_predictions.check(run, splits["validation"])
    if options.tflite:
        # Of all these images a few hundred are looked at, unless a variant
        # trains on.
        reading = "memory" if options.compression.variants else "auto"
        data = dataclasses.replace(data, reading=reading)
        splits["train"] = prepared.load_split(data, data.train_split)
    _warn_of_other_data(run, splits)
    return splits


def _write_artefacts(
    run: FinishedRun,
    folder: pathlib.Path,
    splits: dict[str, Split],
    *,
    metadata: dict[str, Any],
    options: ExportOptions,
) -> Calibration | None:
    """Writes everything but the report; returns the calibration list."""
    artifacts.write_keras_files(run, folder)
    artifacts.write_saved_model(run, folder)
    artifacts.write_labels(run, folder)
    recorded, chosen = {}, None
    if options.tflite:
        chosen = representative_data.choose(
            splits["train"], len(run.class_names), options.calibration_images
        )
        recorded = _write_tflite(
            run,
            folder,
            splits,
            chosen=chosen,
            metadata=metadata,
            options=options,
        )
        metadata = {**metadata, "calibration": chosen.describe()}
    artifacts.write_metadata(folder, {**metadata, "tflite": recorded})
    return chosen


def _write_tflite(
    run: FinishedRun,
    folder: pathlib.Path,
    splits: dict[str, Split],
    *,
    chosen: Calibration,
    metadata: dict[str, Any],
    options: ExportOptions,
) -> dict[str, dict[str, Any]]:
    """Writes the `.tflite` files; returns what is recorded of each."""
    started = time.monotonic()
    print(f"converting, {len(chosen.ids)} calibration images", flush=True)
    recorded = tflite.write_tflite_files(
        run,
        folder,
        chosen,
        metadata=metadata,
        recipes=options.recipes,
        io=options.io,
    )
    print(f"converted in {time.monotonic() - started:.1f} s", flush=True)
    if not options.compression.variants:
        return recorded
    job = compress.Job(
        run, splits, chosen, options.compression, options.recipes, options.io
    )
    for variant in options.compression.variants:
        print(f"compressing: {variant}", flush=True)
        recorded |= compress.write_variant(job, variant, folder)
    return recorded


def _write_for_devices(folder: pathlib.Path, options: ExportOptions) -> None:
    """What is made of files that have passed the gate."""
    if options.tflite:
        golden.write(folder)
    if options.microcontroller:
        path = folder / tflite.file_name("int8")
        found = write.write(path)
        print(
            f"{path.name} as C: {found['model_bytes']:,} bytes, operators "
            f"{', '.join(found['operators'])}; arena {found['arena_note']}",
            flush=True,
        )
    if options.web:
        models = layout.own_models(list(folder.glob("*.tflite")))
        layout.write(folder / WEB, models)
    if options.benchmark:
        _measure_speed(folder)


def benchmark_export(options: ExportOptions) -> pathlib.Path:
    """Measures the files of an export that is there; returns its folder.

    Writes latency.json and latency.png, and the model card anew.

    Raises:
      ExportError: there is no export.
      latency.LatencyError: it has no `.tflite`, or one does not run.
    """
    folder = options.target
    if not options.has_export:
        raise ExportError(
            f"{folder} is no export; write one with\n  python -m export "
            f"--workdir={options.workdir} --tflite --benchmark"
        )
    _measure_speed(folder)
    model_card.write(folder, options.workdir)
    return folder


def _measure_speed(folder: pathlib.Path) -> None:
    report = latency.benchmark(folder)
    latency.write(folder, report)
    with files.write_aside(folder / LATENCY_CHART) as aside:
        aside.write_bytes(latency_chart.draw(report["files"]))
    print(latency.as_table(report), flush=True)


@contextlib.contextmanager
def _explain_unwritable(target: pathlib.Path) -> Iterator[None]:
    """A full disk in the middle of the work, whoever noticed it.

    HDF5 says RuntimeError and TensorFlow OpError where Python says OSError.
    """
    try:
        yield
    except (OSError, RuntimeError, tf.errors.OpError) as error:
        if type(error) is RuntimeError and "errno" not in str(error):
            raise
        raise ExportError(
            f"could not write the export into {target.absolute().parent} "
            f"({type(error).__name__}: {str(error).splitlines()[0]}); nothing "
            "of it was kept. Make room there, or give --out elsewhere"
        ) from error


def _warn_of_other_data(run: FinishedRun, splits: dict[str, Split]) -> None:
    recorded = run.manifest.get("data", {}).get("splits", {})
    for name, split in splits.items():
        if split.is_other_than(recorded.get(name, {})):
            print(
                f"WARNING: the {name} images are not those of the run; its "
                "recorded metrics do not apply to them",
                flush=True,
            )


def _spread(split: Split, count: int) -> Split:
    """Takes `count` images evenly over a split; 0 is all of them."""
    total = len(split.labels)
    if count == 0 or count >= total:
        return split
    return split.take([index * total // count for index in range(count)])

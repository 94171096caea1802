"""The gate of an export, and what is said where it stays shut.

Nothing is exported that did not pass. A model that has learned too little
fails as a bad conversion does, so that is looked at first: settings of the
quantisation would not mend it.
"""

import contextlib
import dataclasses
import json
import pathlib
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import numpy as np

from export import bounds
from export import parity
from export import quantisation_debug
from export import tflite
from export.options import ExportError
from export.options import ExportOptions
from export.representative_data import Calibration
from trainer import files
from trainer import run_folder
from trainer.checkpoints import FinishedRun
from trainer.data.prepared import Split
from trainer.evaluation import undertrained

FAILED_PARITY = "parity_failed.json"
DEBUG_TABLE = "quantisation_debug.csv"
# What to do about a file that broke its bound, by its kind.
ADVICE = {
    "int8": "For int8 try another --calibration_images, or "
    "--recipes=int16x8, or --compress=qat. ",
    bounds.COMPRESSED: "For a compressed file try more --compress_epochs, "
    "a smaller --sparsity or more --clusters; the other files are exported "
    "when --compress does not name it. ",
}


@dataclasses.dataclass(frozen=True)
class Gate:
    """What artefacts of a run are held against.

    Attributes:
      run: the trained model.
      split: the validation images.
      reference: float32 [n, K], what the trained model answers to them.
      trained: `parity.describe_trained` of that.
    """

    run: FinishedRun
    split: Split
    reference: np.ndarray
    trained: dict[str, Any]


def prepare(run: FinishedRun, split: Split) -> Gate:
    """Asks the trained model; warns of one that has learned nothing."""
    reference = parity.live_model(run)(split.images)
    trained = parity.describe_trained(split.labels, reference, run)
    if trained["warning"]:
        print(f"WARNING: {trained['warning']}", flush=True)
    return Gate(run, split, reference, trained)


@contextlib.contextmanager
def explain_untrained(gate: Gate) -> Iterator[None]:
    """Names the cause where a model that learned nothing breaks a library.

    Raises:
      ExportError: in the place of what the library said.
    """
    try:
        yield
    except (ValueError, RuntimeError) as error:
        is_ours = isinstance(error, ExportError) or "errno" in str(error)
        if is_ours or not gate.trained["warning"]:
            raise
        raise ExportError(
            f"{gate.trained['warning']}, and cannot be exported "
            f"({str(error).splitlines()[0]}). What helps: "
            f"{undertrained.advice(gate.run.settings.training)}"
        ) from error


def judge(
    gate: Gate,
    folder: pathlib.Path,
    chosen: Calibration | None,
    *,
    options: ExportOptions,
) -> None:
    """Compares every artefact in a folder with the trained model.

    Args:
      gate: from `prepare`.
      folder: what the exporter wrote; parity.json is added.
      chosen: the calibration images; None without `.tflite` files.
      options: of the export.

    Raises:
      ExportError: an artefact broke its bound.
    """
    report = parity.measure(
        gate.run,
        folder,
        gate.split,
        reference=gate.reference,
        bounds=options.bounds,
    )
    print(parity.as_table(report), flush=True)
    text = json.dumps(report, indent=2) + "\n"
    beside = options.target.parent
    if report["passed"]:
        (folder / run_folder.PARITY).write_text(text, encoding="utf-8")
        for name in (FAILED_PARITY, DEBUG_TABLE):
            (beside / name).unlink(missing_ok=True)
        return
    files.write_text(beside / FAILED_PARITY, text)
    failed = [row for row in report["artefacts"] if not row["passed"]]
    undertaught = _undertaught(gate, failed)
    if not undertaught:
        _debug(gate.run, chosen, failed, path=beside / DEBUG_TABLE)
    names = ", ".join(row["artefact"] for row in failed)
    raise ExportError(
        f"{names} did not pass the gate ({_reasons(failed)}); nothing was "
        f"exported. The report is in {beside / FAILED_PARITY}. "
        f"{undertaught or _advice(failed)}The bounds are flags, see --help"
    )


def _reasons(failed: Sequence[dict[str, Any]]) -> str:
    """The bounds that were broken; of two ways to run a file, the first's."""
    by_kind = {row["kind"]: row["failures"] for row in reversed(failed)}
    reasons = [reason for kind in by_kind for reason in by_kind[kind]]
    return "; ".join(reasons)


def _undertaught(gate: Gate, failed: Sequence[dict[str, Any]]) -> str:
    """Says that the training is the cause; "" where it is not.

    However little a model has learned, a float32 file of it answers the same.
    """
    why = gate.trained["warning"] or gate.trained["undecided"]
    if not why or any(row["kind"] == "float32" for row in failed):
        return ""
    advice = undertrained.advice(gate.run.settings.training)
    return f"The cause is the training: {why}. What helps: {advice}. "


def _advice(failed: Sequence[dict[str, Any]]) -> str:
    kinds = {row["kind"] for row in failed}
    return "".join(ADVICE[kind] for kind in ADVICE if kind in kinds)


def _debug(
    run: FinishedRun,
    chosen: Calibration | None,
    failed: Sequence[dict[str, Any]],
    *,
    path: pathlib.Path,
) -> None:
    """Shows where the int8 file went wrong, if it is one of those."""
    name = tflite.file_name("int8")
    if any(row["artefact"].startswith(name) for row in failed):
        rows = quantisation_debug.measure(run, chosen.images)
        quantisation_debug.write_table(path, rows)
        print(f"{quantisation_debug.as_table(rows)}\n  all: {path}")

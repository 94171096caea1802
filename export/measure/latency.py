"""How fast, how large: every `.tflite` of an export, measured on this machine.

Each file runs in fresh processes through the device runtime. What it is made
of (operators, multiply-accumulates, sizes) is read from the file. Accuracy is
taken from the export's own parity report and not measured again.
"""

import json
import os
import pathlib
import platform
import subprocess
import sys
import time
from collections import Counter
from typing import Any

from edge.classifier import Classifier
from export.measure import flatbuffer
from trainer import files
from trainer import json_files
from trainer import run_folder

LATENCY = "latency.json"


class LatencyError(ValueError):
    """There is nothing to measure, or a file does not run."""


def benchmark(folder: pathlib.Path) -> dict[str, Any]:
    """Measures every `.tflite` in the folder of an export.

    Args:
      folder: of a finished export.

    Returns:
      The content of latency.json, as plain JSON values: `machine`, and
      `files` (a list of `measure_file` results).

    Raises:
      LatencyError: the folder holds no `.tflite`, or one does not run.
    """
    paths = sorted(folder.glob("*.tflite"))
    if not paths:
        raise LatencyError(
            f"no .tflite in {folder}; write some with\n"
            "  python -m export --tflite"
        )
    accuracies = _accuracies(folder)
    measured = []
    for path in paths:
        print(f"measuring {path.name}", flush=True)
        row = {"file": path.name, "accuracy": accuracies.get(path.name)}
        measured.append({**row, **measure_file(path)})
    return {"machine": _machine(), "files": measured}


def measure_file(path: pathlib.Path) -> dict[str, Any]:
    """Measures one file.

    Returns:
      `bytes`; `one_thread` and `all_threads` as `latency_child.measure`;
      `operators` (name -> count); `delegated`, how many operators XNNPACK
      computes; `not_delegated`, the names of the others;
      `multiply_accumulates` of one image; `layers`, a list of (name,
      output, multiply-accumulates, weight bytes).

    Raises:
      LatencyError: it does not run.
    """
    operators = flatbuffer.read_operators(path.read_bytes())
    left = _not_delegated(Classifier(path).operators())
    return {
        "bytes": path.stat().st_size,
        "one_thread": run_alone(path, 1),
        "all_threads": run_alone(path, _cores()),
        "operators": dict(Counter(op.name for op in operators)),
        "delegated": len(operators) - len(left),
        "not_delegated": left,
        "multiply_accumulates": sum(
            op.multiply_accumulates for op in operators
        ),
        "layers": [
            {
                "operator": op.name,
                "output": list(op.outputs[0].shape),
                "multiply_accumulates": op.multiply_accumulates,
                "weight_bytes": op.weight_bytes,
            }
            for op in operators
        ],
    }


def write(folder: pathlib.Path, report: dict[str, Any]) -> None:
    """Writes latency.json into the folder."""
    files.write_text(folder / LATENCY, json.dumps(report, indent=2) + "\n")


def as_table(report: dict[str, Any]) -> str:
    """Returns a report as a Markdown table for a person."""
    machine = report["machine"]
    columns = (
        "file | KB | accuracy | million MACs | ms, 1 thread (p95) | "
        f"ms, {machine['cores']} threads (p95) | first answer, ms | "
        "peak memory, MB | operators delegated"
    )
    lines = [
        f"one picture on {machine['processor']}, {machine['cores']} cores",
        f"| {columns} |",
        "|" + " --- |" * (columns.count("|") + 1),
    ]
    return "\n".join([*lines, *map(_row, report["files"])])


def _row(measured: dict[str, Any]) -> str:
    accuracy, one = measured["accuracy"], measured["one_thread"]
    every = measured["all_threads"]
    total = sum(measured["operators"].values())
    return (
        f"| {measured['file']} | {measured['bytes'] / 1000:,.0f} | "
        f"{'-' if accuracy is None else f'{accuracy:.2%}'} | "
        f"{measured['multiply_accumulates'] / 1e6:.1f} | "
        f"{one['median_ms']:.2f} ({one['p95_ms']:.2f}) | "
        f"{every['median_ms']:.2f} ({every['p95_ms']:.2f}) | "
        f"{one['first_answer_ms']:,.0f} | {one['peak_memory_mb']:.0f} | "
        f"{measured['delegated']} of {total} |"
    )


def run_alone(path: pathlib.Path, threads: int) -> dict[str, float]:
    """Runs `latency_child.measure` in a fresh process.

    Raises:
      LatencyError: the file does not run.
    """
    root = str(pathlib.Path(__file__).parents[2])
    search = [root, os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "export.measure.latency_child",
            str(path),
            str(threads),
            str(time.time()),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, search))},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise LatencyError(
            f"{path.name} does not run on {threads} thread(s): "
            f"{done.stderr.strip().splitlines()[-1:]}"
        )
    return json_files.parse(done.stdout)


def _not_delegated(
    operators: list[tuple[str, list[int], list[int]]],
) -> list[str]:
    """Names of the operators that no delegate has taken over.

    A delegate computes what leads from the tensors it takes to those it
    gives.
    """
    own = [op for op in operators if op[0] != "DELEGATE"]
    producer = {out: i for i, (_, _, outs) in enumerate(own) for out in outs}
    taken = set()
    for name, inputs, outputs in operators:
        if name != "DELEGATE":
            continue
        waiting = list(outputs)
        while waiting:
            index = producer.get(waiting.pop())
            if index is None or index in taken:
                continue
            taken.add(index)
            waiting += [t for t in own[index][1] if t not in inputs]
    return [name for i, (name, _, _) in enumerate(own) if i not in taken]


def _accuracies(folder: pathlib.Path) -> dict[str, float | None]:
    path = folder / run_folder.PARITY
    if not path.is_file():
        return {}
    return json_files.read(
        path,
        lambda report: {
            row["artefact"]: row.get("accuracy") for row in report["artefacts"]
        },
        advice="export again with --overwrite",
    )


def _cores() -> int:
    return os.cpu_count() or 1


def _machine() -> dict[str, str | int]:
    return {
        "processor": _processor(),
        "cores": _cores(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    """The processor's own name where the system tells it."""
    info = pathlib.Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()

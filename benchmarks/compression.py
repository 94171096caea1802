"""What compression buys: size, accuracy and latency of each variant.

  python -m benchmarks.compression runs/edge/export ...

Every figure is measured: sizes and gzipped sizes of the files themselves,
accuracy from the exports' own parity reports (validation, never test),
latency in fresh processes through the device runtime.
"""

import argparse
import gzip
import json
import pathlib
from typing import Any

from benchmarks import harness
from export.compression import check
from export.measure import flatbuffer
from export.measure import latency
from trainer import files
from trainer import run_folder

COLUMNS = (
    "file",
    "KB",
    "KB gzipped",
    "zeros",
    "values a kernel",
    "validation accuracy",
    "accuracy points (95%)",
    "same answer as trained",
    "ms, 1 thread (p95)",
)


def main() -> None:
    """Prints the table; with --out also writes it."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "exports",
        type=pathlib.Path,
        nargs="+",
        help="folders of exports; a file that is in several counts once",
    )
    parser.add_argument("--out", type=pathlib.Path, help="a Markdown file")
    options = parser.parse_args()
    table = harness.as_table(COLUMNS, table_rows(options.exports))
    print(table)
    if options.out:
        files.write_text(options.out, table + "\n")


def table_rows(exports: list[pathlib.Path]) -> list[list[str]]:
    """Returns one row for each `.tflite`, the largest first.

    Raises:
      ValueError: there is none, or it is not in its export's parity report.
    """
    paths = {}
    for folder in exports:
        for path in sorted(folder.glob("*.tflite")):
            paths.setdefault(path.name, path)
    if not paths:
        raise ValueError(
            f"no .tflite in {', '.join(map(str, exports))}; write some with\n"
            "  python -m export --tflite --compress=qat,prune,cluster"
        )
    ordered = sorted(paths.values(), key=lambda path: -path.stat().st_size)
    return [_row(path) for path in ordered]


def _row(path: pathlib.Path) -> list[str]:
    content = path.read_bytes()
    judged = _judged(path)
    low, high = judged["accuracy_difference_interval"]
    found = check.measure(path)
    times = latency.run_alone(path, threads=1)
    has_kernels = bool(flatbuffer.kernels(content))
    return [
        f"`{path.name}`",
        f"{len(content) / 1000:,.0f}",
        # The time stamp of the header is left out: the same file, the same
        # size.
        f"{len(gzip.compress(content, mtime=0)) / 1000:,.0f}",
        f"{found['sparsity']:.0%}" if has_kernels else "-",
        f"{found['values']:,}" if has_kernels else "-",
        f"{judged['accuracy']:.2%}",
        f"{judged['accuracy_difference_points']:+.2f} ({low:+.2f} to "
        f"{high:+.2f})",
        f"{judged['agreement']:.2%}",
        f"{times['median_ms']:.2f} ({times['p95_ms']:.2f})",
    ]


def _judged(path: pathlib.Path) -> dict[str, Any]:
    report = json.loads((path.parent / run_folder.PARITY).read_text("utf-8"))
    for row in report["artefacts"]:
        if row["artefact"] == path.name:
            return row
    raise ValueError(
        f"{path.parent / run_folder.PARITY} does not know {path.name}"
    )


if __name__ == "__main__":
    harness.run_stoppable(main)

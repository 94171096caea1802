"""Phase 1 on features computed once, against the plain way.

  python -m benchmarks.frozen_phase --data_dir=DIR --epochs 5 20

Trains the same head on the same frozen network through the `trainer` command,
with features computed once and with the backbone run in every epoch, by turns
(A B A B), each in a process of its own. Compared is the time of phase 1,
features included, start of the process and final evaluation left out. The
ratio can be no larger than the number of epochs.
"""

import argparse
import csv
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[1]
HEADER = (
    "| network | images | epochs | plain, s | features once, s | "
    "times faster (spread) | same accuracy |"
)


def main() -> None:
    """Prints the table, a row for each number of epochs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data_dir", help="of prepared FER-2013")
    parser.add_argument("--epochs", type=int, nargs="+", default=[5])
    parser.add_argument("--repetitions", type=int, default=2)
    parser.add_argument("--backbone", default="resnet50")
    parser.add_argument("--train_split", default="train[:10%]")
    options = parser.parse_args()
    print("\n".join([HEADER, "|" + " --- |" * (HEADER.count("|") - 1)]))
    for epochs in options.epochs:
        pairs = [
            [run_phase(options, epochs, quick) for quick in (False, True)]
            for _ in range(options.repetitions)
        ]
        print(table_row(options, epochs, pairs), flush=True)


def run_phase(options, epochs: int, quick: bool) -> tuple[float, str]:
    """Trains once: seconds of phase 1, and the last validation accuracy."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-m", "trainer", f"--workdir={folder}/run"),
            f"--backbone={options.backbone}",
            f"--train_split={options.train_split}",
            # Few, since the final evaluation is not what is measured.
            "--validation_split=validation[:3%]",
            "--test_split=none",
            f"--head_epochs={epochs}",
            "--fine_tune_epochs=0",
            f"--reuse_features={quick}",
        ]
        if options.data_dir:
            command.append(f"--data_dir={options.data_dir}")
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        history = pathlib.Path(folder) / "run" / "history.csv"
        rows = list(csv.DictReader(history.open(encoding="utf-8")))
    seconds = sum(float(row["seconds"]) for row in rows)
    return seconds, f"{float(rows[-1]['val_accuracy']):.4f}"


def table_row(options, epochs: int, pairs) -> str:
    """A row from (plain, quick) pairs of (seconds, accuracy)."""
    ratios = [plain[0] / quick[0] for plain, quick in pairs]
    plain, quick = (
        statistics.median(pair[way][0] for pair in pairs) for way in (0, 1)
    )
    same = len({accuracy for pair in pairs for _, accuracy in pair}) == 1
    return (
        f"| {options.backbone} | {options.train_split} | {epochs} | "
        f"{plain:.1f} | {quick:.1f} | {statistics.median(ratios):.1f} "
        f"({min(ratios):.1f} to {max(ratios):.1f}) | "
        f"{'yes' if same else 'no'} |"
    )


if __name__ == "__main__":
    main()

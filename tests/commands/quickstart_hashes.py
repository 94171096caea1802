"""Hashes of what `make quickstart` leaves: equal before and after a move.

Of records their parsed content is hashed, since the bytes of two builds of
the same data differ (the order of a map in the protocol buffer); of weights
the arrays, since HDF5 files hold times. Times are left out of JSON.

Example, after `make quickstart`:

  python -m tests.commands.quickstart_hashes               # prints them
  python -m tests.commands.quickstart_hashes --check=FILE  # compares
"""

import argparse
import csv
import hashlib
import json
import pathlib
import sys

import h5py
import numpy as np
import tensorflow as tf

TIMES = ("seconds", "written", "latency")


def main() -> int:
    """Prints or compares the hashes; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=pathlib.Path, default="runs")
    parser.add_argument("--check", type=pathlib.Path)
    arguments = parser.parse_args()
    lines = list(hash_lines(pathlib.Path(arguments.runs)))
    print("\n".join(lines))
    if not arguments.check:
        return 0
    changed = set(arguments.check.read_text().splitlines()) ^ set(lines)
    print(f"{len(changed)} lines differ", file=sys.stderr)
    return bool(changed)


def hash_lines(runs: pathlib.Path):
    """Yields `HASH  FILE` for everything that is to stay as it is."""
    run = runs / "quickstart"
    files = sorted(runs.glob("quickstart_data/**/*.tfrecord-*"))
    files += [run / "best.weights.h5", run / "metrics.json"]
    files += [run / "export" / "parity.json"]
    for path in [*files, *sorted(run.glob("export/*.tflite"))]:
        yield f"{hash_file(path)}  {path.name}"


def hash_file(path: pathlib.Path) -> str:
    """The hash of what a file holds, whenever it was written."""
    read = READERS.get(path.suffix, _records)
    digest = hashlib.sha256()
    for part in read(path):
        digest.update(part)
    return digest.hexdigest()[:16]


def _records(path):
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        example = tf.train.Example.FromString(record)
        for name in sorted(example.features.feature):
            feature = example.features.feature[name]
            yield name.encode() + feature.SerializeToString(deterministic=True)


def _weights(path):
    found = []
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.append((name, item)))
        for name, item in found:
            if isinstance(item, h5py.Dataset):
                yield name.encode() + np.asarray(item).tobytes()


def _json(path):
    def timeless(value):
        if isinstance(value, list):
            return [timeless(part) for part in value]
        if isinstance(value, dict):
            return {k: timeless(v) for k, v in value.items() if k not in TIMES}
        return value

    stored = timeless(json.loads(path.read_text()))
    yield json.dumps(stored, sort_keys=True).encode()


def _table(path):
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield str(
                [(k, v) for k, v in row.items() if k not in TIMES]
            ).encode()


def _tensors(path):
    """Constants of a .tflite; its metadata names a time and a folder."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    for detail in interpreter.get_tensor_details():
        yield str((detail["shape"].tolist(), detail["dtype"])).encode()
        scales = detail["quantization_parameters"]["scales"]
        yield np.asarray(scales).tobytes()


# Records have no suffix of their own: fer2013-test.tfrecord-00000-of-00001.
READERS = {
    ".h5": _weights,
    ".json": _json,
    ".csv": _table,
    ".tflite": _tensors,
    ".flags": lambda path: [path.read_bytes()],
}

if __name__ == "__main__":
    sys.exit(main())

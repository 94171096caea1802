"""Hashes of what `make quickstart` leaves: equal before and after a move.

Of records their parsed content is hashed, since the bytes of two builds of
the same data differ (the order of a map in the protocol buffer); of weights
the arrays, since HDF5 files hold times. Times are left out of JSON.

Example, after `make quickstart`:

  python -m tests.commands.quickstart_hashes                  # prints one line
  each python -m tests.commands.quickstart_hashes --check=FILE     # compares
  with a printout
"""

import argparse
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
    for path in sorted(runs.glob("quickstart_data/**/*.tfrecord-*")):
        yield f"{_hash(_records(path))}  {path.name}"
    run = runs / "quickstart"
    yield f"{_hash(_weights(run / 'best.weights.h5'))}  best.weights.h5"
    for name in ("metrics.json", "export/parity.json"):
        yield f"{_hash([_json(run / name)])}  {name}"
    for path in sorted(run.glob("export/*.tflite")):
        yield f"{_hash(_tensors(path))}  {path.name}"


def _hash(parts) -> str:
    digest = hashlib.sha256()
    for part in parts:
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
    return json.dumps(stored, sort_keys=True).encode()


def _tensors(path):
    """Constants of a .tflite; its metadata names a time and a folder."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    for detail in interpreter.get_tensor_details():
        yield str((detail["shape"].tolist(), detail["dtype"])).encode()
        scales = detail["quantization_parameters"]["scales"]
        yield np.asarray(scales).tobytes()


if __name__ == "__main__":
    sys.exit(main())

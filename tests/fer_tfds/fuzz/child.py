"""Reads or builds one input after the other, under watch; a script.

Requests come on standard input, one JSON object a line, and so do the answers
on standard output. Whatever is wrong with an input, the answer must be that it
was built, or refused with a `SourceError`.

Usage: fuzz_child.py readers|builders DATA_DIR
"""

import contextlib
import io
import json
import math
import os
import resource
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from fer_tfds import cleaning
from fer_tfds.affectnet import buckets
from fer_tfds.affectnet import rejects as affectnet_rejects
from fer_tfds.sources.affectnet import find as affectnet
from fer_tfds.sources.affectnet import images
from fer_tfds.sources.affectnet import settings as affectnet_settings
from fer_tfds.sources.affectnet.records import NO_FACE
from fer_tfds.sources.affectnet.records import Reject
from fer_tfds.sources.affectnet.records import Rejected
from fer_tfds.sources.fer2013 import ferplus
from fer_tfds.sources.fer2013 import find as fer2013
from fer_tfds.sources.records import SPLITS
from fer_tfds.sources.records import FaceRecords
from fer_tfds.sources.records import SourceError

# Beyond this the machine is at risk. The bound that is tested is far lower,
# on what was really used; TensorFlow alone reserves more than that.
_MAX_ADDRESS_SPACE = {"readers": 6 << 30, "builders": 24 << 30}

# What no reader has to do; arguments that are paths are looked at.
_WRITING = (
    *("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.chmod"),
    *("os.symlink", "os.truncate", "os.chown", "os.utime", "os.mkfifo"),
)
_FORBIDDEN = (
    *("os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn"),
    *("subprocess.Popen", "pickle.find_class", "socket.connect"),
)
_WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Watch:
    """Notes whatever is written outside a folder, or started."""

    def __init__(self, folder: Path, *, may_start: bool):
        self._inside = (str(folder), os.devnull)
        self._forbidden = () if may_start else _FORBIDDEN
        self.seen: list[str] = []

    def __call__(self, event: str, arguments: tuple) -> None:
        if event in self._forbidden:
            self.seen.append(f"{event} {arguments}"[:200])
        elif event in _WRITING:
            self._look_at(event, arguments[:2])
        elif event == "open" and (arguments[2] or 0) & _WRITE_FLAGS:
            self._look_at(event, arguments[:1])

    def _look_at(self, event: str, paths: tuple) -> None:
        for path in paths:
            if not isinstance(path, (str, bytes, os.PathLike)):
                continue
            if not os.path.abspath(os.fsdecode(path)).startswith(self._inside):
                self.seen.append(f"{event} {path!r}")


def read_fer2013(manual_dir: Path, config: str, folder: Path) -> None:
    """What the builder of FER-2013 does before it writes the first record."""
    if config == "plus":
        ferplus.find_votes(manual_dir)
    source = fer2013.find_source(manual_dir)
    print(f"Reading {source.path} ({source.form}) ...")
    records = source.read()
    check_records(records)
    expected, origin = fer2013.load_expected_counts(manual_dir)
    print(fer2013.check_counts(records, expected, origin))
    if config == "clean":
        splits = cleaning.clean(records)
        for split in splits.values():
            assert set(split.kept.tolist()) <= set(range(len(records.ids)))
    if config == "plus":
        votes = ferplus.read_votes(manual_dir, records)
        assert votes.counts.shape == (len(records.ids), 10)
        assert set(votes.labels.tolist()) <= set(range(10))
        np.testing.assert_allclose(votes.shares.sum(axis=1), 1, atol=1e-6)


def check_records(records: FaceRecords) -> None:
    """What every reader of FER-2013 promises."""
    num_faces = len(records.ids)
    assert records.images.shape == (num_faces, 48, 48)
    assert records.images.dtype == np.uint8
    assert records.labels.shape == (num_faces,)
    assert set(records.labels.tolist()) <= set(range(7))
    assert len(records.splits) == num_faces == len(set(records.ids))
    assert set(records.splits) <= set(records.split_names) <= set(SPLITS)
    "".join(records.ids).encode()


def read_affectnet(manual_dir: Path, config: str, folder: Path) -> None:
    """What the builder of AffectNet does, without Beam and TensorFlow."""
    settings = affectnet_settings.load(manual_dir)
    source = affectnet.find_source(manual_dir, settings)
    where = f"{source.path} ({source.form})"
    print(f"Reading {where} ...")
    counts = buckets.spool_rows(source, folder)
    rejects = list(buckets.read_rejects(folder))
    found = {split: [0] * (NO_FACE + 1) for split in counts}
    with source.open() as load:
        for split in counts:
            buckets.fill_buckets(folder, split, 1, max_rows=None)
            for row in buckets.read_bucket(folder, split, 0):
                try:
                    label = make_example(*load(row), int(config[5:]))
                    found[split][label] += 1
                except Rejected as error:
                    assert "Memory" not in error.detail, error
                    rejects.append(
                        Reject(split, row.id, error.reason, error.detail)
                    )
    tally = affectnet_rejects.write_list(folder / "rejects.csv", rejects)
    num_rows = sum(map(sum, found.values())) + tally.num_rejects
    affectnet_rejects.check_fraction(
        tally, num_rows, settings.max_rejected_fraction, where=where
    )
    print(affectnet_rejects.check_counts(found, settings, where))


def make_example(data: bytes, row: tuple, size_px: int) -> int:
    """Makes the picture of an example and checks it; returns its label."""
    jpeg = images.make_jpeg(data, row.box, size_px)
    with Image.open(io.BytesIO(jpeg)) as image:
        image.load()
    assert (image.format, image.size) == ("JPEG", (size_px, size_px))
    assert row.label in range(NO_FACE)
    for score in (row.valence, row.arousal):
        assert math.isnan(score) or -1 <= score <= 1
    row.id.encode()
    return row.label


def make_build() -> Callable[[Path, str, Path], None]:
    """The builders themselves; imported only where they are used."""
    import tensorflow_datasets as tfds

    from fer_tfds.affectnet import affectnet_dataset_builder
    from fer_tfds.fer2013 import fer2013_dataset_builder

    def build(manual_dir: Path, config: str, folder: Path) -> None:
        is_affectnet = config.startswith("size_")
        module = (
            affectnet_dataset_builder
            if is_affectnet
            else fer2013_dataset_builder
        )
        builder = module.Builder(data_dir=folder, config=config)
        builder.download_and_prepare(
            download_config=tfds.download.DownloadConfig(manual_dir=manual_dir)
        )
        for split, info in builder.info.splits.items():
            examples = list(tfds.as_numpy(builder.as_dataset(split)))
            assert len(examples) == info.num_examples > 0

    return build


def try_input(read: Callable, request: dict) -> dict[str, str]:
    """Reads one input; returns what became of it."""
    manual_dir, data_dir = Path(request["manual_dir"]), request["data_dir"]
    try:
        read(manual_dir, request["config"], Path(data_dir))
        return {"outcome": "built", "detail": ""}
    except SourceError as error:
        if is_for_lack_of_memory(error):
            return {"outcome": "crash", "detail": traceback.format_exc()}
        return {"outcome": "refused", "detail": str(error)}
    except BaseException:
        return {"outcome": "crash", "detail": traceback.format_exc()}


def is_for_lack_of_memory(error: BaseException | None) -> bool:
    """Whether what was asked for was more than there is: no size is bounded."""
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


def answer_all(read: Callable, watch: Watch, answers: io.TextIOBase) -> None:
    """Answers every request."""
    for line in sys.stdin:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # forget the peak
        watch.seen.clear()
        answer = try_input(read, json.loads(line))
        if watch.seen:
            detail = f"{watch.seen[:5]} {answer['detail']}"
            answer = {"outcome": "escape", "detail": detail}
        answer["peak_mb"] = read_peak_mb()
        print(json.dumps(answer), file=answers, flush=True)


def read_peak_mb() -> int:
    """The largest memory of this process; `getrusage` has its parent's, too."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) >> 10


def main(kind: str, folder: Path) -> None:
    """Runs until standard input ends."""
    limit = _MAX_ADDRESS_SPACE[kind]
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    read = make_build() if kind == "builders" else read_either
    # What the readers print must be text that any terminal takes.
    strict = io.TextIOWrapper(io.FileIO(os.devnull, "w"), "utf-8", "strict")
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(strict.fileno(), sys.stdout.fileno())
    with contextlib.redirect_stdout(strict):
        # Beam and TFDS have temporary files, which must be gone in the end.
        inside = folder.parent if kind == "builders" else folder
        watch = Watch(inside, may_start=kind == "builders")
        sys.addaudithook(watch)
        print("ready", file=answers, flush=True)
        answer_all(read, watch, answers)


def read_either(manual_dir: Path, config: str, folder: Path) -> None:
    """Reads the data set of which `config` is a configuration."""
    is_affectnet = config.startswith("size_")
    read = read_affectnet if is_affectnet else read_fer2013
    read(manual_dir, config, folder)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

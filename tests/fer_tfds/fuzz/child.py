"""Reads inputs under watch: python -m tests.fer_tfds.fuzz.child DIR

Requests, as `inputs.make` takes them, are lines on standard input; a line of
JSON on standard output says what became of each.
"""

import contextlib
import io
import json
import os
import resource
import shutil
import signal
import sys
import traceback
from pathlib import Path

from PIL import Image

from fer_tfds import cleaning
from fer_tfds.affectnet import buckets
from fer_tfds.sources.affectnet import find as affectnet
from fer_tfds.sources.affectnet import images
from fer_tfds.sources.affectnet import settings as affectnet_settings
from fer_tfds.sources.affectnet.records import NO_FACE
from fer_tfds.sources.affectnet.records import Rejected
from fer_tfds.sources.fer2013 import ferplus
from fer_tfds.sources.fer2013 import find as fer2013
from fer_tfds.sources.records import SPLITS
from fer_tfds.sources.records import SourceError
from tests.fer_tfds.fuzz import inputs

# Beyond this the machine is at risk; the bound that is tested is far lower.
_MAX_ADDRESS_SPACE = 6 << 30
_SECONDS_PER_INPUT = 200  # The slowest takes ten of an idle core.
# What no reader has to do outside its folder, or at all.
_WRITING = (
    *("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.chmod"),
    *("os.symlink", "os.truncate", "os.chown", "os.utime"),
)
_FORBIDDEN = (
    *("os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn"),
    *("subprocess.Popen", "pickle.find_class", "socket.connect"),
)
_WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def watch(folder: Path) -> list[str]:
    """Notes in a list whatever is written outside a folder, or started."""
    seen: list[str] = []
    inside = (str(folder), os.devnull)

    def look_at(event: str, arguments: tuple) -> None:
        is_open = event == "open" and (arguments[2] or 0) & _WRITE_FLAGS
        writes = is_open or event in _WRITING
        is_outside = writes and not str(arguments[0]).startswith(inside)
        if event in _FORBIDDEN or is_outside:
            seen.append(f"{event} {arguments}"[:200])

    sys.addaudithook(look_at)
    return seen


def read_fer2013(raw: Path, config: str) -> None:
    """What the builder of FER-2013 does before it writes the first record."""
    records = fer2013.find_source(raw).read()
    num_faces = len(set(records.ids))
    assert records.images.shape == (num_faces, 48, 48)
    assert set(records.labels.tolist()) <= set(range(7))
    assert set(records.splits) <= set(records.split_names) <= set(SPLITS)
    "".join(records.ids).encode()
    fer2013.check_counts(records, *fer2013.load_expected_counts(raw))
    if config == "clean":
        cleaning.clean(records)
    if config == "plus":
        ferplus.read_votes(raw, records)


def read_affectnet(raw: Path, size_px: int, folder: Path) -> None:
    """What the builder of AffectNet does, without Beam and TensorFlow."""
    source = affectnet.find_source(raw, affectnet_settings.load(raw))
    counts = buckets.spool_rows(source, folder)
    with source.open() as load:
        for split in counts:
            buckets.fill_buckets(folder, split, 1, max_rows=None)
            for annotation in buckets.read_bucket(folder, split, 0):
                with contextlib.suppress(Rejected):
                    data, row = load(annotation)
                    jpeg = images.make_jpeg(data, row.box, size_px)
                    with Image.open(io.BytesIO(jpeg)) as image:
                        assert image.size == (size_px, size_px)
                    assert row.label in range(NO_FACE)


def try_input(raw: Path, config: str, folder: Path) -> tuple[str, str]:
    """Reads one input; returns what became of it, and the message."""
    try:
        if config.startswith("size_"):
            read_affectnet(raw, int(config[5:]), folder)
        else:
            read_fer2013(raw, config)
        return "built", ""
    except SourceError as error:
        text = str(error)
        # Without a place: that one compares all faces with nobody's file.
        has_place = str(raw) in text or "The number of faces" in text
        is_shown = text.replace("\n", "").isprintable() and len(text) < 6000
        lacks_memory = isinstance(error.__context__, MemoryError)
        is_good = has_place and is_shown and not lacks_memory
        return "refused" if is_good else "bad message", repr(text)
    except BaseException:
        return "crash", traceback.format_exc()


def answer(request: str, folder: Path, seen: list[str]) -> dict:
    """Makes an input, reads and removes it."""
    made = inputs.make(request)
    inputs.write(made.files, folder / "raw")
    (folder / "work").mkdir()
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak
    seen.clear()
    signal.alarm(_SECONDS_PER_INPUT)
    outcome = try_input(folder / "raw", made.config, folder / "work")
    signal.alarm(0)
    if seen:
        outcome = ("escape", str(seen))
    shutil.rmtree(folder / "raw")
    shutil.rmtree(folder / "work")
    peak = Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]
    place = (request, made.base, made.config)
    return {"input": place, "outcome": outcome, "peak_mb": int(peak) >> 10}


def main(folder: Path) -> None:
    """Answers every line of standard input."""
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_ADDRESS_SPACE,) * 2)
    inputs.list_bases()
    answers = sys.stdout
    # What the readers print must be text that any terminal takes.
    sys.stdout = io.TextIOWrapper(io.FileIO(os.devnull, "w"), "utf-8")
    seen = watch(folder)
    for line in sys.stdin:
        found = answer(line.strip(), folder, seen)
        print(json.dumps(found), file=answers, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

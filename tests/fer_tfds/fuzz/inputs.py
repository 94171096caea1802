"""Copies of both data sets: damaged, each from a number; whole; and giant."""

import functools
import os
import random
import tarfile
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from fer_tfds import synthetic
from fer_tfds.drawing import ferplus
from tests.fer_tfds.fuzz import archives
from tests.fer_tfds.fuzz import damage
from tests.fer_tfds.fuzz import pictures

# A file, or what makes something else at its place.
Files = dict[str, bytes | Callable[[Path], None]]

_NUM_CLASSES = {"fer2013": 7, "affectnet": 8}
_SEED = 3
_PICTURES = (".jpg", ".png")
_CHANGES = {
    ".csv": damage.TABLE,
    **dict.fromkeys(_PICTURES, pictures.PICTURE),
}
_NAMES = (
    *("a\nb.csv", "\udcff.csv", "x" * 240 + ".jpg", "-rf", "%s{0}", "日本.csv"),
    *(".hidden", "\u202e.jpg", "\x1b[2J.png", "\udcff/a.jpg", "0/a.jpg"),
    *("train/x/a.jpg", "train/angry/\udcff.jpg", "d/" * 200 + "a.csv"),
    *("expected_counts.json", "affectnet.json", "training2.csv"),
    *("val_set/images/a\nb.jpg", "val_set/annotations/\udcff_exp.npy"),
)


class Input(NamedTuple):
    """A copy: data set and layout, configuration to try, and its files."""

    base: str
    config: str
    files: Files


def make(request: str) -> Input:
    """A giant, a whole copy, or the damaged one of a seed."""
    if request in GIANTS:
        return Input("", request.split()[0], GIANTS[request]())
    bases = list_bases()
    if request in bases:
        return Input(request, _configs(request)[-1], bases[request])
    rng = random.Random(int(request))
    base = list(bases)[int(request) % len(bases)]  # each comes up in turn
    files = dict(bases[base])
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        _damage(rng, files)
    return Input(base, rng.choice(_configs(base)), files)


def _configs(base: str) -> tuple[str, ...]:
    if base.startswith("affectnet"):
        return ("size_96", "size_48")
    return ("original", "clean", "plus" if "votes" in base else "clean")


def write(files: Files, folder: Path) -> None:
    """Puts the files below a folder, which is made."""
    folder.mkdir()
    for name, node in files.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            node(path) if callable(node) else path.write_bytes(node)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            pass  # two damages that exclude each other: the first one stays


@functools.cache
def list_bases() -> dict[str, Files]:
    """All undamaged copies: data set and layout -> files."""
    bases: dict[str, Files] = {
        f"{dataset}/{layout}": _draw(dataset, layout)
        for dataset, layouts in synthetic.DATASETS.items()
        for layout in layouts
    }
    plain = dict(bases["fer2013/png_folders"])
    counts = {n: plain.pop(n) for n in list(plain) if n.endswith(".json")}
    for layout, is_zipped in (("tar", False), ("tar_gz", True)):
        packed = archives.pack_tar(plain, is_zipped)
        bases[f"fer2013/{layout}"] = {"faces": packed, **counts}
    records = synthetic.draw_records(_counts("fer2013"), _SEED)
    votes = {"fer2013new.csv": ferplus.format_votes(records, _SEED)}
    for layout in ("csv", "archive"):
        bases[f"fer2013/{layout}_votes"] = bases[f"fer2013/{layout}"] | votes
    return bases


def _counts(dataset: str) -> dict[str, list[int]]:
    counts = [1] * _NUM_CLASSES[dataset]
    return dict.fromkeys(("train", "validation", "test"), counts)


def _draw(dataset: str, layout: str) -> Files:
    counts = _counts(dataset)
    with tempfile.TemporaryDirectory() as folder:
        synthetic.write(layout, Path(folder), counts, seed=_SEED)
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(Path(folder).rglob("*"))
            if path.is_file()
        }


def _damage(rng: random.Random, files: Files) -> None:
    """Damages one file, or the folder."""
    names = [name for name, node in files.items() if not callable(node)]
    if not names or rng.random() < 0.2:
        _change_folder(rng, files)
        return
    # Most files are pictures or tell how many there must be; the rest matters
    # most.
    few = [name for name in names if not name.endswith((*_PICTURES, ".json"))]
    name = rng.choice(rng.choice((names, few or names)))
    files[name] = _damage_file(rng, name, files[name])


def _damage_file(rng: random.Random, name: str, data: bytes) -> bytes:
    if archives.is_archive(data) and rng.random() < 0.7:
        return archives.damage_archive(rng, data, _damage_file)
    special = _CHANGES.get(os.path.splitext(name)[1], damage.BYTES)
    change = rng.choice(rng.choice((damage.BYTES, special, special, special)))
    return change(rng, data)


def _change_folder(rng: random.Random, files: Files) -> None:
    """Moves, copies or removes a file, or puts something else there."""
    name, other = (rng.choice(list(files)) for _ in range(2))
    new = rng.choice((*_NAMES, f"more/{name}", f"{name}.csv"))
    folder = rng.choice(("a/", "a/b/c/d/e/f/g/", "train/", "\udcff/"))
    changes = (
        {**files, new: files[name]},
        {**files, name: files[other], other: files[name]},
        {n: node for n, node in files.items() if n != name},
        {new if n == name else n: node for n, node in files.items()},
        {folder + n: node for n, node in files.items()},
        *[{**files, name: rng.choice(_PLACES)}] * 2,
        {**files, f"{name}_": rng.choice(_PLACES)},
    )
    changed = rng.choice(changes) or files.copy()
    files.clear()
    files |= changed


def make_web(path: Path) -> None:
    """Folders that all have links to all the others."""
    for name in "abcdefghijkl":
        (path / name).mkdir(parents=True)
        for other in "abcdefghijkl":
            (path / name / other).symlink_to(f"../{other}")


def _link_to(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


# The memory of a process is a regular file of which even root cannot read the
# first byte.
_PLACES = (
    *map(_link_to, ("..", "absent", "/dev/zero", "/proc/self/mem")),
    *(lambda path: path.symlink_to(path.name), os.mkfifo, Path.mkdir, make_web),
)


def _gzip_bomb() -> Files:
    """A tar archive with 5 GiB of zeros, packed without holding them."""
    info = tarfile.TarInfo("fer2013.csv")
    info.size = 5 << 30
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    pieces = [packer.compress(info.tobuf())]
    pieces += [packer.compress(bytes(1 << 24)) for _ in range(320)]
    return {"a": b"".join([*pieces, packer.flush()])}


def _zip(name: str, start: bytes, repeated: bytes) -> Files:
    content = start + repeated * 12_000_000
    return {"a.zip": archives.pack_zip({name: content})}


_TABLE = ("labels.csv", b",pth,label,relFCs\n")

# Config and name -> what makes an input that takes little space, if it is one.
GIANTS = {
    "clean file": lambda: _zip("test/sad/im0.png", b"", b"9" * 20),
    "clean links": lambda: list_bases()["fer2013/folders"] | {"w": make_web},
    "clean gzip": _gzip_bomb,
    "size_96 rows": lambda: _zip(*_TABLE, b"1,a\n"),
    "size_96 row": lambda: _zip(*_TABLE, b"1,a"),
}

"""Damaged copies of both data sets, each from a number.

A number decides on the copy, on what is done to it, and to which of its files.
To look at one of them: python -m tests.fer_tfds.fuzz.inputs NUMBER DIR
"""

import dataclasses
import functools
import os
import random
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from fer_tfds import synthetic
from fer_tfds.drawing import ferplus
from fer_tfds.sources.fer2013 import find
from tests.fer_tfds.fuzz import archives
from tests.fer_tfds.fuzz import damage
from tests.fer_tfds.fuzz import pictures as fuzz_pictures

# A file, or what makes something else at its place.
Node = bytes | Callable[[Path], None]
Files = dict[str, Node]

_SEED = 3
_COUNTS = {
    "fer2013": {s: [1] * 7 for s in ("train", "validation", "test")},
    "affectnet": {s: [1] * 8 for s in ("train", "validation", "test")},
}
_PICTURES = (".jpg", ".png")


@dataclasses.dataclass(frozen=True)
class Input:
    """A damaged copy.

    Attributes:
        seed: the number that it is made from.
        base: data set and layout, such as `fer2013/csv`.
        config: the builder's configuration to try.
        manual_dir: relative to the folder that it is written to.
        steps: what was done, in words.
        files: name -> content, or what makes it.
    """

    seed: int
    base: str
    config: str
    manual_dir: str
    steps: list[str]
    files: Files

    def describe(self) -> str:
        """How to call it when it has found something."""
        return (
            f"seed {self.seed}, {self.base} ({self.config}): "
            f"{'; '.join(self.steps)}"
        )


def make_input(seed: int) -> Input:
    """Makes an input; every base comes up in turn."""
    rng = random.Random(seed)
    bases = list_bases()
    base = list(bases)[seed % len(bases)]
    files = dict(bases[base])
    steps = [_damage(rng, files) for _ in range(rng.choice((1, 1, 1, 2, 4)))]
    configs = ("size_96", "size_48")
    if base.startswith("fer2013"):
        # With votes beside them, `plus` reads most.
        configs = ("original", "clean", "plus" if "votes" in base else "clean")
    named = rng.choice(list(files)) if rng.random() < 0.05 and files else ""
    return Input(seed, base, rng.choice(configs), named, steps, files)


def write(files: Files, folder: Path) -> None:
    """Puts the files below a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
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
    bases: dict[str, Files] = {}
    for dataset, layouts in synthetic.DATASETS.items():
        for layout in layouts:
            bases[f"{dataset}/{layout}"] = _draw(dataset, layout)
    plain = bases["fer2013/png_folders"]
    pictures = {n: c for n, c in plain.items() if n.endswith(_PICTURES)}
    for layout, is_zipped in (("tar", False), ("tar_gz", True)):
        packed = archives.pack_tar(pictures, is_zipped)
        counts = {n: c for n, c in plain.items() if n not in pictures}
        bases[f"fer2013/{layout}"] = {"faces": packed, **counts}
    for layout in ("csv", "archive"):
        votes = {"fer2013new.csv": _draw_votes()}
        bases[f"fer2013/{layout}_votes"] = bases[f"fer2013/{layout}"] | votes
    return bases


def _draw(dataset: str, layout: str) -> Files:
    with tempfile.TemporaryDirectory() as folder:
        synthetic.write(layout, Path(folder), _COUNTS[dataset], seed=_SEED)
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(Path(folder).rglob("*"))
            if path.is_file()
        }


def _draw_votes() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        synthetic.write("csv", Path(folder), _COUNTS["fer2013"], seed=_SEED)
        records = find.find_source(Path(folder)).read()
        return ferplus.format_votes(records, _SEED)


def _damage(rng: random.Random, files: Files) -> str:
    """Damages one file, or the folder; says what was done."""
    names = [name for name, node in files.items() if not callable(node)]
    if not names or rng.random() < 0.2:
        change = rng.choice(_FOLDER)
        return f"{change.__name__.strip('_')} {change(rng, files)!a:.80}"
    # Most files are pictures or tell how many there must be; the rest matters
    # most.
    few = [name for name in names if not name.endswith((*_PICTURES, ".json"))]
    name = rng.choice(rng.choice((names, few or names)))
    files[name], what = _damage_file(rng, name, files[name])
    return f"{what} {name!a:.80}"


def _damage_file(
    rng: random.Random, name: str, data: bytes
) -> tuple[bytes, str]:
    kinds = [damage.BYTES]
    for suffixes, changes in _CHANGES:
        if name.lower().endswith(suffixes):
            kinds += [changes] * 3
    if archives.is_archive(data) and rng.random() < 0.7:
        return archives.damage_archive(rng, data, _damage_file)
    change = rng.choice(rng.choice(kinds))
    return change(rng, data), change.__name__


_CHANGES = (
    ((".csv",), damage.TABLE),
    ((".json",), damage.JSON),
    (_PICTURES, fuzz_pictures.PICTURE),
    ((".npy",), fuzz_pictures.ARRAY),
)

_FILE_NAMES = (
    *("a\nb.csv", "\udcff.csv", "x" * 240 + ".jpg", "-rf", "%s{0}", " ", "..."),
    *(
        ".hidden",
        "\u202e.jpg",
        "\x1b[2J.png",
        "con",
        "日本.csv",
        "\udcff/a.jpg",
    ),
    *("train/x/a.jpg", "train/angry/b.jpg", "0/a.jpg", "test/9/a.jpg"),
    *("train_set/images/a\nb.jpg", "expected_counts.json", "affectnet.json"),
    *("train/angry/\udcff.jpg", "training2.csv", "d/" * 200 + "a.csv"),
    *("val_set/images/\udcff.jpg", "val_set/annotations/\udcff_exp.npy"),
)


def _rename(rng: random.Random, files: Files) -> str:
    name = rng.choice(list(files))
    new = rng.choice(_FILE_NAMES)
    files[new] = files.pop(name)
    return f"{name} -> {new}"


def _copy(rng: random.Random, files: Files) -> str:
    name = rng.choice(list(files))
    new = rng.choice((*_FILE_NAMES, f"more/{name}", f"{name}.csv"))
    files[new] = files[name]
    return f"{name} -> {new}"


def _remove(rng: random.Random, files: Files) -> str:
    name = rng.choice(list(files))
    del files[name]
    return name


def _swap(rng: random.Random, files: Files) -> str:
    one, two = (rng.choice(list(files)) for _ in range(2))
    files[one], files[two] = files[two], files[one]
    return f"{one} <-> {two}"


def _move_all(rng: random.Random, files: Files) -> str:
    folder = rng.choice(("a/", "a/b/c/d/e/f/g/", "train/", "0/", "\udcff/"))
    moved = {folder + name: node for name, node in files.items()}
    files.clear()
    files |= moved
    return folder


def _replace(rng: random.Random, files: Files) -> str:
    """Puts something that is no file in the place of one, or beside it."""
    name = rng.choice(list(files))
    at = rng.choice((name, name, name.rsplit("/", 1)[0], "train", "images"))
    kind = rng.choice(list(_PLACES))
    for below in [n for n in files if n.startswith(f"{at}/")]:
        del files[below]
    files[at] = _PLACES[kind]
    return f"{at} by {kind}"


def _add_link(rng: random.Random, files: Files) -> str:
    """Adds a link among the good files, which stay."""
    folder = rng.choice(list(files)).rpartition("/")[0]
    kind = rng.choice(list(_PLACES))
    name = rng.choice(("link", "x.csv", "x.jpg", "x_exp.npy"))
    files[f"{folder}/{name}".lstrip("/")] = _PLACES[kind]
    return f"{folder}/{name}: {kind}"


def _add_many(rng: random.Random, files: Files) -> str:
    pattern = rng.choice(("n/{}", "{}.csv", "train/angry/im{}.png", "{}/0/a"))
    files |= {pattern.format(i): b"x" for i in range(300)}
    return pattern


_FOLDER = (
    *(_rename, _rename, _copy, _remove, _swap, _move_all, _add_many),
    *(_replace, _replace, _replace, _add_link),
)


def make_web(path: Path) -> None:
    """Folders that all have links to all the others."""
    for name in "abcdefghijkl":
        (path / name).mkdir(parents=True)
        for other in "abcdefghijkl":
            (path / name / other).symlink_to(f"../{other}")


def _link_to(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def _make_socket(path: Path) -> None:
    # Relative, since a socket's whole path may have 108 bytes only.
    with socket.socket(socket.AF_UNIX) as server:
        folder = os.open(path.parent, os.O_RDONLY)
        server.bind(f"/proc/self/fd/{folder}/s")
        os.rename(path.parent / "s", path)
        os.close(folder)


def _make_unreadable(path: Path) -> None:
    path.write_bytes(b"emotion,pixels,Usage\n")
    path.chmod(0)


# The memory of a process is a regular file of which even root cannot read the
# first byte.
_PLACES: dict[str, Callable[[Path], None]] = {
    "a pipe": lambda path: os.mkfifo(path),
    "a socket": _make_socket,
    "a folder": lambda path: path.mkdir(),
    "an empty file": lambda path: path.touch(),
    "no permission": _make_unreadable,
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to a folder above": _link_to(".."),
    "a link to nothing": _link_to("absent"),
    "a link to an endless device": _link_to("/dev/zero"),
    "a link to a file that cannot be read": _link_to("/proc/self/mem"),
    "a web of links": make_web,
}


if __name__ == "__main__":
    made = make_input(int(sys.argv[1]))
    write(made.files, Path(sys.argv[2]))
    print(made.describe(), made.manual_dir, sep="\n")

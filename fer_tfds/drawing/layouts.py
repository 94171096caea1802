"""Writes synthetic copies: a folder, a zip archive or a tar archive.

A file that marks the copy as synthetic is written first. Real data is never
overwritten: what has no such mark stays as it is.
"""

import dataclasses
import gzip
import io
import json
import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from collections.abc import Iterable
from pathlib import Path

Counts = dict[str, list[int]]
Files = Iterable[tuple[str, bytes]]

_ZIP_DATE = (2020, 1, 1, 0, 0, 0)  # any: the same seed gives the same bytes


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layout:
    """One form in which copies of a data set come.

    Attributes:
        files: counts and seed -> name and content of every file.
        pack: puts all files into one archive; None leaves them in the folder.
        names: what is written into the folder, and replaced when it must be;
            an archive has the first of them.
        select: checks the counts, and keeps those that the layout can hold.
        mark: name of the JSON file that marks the folder as synthetic.
        note: counts -> what the mark holds.
        proof: text that the mark has in it when it is ours.
    """

    files: Callable[[Counts, int], Files]
    pack: Callable[[Files], bytes] | None = None
    names: tuple[str, ...]
    select: Callable[[Counts], Counts]
    mark: str
    note: Callable[[Counts], dict] = dict
    proof: str = ""

    def write(
        self, directory: Path, counts: Counts, seed: int, *, overwrite: bool
    ) -> None:
        """Writes the mark and all files; see `fer_tfds.synthetic.write`."""
        directory = Path(directory)
        counts = self.select(counts)
        self._make_way(directory, overwrite)
        note = json.dumps(self.note(counts)) + "\n"
        write_aside(directory / self.mark, note.encode())
        files = self.files(counts, seed)
        if self.pack:
            files = [(self.names[0], self.pack(files))]
        for name, content in files:
            write_aside(directory / name, content)

    def _make_way(self, directory: Path, overwrite: bool) -> None:
        paths = [directory / name for name in self.names]
        there = [path for path in paths if path.exists()]
        if there and not overwrite:
            raise ValueError(
                f"{there[0]} exists already. Choose another folder, or "
                "overwrite it with --overwrite (in Python `overwrite=True`)."
            )
        # Nobody's real data may fall to a mistyped folder.
        if there and not self._is_ours(directory):
            raise ValueError(
                f"{there[0]} may be real data: no {self.mark} beside it says "
                "that it is synthetic. Choose another folder."
            )
        for path in there:
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _is_ours(self, directory: Path) -> bool:
        mark = directory / self.mark
        return mark.is_file() and self.proof in mark.read_text()


def write_aside(target: Path, content: bytes) -> None:
    """Writes a file beside its place first: it is never seen half written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    aside.write_bytes(content)
    os.replace(aside, target)


def pack_zip(
    files: Files, *, below: str = "", compression: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """Packs files into a zip archive, their names `below` some folder."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files:
            info = zipfile.ZipInfo(below + name, _ZIP_DATE)
            archive.writestr(info, content, compression)
    return buffer.getvalue()


def pack_tar(files: Files) -> bytes:
    """Packs files into a tar archive, compressed with gzip."""
    buffer = io.BytesIO()
    # No time stamps: the same seed gives the same bytes.
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()

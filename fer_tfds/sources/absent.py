"""The error for a place without a copy, and what its files are instead."""

from pathlib import Path

from fer_tfds.sources.records import SourceError

_MAX_NAMES_LISTED = 8
_HEAD_BYTES = 4096

_MAX_CHARS_SHOWN = 40

_TABLES = (".csv", ".tsv")
_UTF_16 = "text in UTF-16: save it as UTF-8"
# How files begin that are often taken for data.
_BEGINNINGS = {
    b"<!doctype html": "a web page, not an archive: download it signed in",
    b"<html": "a web page, not an archive: download it signed in",
    b"<?xml": "a page of XML, not an archive: download it signed in",
    b"version https://git-lfs": "a pointer of Git LFS: fetch the file itself",
    b"rar!": "a RAR archive: unpack it",
    b"7z\xbc\xaf": "a 7z archive: unpack it",
    b"\xff\xfe": _UTF_16,
    b"\xfe\xff": _UTF_16,
}


def no_copy_in(place: Path, data_set: str, accepted_forms: str) -> SourceError:
    """The error for a `place` that is absent or holds no form of a data set."""
    paths = [place]
    if place.is_dir():
        paths = sorted(place.iterdir())
    more = len(paths) - _MAX_NAMES_LISTED
    found = ", ".join(map(_describe, paths[:_MAX_NAMES_LISTED])) or "nothing"
    problem = f"no copy of {data_set} in here. Found: {found}"
    problem += f" and {more} more" if more > 0 else ""
    if not place.exists():
        problem = "there is no such folder"
    return SourceError(
        f"{place}: {problem}. Put one of these into {place}, or give the "
        f"folder that has it as --manual_dir, and build again:\n"
        f"{accepted_forms}"
    )


def _describe(path: Path) -> str:
    what = _what_it_is(path) if path.is_file() else ""
    return f"{path.name} ({what})" if what else path.name


def _what_it_is(path: Path) -> str:
    """What a file is that is no data; empty where that cannot be told."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        return str(error.strerror)
    if not head:
        return "an empty file: get it again"
    begins = head.lstrip().lower().startswith
    known = next((w for b, w in _BEGINNINGS.items() if begins(b)), "")
    if b"\0" in head[:2] and path.suffix.lower() in _TABLES:
        return _UTF_16
    # It may be called as the file that is asked for.
    if not known and path.suffix.lower() in _TABLES:
        line = head.decode("utf-8", "replace").splitlines()[0]
        return f"not taken, for its first line is {line[:_MAX_CHARS_SHOWN]!r}"
    return known

"""FER-2013 in any of the forms in which people have it.

Finds the one copy that is meant; the forms themselves are recognised and read
in `forms`. How many faces there must be is said here too.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from fer_tfds import labels
from fer_tfds.sources.absent import no_copy_in
from fer_tfds.sources.archives.trees import check_path
from fer_tfds.sources.fer2013 import forms
from fer_tfds.sources.fer2013.forms import Source
from fer_tfds.sources.records import SPLITS
from fer_tfds.sources.records import FaceRecords
from fer_tfds.sources.records import SourceError
from fer_tfds.sources.records import count_classes

# Counted in the challenge's fer2013.csv (ICML 2013; md5 of the CSV file
# f8428a1edbd21e88f42c73edd2a14f95), one number per label id.
OFFICIAL_COUNTS: dict[str, list[int]] = {
    "train": [3995, 436, 4097, 7215, 4830, 3171, 4965],
    "validation": [467, 56, 496, 895, 653, 415, 607],
    "test": [491, 55, 528, 879, 594, 416, 626],
}

# Of the copy with folders `train` and `validation`: the same faces, cut anew.
# By class, both together are the sums of the challenge's three.
_ANEW_COUNTS: dict[str, list[int]] = {
    "train": [3993, 436, 4103, 7164, 4938, 3205, 4982],
    "validation": [960, 111, 1018, 1825, 1139, 797, 1216],
}

# What a copy lacks that tells these splits apart, and what to do about it.
_NOTES = {
    ("train", "test"): (
        "This copy does not tell PublicTest and PrivateTest apart: its `test` "
        "is both of them in one, and there is no `validation`. It can be cut "
        "from train when reading: split='train[:90%]' to train on, "
        "split='train[90%:]' to validate."
    ),
    ("train", "validation"): (
        "This copy has no `test`: train with --test_split=none. Where it is "
        "not cut as the challenge was, some of the challenge's test faces "
        "stand in its `train`: figures do not compare with those of others."
    ),
}

# Beside the raw data: counts of a set that is meant to differ.
EXPECTED_COUNTS_FILE = "expected_counts.json"

_ACCEPTED_FORMS = """\
  fer2013.tar.gz   the challenge archive, as it was handed out; or
  fer2013.csv      the file inside it, or icml_face_data.csv (columns emotion,
                   pixels and Usage), also as .csv.gz; or
  train/ and test/ the Kaggle folders, one folder per class in each (or train/
                   and validation/);
  each of them also in a zip or tar archive, whatever it is called"""

_MAX_COUNTS_CHARS = 10_000


def find_source(manual_dir: Path) -> Source:
    """Finds the one copy of FER-2013 in a folder or directly below it.

    Args:
        manual_dir: the folder in which the user has put the raw data, or the
            one file in it that is meant.

    Returns:
        The copy, not read yet.

    Raises:
        SourceError: the folder is absent, or it holds no copy or several.
    """
    if not manual_dir.exists():
        raise no_copy_in(manual_dir, "FER-2013", _ACCEPTED_FORMS)
    try:
        found = list(_find_all(manual_dir))
    except OSError as error:
        raise SourceError(
            f"{manual_dir}: it cannot be read ({error}). Check that you may "
            "read all of it."
        ) from error
    # Part of a copy is of interest only where there is no whole one.
    sources = [source for source in found if source.is_complete] or found
    if not sources and any(map(_is_of_ferplus, folders_of(manual_dir))):
        raise SourceError(
            f"{manual_dir}: these are the folders of FER+, with its votes and "
            "without FER-2013's labels. Put fer2013.csv (or fer2013.tar.gz) "
            "and, for --config=plus, fer2013new.csv into one folder DIR and "
            "build: tfds build fer_tfds/fer2013 --manual_dir=DIR"
        )
    if not sources:
        raise no_copy_in(manual_dir, "FER-2013", _ACCEPTED_FORMS)
    if len(sources) > 1:
        raise _several(manual_dir, sources)
    check_path(sources[0].path)
    return sources[0]


def note_on(records: FaceRecords) -> str:
    """What these faces lack and what to do about it; empty for nothing."""
    return _NOTES.get(records.split_names, "")


def load_expected_counts(
    manual_dir: Path, split_names: tuple[str, ...] = SPLITS
) -> tuple[dict[str, list[int]], str]:
    """The counts that the raw data must have, and where they come from.

    Args:
        manual_dir: the folder with the raw data, or a file in it. Counts in a
            file `expected_counts.json` there, or in a folder in which the raw
            data may lie, come before the official ones.
        split_names: the splits that the raw data tells apart.

    Returns:
        Split name -> one count for each label id, and a name for the origin.

    Raises:
        SourceError: the file does not have the form it must have.
    """
    places = [
        folder / EXPECTED_COUNTS_FILE for folder in folders_of(manual_dir)
    ]
    path = next(filter(Path.is_file, places), None)
    if path is None and set(split_names) == set(_ANEW_COUNTS):
        return _ANEW_COUNTS, "the copy with folders train and validation"
    if path is None:
        return OFFICIAL_COUNTS, "the official counts of the challenge"
    try:
        with path.open(encoding="utf-8") as file:
            counts = json.loads(file.read(_MAX_COUNTS_CHARS))
    except (OSError, ValueError, RecursionError) as error:
        raise SourceError(f"{path}: not JSON ({error}). {_form()}") from None
    if not _are_counts(counts):
        raise SourceError(f"{path}: not as expected. {_form()}")
    return counts, str(path)


def check_counts(
    records: FaceRecords, expected: dict[str, list[int]], origin: str
) -> str:
    """Compares the faces of each split and class with what must be there.

    Where the raw data does not tell validation and test apart, their sum is
    expected in what it has of them.

    Args:
        records: all faces.
        expected: split name -> one count for each label id.
        origin: where `expected` comes from, for the error.

    Returns:
        A table of the counts, to be shown.

    Raises:
        SourceError: any count differs; shows expected and found ones.
    """
    names = labels.class_names("fer2013")
    found = count_classes(records, len(names))
    expected = _merge(expected, records.split_names)
    if found == expected:
        return _format_table(names, found)
    raise SourceError(
        f"The number of faces is not that of {origin}.\n"
        f"Expected:\n{_format_table(names, expected)}\n"
        f"Found:\n{_format_table(names, found)}\n"
        "Get the complete file and build again. If this is meant to be "
        f"another set of faces, put a file {EXPECTED_COUNTS_FILE} beside the "
        f"raw data: {json.dumps(found)}"
    )


def _find_all(place: Path) -> Iterator[Source]:
    """Looks at one file, or into a folder and the folders directly in it."""
    if place.is_file():
        yield from forms.find_in_file(place)
        return
    for folder in folders_of(place):
        yield from forms.find_in_folder(folder)
        for entry in _list_visible(folder):
            if entry.is_file():
                yield from forms.find_in_file(entry)


def folders_of(manual_dir: Path) -> Iterator[Path]:
    """The folders in which raw data may lie, or lies beside the named file."""
    if not manual_dir.is_dir():
        yield manual_dir.parent
        return
    yield manual_dir
    seen = {manual_dir.resolve()}  # links may lead anywhere, and back
    for folder in _list_visible(manual_dir):
        # Unpacking often leaves folders that hold one folder and no more.
        while folder.is_dir() and folder.resolve() not in seen:
            seen.add(folder.resolve())
            yield folder
            entries = _list_visible(folder)
            if len(entries) != 1:
                break
            folder = entries[0]


def _is_of_ferplus(folder: Path) -> bool:
    """Whether FER+'s own program has written it: pictures beside a table."""
    is_named = folder.name.lower().startswith("fer2013")
    return is_named and (folder / "label.csv").is_file()


def _list_visible(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.iterdir() if not path.name.startswith(".")
    )


def _several(manual_dir: Path, sources: list[Source]) -> SourceError:
    found = "\n".join(f"  {s.path} ({s.form})" for s in sources)
    return SourceError(
        f"{manual_dir}: several copies of FER-2013 in here:\n{found}\n"
        "Which one is meant? Keep one of them and move the others elsewhere, "
        f"or name the one, for example --manual_dir={sources[0].path}. Of "
        "several in one archive, unpack the one. Then build again."
    )


def _form() -> str:
    return (
        "It must hold one count for each class, in the official order, like "
        f"this: {json.dumps(OFFICIAL_COUNTS)}. Correct or remove the file."
    )


def _merge(
    counts: dict[str, list[int]], split_names: tuple[str, ...]
) -> dict[str, list[int]]:
    """Adds validation and test up where they are not told apart."""
    if len(counts) < 3 or len(split_names) == 3:
        return counts
    pairs = zip(counts["validation"], counts["test"], strict=True)
    sums = [sum(pair) for pair in pairs]
    return {"train": counts["train"], split_names[-1]: sums}


def _are_counts(counts: object) -> bool:
    num_classes = len(labels.class_names("fer2013"))
    return (
        isinstance(counts, dict)
        and set(counts) in ({*SPLITS}, *map(set, _NOTES))
        and all(
            isinstance(row, list)
            and len(row) == num_classes
            and all(type(count) is int and count >= 0 for count in row)
            for row in counts.values()
        )
    )


def _format_table(names: tuple[str, ...], counts: dict[str, list[int]]) -> str:
    lines = ["  split      " + "".join(f"{n:>9}" for n in (*names, "all"))]
    for split in filter(counts.__contains__, SPLITS):
        row = [*counts[split], sum(counts[split])]
        lines.append(f"  {split:<11}" + "".join(f"{n:>9,}" for n in row))
    return "\n".join(lines)

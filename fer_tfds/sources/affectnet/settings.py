"""What the user may say about a copy of AffectNet, in `affectnet.json`.

An optional file beside the raw data. It is checked in full when it is read: a
misspelt key is an error, not a setting that has no effect.
"""

import dataclasses
import json
from pathlib import Path

from fer_tfds import labels
from fer_tfds.sources import settings_file
from fer_tfds.sources.affectnet import records as records
from fer_tfds.sources.records import SPLITS

FILE_NAME = "affectnet.json"

# Ours, by judgement: a few broken files are normal in a set of this size; one
# row in twenty means that an archive is missing or was unpacked elsewhere.
MAX_REJECTED_FRACTION = 0.05


@dataclasses.dataclass(frozen=True)
class CopySettings:
    """What is expected of a copy.

    Attributes:
        max_rejected_fraction: share of damaged rows above which the build
            fails, 0 to 1.
        class_names: number of a class folder -> name of the class.
        expected_counts: split name -> number of examples of each native label
            id (11 of them); None when nothing is expected.
        note: anything, for people.
    """

    max_rejected_fraction: float = MAX_REJECTED_FRACTION
    class_names: dict[str, str] = dataclasses.field(default_factory=dict)
    expected_counts: dict[str, list[int]] | None = None
    note: str = ""


def load(manual_dir: Path) -> CopySettings:
    """Reads the file, if there is one.

    Args:
        manual_dir: the folder with the raw data, or a file in it.

    Raises:
        SourceError: the file does not have the form it must have.
    """
    content = settings_file.load(manual_dir, FILE_NAME, _CHECKS, form=_FORM)
    return CopySettings(**content)


def example_map(numbers: list[str]) -> str:
    """The file's content that gives numbered folders the official meaning."""
    names = labels.native_names("affectnet")
    return json.dumps({"class_names": dict(zip(numbers, names, strict=False))})


def _is_map(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    try:
        ids = [records.parse_class(str(name)) for name in value.values()]
    except records.Rejected:
        return False
    return len(set(ids)) == len(ids) and all(map(records.is_number, value))


def _are_counts(value: object) -> bool:
    num_labels = len(labels.native_names("affectnet"))
    return (
        isinstance(value, dict)
        and set(value) <= set(SPLITS)
        and all(
            isinstance(row, list)
            and len(row) == num_labels
            and all(type(count) is int and count >= 0 for count in row)
            for row in value.values()
        )
    )


_CHECKS = {
    "max_rejected_fraction": settings_file.is_fraction,
    "class_names": _is_map,
    "expected_counts": _are_counts,
    "note": lambda value: isinstance(value, str),
}

_FORM = (
    "It may hold, each of them or none: max_rejected_fraction (0 to 1), "
    "class_names (number of a folder -> class, each class once), "
    "expected_counts (split -> 11 counts by official id), note (a text). For "
    'example {"max_rejected_fraction": 0.1, "class_names": {"0": "neutral", '
    '"1": "happiness"}}. Correct or remove it.'
)

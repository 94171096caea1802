"""What a user says about a folder of pictures, in `image_folder.json`."""

import dataclasses
import re
from pathlib import Path

from fer_tfds import labels
from fer_tfds.sources import settings_file

FILE_NAME = "image_folder.json"

# Ours, by judgement: of 500 photographs, 25 that cannot be read are a copy
# that went wrong.
MAX_REJECTED_FRACTION = 0.05

# Class names stand in tables, charts and the model's own label file.
MAX_CLASS_CHARS = 60


@dataclasses.dataclass(frozen=True)
class FolderSettings:
    """What is expected of the pictures.

    Attributes:
        class_names: name of a folder, or label in a table -> class.
        group_pattern: searched in the file name of each picture; its first
            group, or all that matches, names the person or series. Empty where
            nothing is known of them.
        max_rejected_fraction: fraction of pictures, 0 to 1, that may be
            unreadable.
        note: anything, for people.
    """

    class_names: dict[str, str] = dataclasses.field(default_factory=dict)
    group_pattern: str = ""
    max_rejected_fraction: float = MAX_REJECTED_FRACTION
    note: str = ""

    def class_of(self, label: str) -> str:
        """The class that a folder's name, or a label, stands for.

        What means an expression takes its standard name; others stay.
        """
        return labels.common_name(self.class_names.get(label, label).strip())

    def group_of(self, file_name: str) -> str:
        """The person or series that a file's name tells; mostly empty."""
        match = self.group_pattern and re.search(self.group_pattern, file_name)
        if not match:
            return ""
        return (match[1] if match.re.groups else match[0]) or ""


def load(manual_dir: Path) -> FolderSettings:
    """Reads the file, if there is one.

    Args:
        manual_dir: the folder with the raw data, or a file in it.

    Raises:
        SourceError: the file does not have the form it must have.
    """
    content = settings_file.load(manual_dir, FILE_NAME, _CHECKS, form=_FORM)
    return FolderSettings(**content)


def is_class_name(name: str) -> bool:
    """Whether a class can be called so: a line without commas to be shown."""
    name = name.strip()
    is_short = 0 < len(name) <= MAX_CLASS_CHARS
    return is_short and name.isprintable() and "," not in name


def _is_map(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(name, str) and is_class_name(name) for name in value.values()
    )


def _is_pattern(value: object) -> bool:
    try:
        re.compile(value)
    except (re.error, TypeError):
        return False
    return isinstance(value, str)


_CHECKS = {
    "class_names": _is_map,
    "group_pattern": _is_pattern,
    "max_rejected_fraction": settings_file.is_fraction,
    "note": lambda value: isinstance(value, str),
}

_FORM = (
    "It may hold, each of them or none: class_names (folder or label -> "
    "class), group_pattern (a regular expression for file names, whose first "
    "group names the person), max_rejected_fraction (0 to 1), note (a text). "
    'For example {"class_names": {"1": "surprise", "hapy": "happy"}, '
    '"group_pattern": "^(S\\\\d+)_"}. Correct or remove it.'
)

"""The JSON file beside raw data in which a user says more about a copy."""

import json
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fer_tfds.sources.records import SourceError

_MAX_BYTES = 1 << 20


def load(
    manual_dir: Path,
    file_name: str,
    checks: Mapping[str, Callable[[object], bool]],
    *,
    form: str,
) -> dict[str, Any]:
    """Reads the file, if there is one.

    Args:
        manual_dir: the folder with the raw data, or a file in it.
        file_name: what the file is called.
        checks: key that may be in it -> whether a value will do.
        form: what it may hold, for messages.

    Returns:
        Key -> value, of the keys that are there.

    Raises:
        SourceError: the file does not have the form it must have.
    """
    folder = manual_dir if manual_dir.is_dir() else manual_dir.parent
    path = folder / file_name
    if not path.is_file():
        return {}
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(_MAX_BYTES))
    # Beside ValueError: a nested one can exceed the depth that Python allows.
    except (OSError, ValueError, RecursionError) as error:
        raise SourceError(f"{path}: not JSON ({error}). {form}") from None
    if not isinstance(content, dict):
        raise SourceError(f"{path}: not an object. {form}")
    for key, value in content.items():
        if key not in checks or not checks[key](value):
            raise SourceError(
                f"{path}: `{key[:40]}` is not as expected. Received: "
                f"{json.dumps(value)[:200]}. {form}"
            )
    return content


def is_fraction(value: object) -> bool:
    """Whether a value is a number from 0 to 1."""
    return type(value) in (int, float) and 0 <= value <= 1

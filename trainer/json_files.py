"""The one way that JSON is read: bounded, checked, and named when damaged.

Files may come from anywhere, cut by a full disk or edited by hand. Must not
import TensorFlow.
"""

import dataclasses
import json
import os
import pathlib
import typing
from collections.abc import Callable
from typing import Any
from typing import TypeVar

# 100,000 epochs of history, and metrics of a thousand classes, are smaller.
MAX_BYTES = 2**24

# Far more than anything here is nested, and less than stops what walks it.
MAX_DEPTH = 50

# What taking apart a value raises that is not what it should be.
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError)
UNREADABLE += (ArithmeticError, RecursionError)

_Made = TypeVar("_Made")


class DamagedFileError(ValueError):
    """A file is not what was once written; the text says what to do."""


def read(
    path: str | os.PathLike,
    make: Callable[[Any], _Made],
    *,
    advice: str,
) -> _Made:
    """Reads a JSON file and makes what it stands for.

    Args:
      path: the file.
      make: takes the parsed value; may raise what taking apart another value
        than it should be raises. `as_object` where a dict is all that is asked.
      advice: what to do about a damaged file.

    Raises:
      DamagedFileError: it is not UTF-8, no JSON, too large, nested too
        deeply, or `make` refuses it; the text names the file.
      OSError: it cannot be opened; the text names the file.
    """
    path = pathlib.Path(path)
    with open(path, "rb") as file:
        data = file.read(MAX_BYTES + 1)
    try:
        return make(parse(data))
    except UNREADABLE as error:
        is_told = isinstance(error, ValueError)
        reason = (str(error) if is_told else repr(error)).splitlines()[0]
        raise DamagedFileError(
            f"{path} is damaged or of another version ({reason:.200}): {advice}"
        ) from error


def parse(data: str | bytes) -> Any:
    """Returns the value of a JSON text.

    Raises:
      ValueError: it is not UTF-8, no JSON, too large or nested too deeply.
    """
    if len(data) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES:,} bytes")
    text = data.decode("utf-8") if isinstance(data, bytes) else data
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if _depth(value) > MAX_DEPTH:
        raise ValueError(f"nested more than {MAX_DEPTH} deep")
    return value


def as_object(value: Any) -> dict[str, Any]:
    """Returns a value that is a JSON object.

    Raises:
      ValueError: it is something else.
    """
    if not isinstance(value, dict):
        raise ValueError(f"it holds no object but {value!r:.40}")
    return value


def as_dataclass(kind: type[_Made], value: Any) -> _Made:
    """Makes a dataclass of the object that `dataclasses.asdict` wrote.

    Raises:
      ValueError: it lacks a field, has another one, or one of another type.
    """
    values = as_object(value)
    for field in dataclasses.fields(kind):
        wanted = typing.get_origin(field.type) or field.type
        allowed = (int, float) if wanted is float else wanted
        if field.name in values and not isinstance(values[field.name], allowed):
            raise ValueError(
                f"`{field.name}` is no {wanted.__name__}: "
                f"{values[field.name]!r:.40}"
            )
    return kind(**values)


def _depth(value: Any) -> int:
    """How deeply lists and objects lie in each other."""
    depth, level = 0, [value]
    while level := [each for each in level if isinstance(each, dict | list)]:
        depth += 1
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return depth

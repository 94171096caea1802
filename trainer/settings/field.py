"""One setting: a dataclass field with its help text, choices and bounds."""

import dataclasses
import typing
from typing import Any

# TensorFlow counts in 32 bits.
MOST = 2**31 - 1


def setting(
    default: Any,
    help_text: str,
    *,
    choices: tuple[str, ...] = (),
    lower: float | None = None,
    upper: float | None = None,
    flag: str = "",
) -> Any:
    """Returns a dataclass field that carries its help, choices and bounds.

    Args:
      default: the value without a flag.
      help_text: says what the setting does.
      choices: all that the value may be; empty is any.
      lower: the least number that is allowed.
      upper: the largest one.
      flag: name of its flag; empty is that of the field.
    """
    metadata = {
        "flag": flag,
        "help": help_text,
        "choices": choices,
        "lower": lower,
        "upper": upper,
    }
    return dataclasses.field(default=default, metadata=metadata)


def settings_of(kind: type) -> list[dataclasses.Field]:
    """Returns the fields of a dataclass that `setting` made, in order."""
    found = dataclasses.fields(kind)
    return [field for field in found if "help" in field.metadata]


def flag_name(field: dataclasses.Field) -> str:
    """Returns the name of a setting's flag."""
    return field.metadata["flag"] or field.name


def check_settings(settings: Any) -> None:
    """Refuses settings of a dataclass that are out of their bounds.

    Raises:
      ValueError: as `check_bounds`.
    """
    for field in settings_of(type(settings)):
        check_bounds(field, getattr(settings, field.name))


def element_type(field: dataclasses.Field) -> type | None:
    """Returns the type of a tuple setting's elements, None for a scalar."""
    arguments = typing.get_args(field.type)
    return arguments[0] if Ellipsis in arguments else None


def check_type(field: dataclasses.Field, value: Any) -> None:
    """Refuses a value that is not of a setting's type; files hold any.

    Raises:
      ValueError: the text names the setting, its type and the value.
    """
    kind = element_type(field)
    kinds = (kind,) if kind else typing.get_args(field.type) or (field.type,)
    is_listed = isinstance(value, tuple) or not kind
    parts = value if kind and is_listed else (value,)
    if not is_listed or not all(_is_of(part, kinds) for part in parts):
        names = " or ".join(each.__name__ for each in kinds)
        raise ValueError(
            f"`{flag_name(field)}` must be {'a list of ' if kind else ''}"
            f"{names}; received {value!r:.80}"
        )


def _is_of(value: Any, kinds: tuple[type, ...]) -> bool:
    if isinstance(value, bool):  # A kind of int, to Python.
        return bool in kinds
    return isinstance(value, (*kinds, int) if float in kinds else kinds)


def check_bounds(field: dataclasses.Field, value: Any) -> None:
    """Refuses a value that a setting's choices or bounds exclude.

    Raises:
      ValueError: the text names the setting, what is allowed and the value.
    """
    choices, name = field.metadata["choices"], flag_name(field)
    if choices and value not in choices:
        raise ValueError(
            f"`{name}` must be one of {', '.join(choices)}; received {value!r}"
        )
    lower, upper = field.metadata["lower"], field.metadata["upper"]
    for number in value if isinstance(value, tuple) else (value,):
        if isinstance(number, int) and number > MOST:
            raise ValueError(f"`{name}` must be at most {MOST:,}")
        too_low = lower is not None and not number >= lower
        too_high = upper is not None and not number <= upper
        if too_low or too_high:
            raise ValueError(
                f"`{name}` must lie between {lower} and "
                f"{'any number' if upper is None else upper}; "
                f"received {value!r}"
            )

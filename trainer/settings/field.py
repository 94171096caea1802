"""One setting: a dataclass field with its help text, choices and bounds."""

import dataclasses
import typing
from typing import Any


def setting(
    default: Any,
    help_text: str,
    *,
    choices: tuple[str, ...] = (),
    lower: float | None = None,
    upper: float | None = None,
) -> Any:
    """Returns a dataclass field that carries its help, choices and bounds."""
    metadata = {
        "help": help_text,
        "choices": choices,
        "lower": lower,
        "upper": upper,
    }
    return dataclasses.field(default=default, metadata=metadata)


def element_type(field: dataclasses.Field) -> type | None:
    """Returns the type of a tuple setting's elements, None for a scalar."""
    arguments = typing.get_args(field.type)
    return arguments[0] if Ellipsis in arguments else None


def check_bounds(field: dataclasses.Field, value: Any) -> None:
    """Refuses a value that a setting's choices or bounds exclude.

    Raises:
      ValueError: the text names the setting, what is allowed and the value.
    """
    choices = field.metadata["choices"]
    if choices and value not in choices:
        raise ValueError(
            f"`{field.name}` must be one of {', '.join(choices)}; "
            f"received {value!r}"
        )
    lower, upper = field.metadata["lower"], field.metadata["upper"]
    for number in value if isinstance(value, tuple) else (value,):
        too_low = lower is not None and not number >= lower
        too_high = upper is not None and not number <= upper
        if too_low or too_high:
            raise ValueError(
                f"`{field.name}` must lie between {lower} and "
                f"{'any number' if upper is None else upper}; "
                f"received {value!r}"
            )

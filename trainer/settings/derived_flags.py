"""Command-line flags derived from settings, the fields of dataclasses.

Each command's flags stand once, as the settings of `trainer.settings.field`;
this makes flags of them and reads them back. Imports no TensorFlow: a wrong
flag should not wait for it.
"""

import dataclasses
import difflib
import pathlib
import sys
import typing
from typing import Any

from absl import app
from absl import flags

from trainer.settings.field import element_type
from trainer.settings.field import flag_name
from trainer.settings.field import settings_of

# So that --help shows flags under the command that asked for them.
flags.disclaim_key_flags()


def define(kind: type) -> None:
    """Defines a flag for every setting of a dataclass."""
    for field in settings_of(kind):
        _define(field)


def values_of(
    kind: type, values: flags.FlagValues = flags.FLAGS
) -> dict[str, Any]:
    """Returns {field name: value} of a dataclass's settings, from its flags.

    Raises:
      ValueError: an element of a list is no such number.
    """
    return {
        field.name: _parse(field, values[flag_name(field)].value)
        for field in settings_of(kind)
    }


def parse(arguments: list[str]) -> list[str]:
    """Parses a command line, as `flags_parser` of `absl.app.run`.

    An unknown flag ends the process, as absl does, and in one line.
    """
    try:
        return flags.FLAGS(arguments)
    except flags.UnrecognizedFlagError as error:
        known = [name for name in flags.FLAGS if len(name) > 1]
        print(_unknown(error.flagname, known), file=sys.stderr)
        sys.exit(1)
    except flags.Error:
        return app.parse_flags_with_usage(arguments)


def _unknown(name: str, known: list[str]) -> str:
    """Names flags that are spelt alike, or that have all of its words."""
    meant = name.replace("-", "_")
    near = difflib.get_close_matches(meant, known, cutoff=0.75)
    words = set(meant.split("_"))
    near += [n for n in known if words <= set(n.split("_")) and n not in near]
    hint = " or ".join(f"--{each}" for each in near)
    hint = f"did you mean {hint}?" if near else "see --help"
    return f"error: unknown flag --{name}; {hint}"


def _define(field: dataclasses.Field) -> None:
    name, default = flag_name(field), field.default
    help_text = field.metadata["help"]
    lower, upper = field.metadata["lower"], field.metadata["upper"]
    bounds = {"lower_bound": lower, "upper_bound": upper}
    if element_type(field):
        text = [str(part) for part in default]
        flags.DEFINE_list(name, text, help_text)
    elif field.metadata["choices"]:
        choices = list(field.metadata["choices"])
        flags.DEFINE_enum(name, default, choices, help_text)
    elif field.type is bool:
        flags.DEFINE_bool(name, default, help_text)
    elif field.type is int:
        flags.DEFINE_integer(name, default, help_text, **bounds)
    elif field.type is float:
        flags.DEFINE_float(name, default, help_text, **bounds)
    else:
        text = None if default is None else str(default)
        flags.DEFINE_string(name, text, help_text)


def _parse(field: dataclasses.Field, value: Any) -> Any:
    kinds = (field.type, *typing.get_args(field.type))
    if pathlib.Path in kinds:
        is_absent = value is None or (not value and type(None) in kinds)
        return None if is_absent else pathlib.Path(value)
    kind = element_type(field)
    if kind is None:
        return value
    try:
        return tuple(kind(part) for part in value)
    except ValueError as error:
        raise ValueError(
            f"`{field.name}` must be {kind.__name__} numbers with commas "
            f"between them; received {','.join(value)!r}"
        ) from error

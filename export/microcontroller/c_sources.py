"""The C files of a model, from the templates in this folder.

Knows their names and how C writes bytes; what is in them is the templates'.
"""

import pathlib
from typing import Any

import jinja2

# Each is the template of the file of its name, less the ending.
NAMES = ("model_data.h", "model_data.c", "self_check.c", "example.cc")
_BYTES_A_LINE = 12


def render(values: dict[str, Any]) -> dict[str, str]:
    """Fills in every template.

    Args:
      values: what they name; one that is missing raises.

    Returns:
      {file name: its text}.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    return {
        name: environment.get_template(f"{name}.j2").render(values)
        for name in NAMES
    }


def as_rows(content: bytes) -> str:
    """Returns bytes as the rows of a C array."""
    words = [f"0x{byte:02x}," for byte in content]
    starts = range(0, len(words), _BYTES_A_LINE)
    return "\n".join(
        "  " + " ".join(words[i : i + _BYTES_A_LINE]) for i in starts
    )

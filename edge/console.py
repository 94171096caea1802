"""Lines for standard output and standard error: one each, always writable.

Names of files come from anywhere: what would move a terminal's cursor, colour
it or begin a new line is shown as an escape, as in Python. Needs only the
standard library.
"""

import contextlib
import os
import re
import sys

# Control characters, ends of lines and paragraphs, what turns the direction of
# writing, and bytes of a name that are no text.
UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


class StandardOutputError(Exception):
    """Standard output takes no more; the text is empty when nobody reads."""


def printable(text: str) -> str:
    """Gives a text as one line that is safe to show."""
    return UNSAFE.sub(_escape, text)


def prepare() -> None:
    """Makes standard output and error take every character.

    What their encoding lacks is written as an escape.

    Raises:
      StandardOutputError: standard output is closed.
    """
    if sys.stdout is None:
        raise StandardOutputError("it is closed")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def say(line: str) -> None:
    """Writes a line to standard output, at once.

    Raises:
      StandardOutputError: it cannot be written.
    """
    try:
        print(line, flush=True)
    except BrokenPipeError:
        _forget_output()
        raise StandardOutputError from None
    except OSError as error:
        _forget_output()
        raise StandardOutputError(error.strerror) from None


def complain(message: str) -> None:
    """Writes a message to standard error, as one line."""
    if sys.stderr is not None:  # Else print takes standard output.
        with contextlib.suppress(OSError):
            print(f"edge: {printable(message)}", file=sys.stderr, flush=True)


def _escape(found: re.Match) -> str:
    return found.group().encode("unicode_escape", "surrogatepass").decode()


def _forget_output() -> None:
    """Lets what is left in the buffer go when the process ends."""
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)

"""Keeps the greetings of a C++ library off a user's screen.

Only INFO lines go; whatever else is written to standard error stays.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def without_info_lines() -> Iterator[None]:
    """Keeps INFO lines off standard error, which C++ writes to directly.

    Every other line, a warning for instance, is passed on afterwards.
    """
    try:
        saved = os.dup(2)
    except OSError:  # No standard error: nothing to keep clean.
        yield
        return
    with tempfile.TemporaryFile() as caught:
        if sys.stderr is not None:
            sys.stderr.flush()
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            caught.seek(0)
            for line in caught:
                if not line.startswith(b"INFO:"):
                    os.write(2, line)

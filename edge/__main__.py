"""`python -m edge INPUT ...`: which expressions the faces show.

Parses, runs, returns an exit code: 0 when everything was answered, 1 when
something could not be read or written, 2 when the command was wrong, 130 after
ctrl-C.
"""

import argparse
import os
import signal
import sys
import warnings

from edge import console
from edge import options as command_line


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    options = command_line.parse(arguments)
    # Read when numpy is loaded. Its threads wait for each other for longer
    # than the small matrices of a face take.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        console.prepare()
        return _run(options)
    except KeyboardInterrupt:
        return 130
    except console.StandardOutputError as error:
        # Whoever read the lines may have enough: that is no fault.
        if str(error):
            console.complain(f"cannot write to standard output: {error}")
        return 1


def _run(options: argparse.Namespace) -> int:
    from edge import runner

    # Pillow warns of large pictures; those that are too large are refused.
    warnings.simplefilter("ignore")
    try:
        run = runner.Runner(options)
    except (ValueError, OSError) as error:
        console.complain(str(error))
        return 2
    try:
        return 1 if run.run() else 0
    except ValueError as error:
        console.complain(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())

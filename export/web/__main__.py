"""Lays the page out with the runtime's two models, or some of one's own.

Example:

  python -m export.web --out=runs/web --serve

then open the address that it prints.
"""

import argparse
import contextlib
import pathlib
import sys

from export.options import ExportError
from export.web import layout
from export.web import server

PORT = 8000


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    options = make_parser().parse_args(arguments)
    try:
        models = layout.own_models(options.model) or layout.shipped_models()
        layout.write(options.out, models)
        print(f"written: {options.out}")
        if options.serve:
            serve(options.out, options.port)
    except (ExportError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def make_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command."""
    parser = argparse.ArgumentParser(
        prog="python -m export.web",
        description="Lays the page out as a static folder.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        default=pathlib.Path("runs/web"),
        help="folder to write (default %(default)s)",
    )
    parser.add_argument(
        "--model",
        type=pathlib.Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a .tflite file to offer; may be given several times (default: "
        "the models that the runtime carries)",
    )
    parser.add_argument(
        "--serve",
        action="store_true",
        help="then serve it to this machine alone, until Ctrl-C",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=PORT,
        help="--serve: which port (default %(default)s; 0 is any)",
    )
    return parser


def serve(folder: pathlib.Path, port: int) -> None:
    """Serves the folder until Ctrl-C.

    Raises:
      ExportError: the port is taken.
    """
    try:
        served = server.make_server(folder, port)
    except OSError as error:
        raise ExportError(
            f"cannot serve on port {port} ({error.strerror}); give another "
            "--port, or 0"
        ) from None
    print(f"open:    {server.address(served)}   (Ctrl-C stops it)", flush=True)
    with served, contextlib.suppress(KeyboardInterrupt):
        served.serve_forever()


if __name__ == "__main__":
    sys.exit(main())

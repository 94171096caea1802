"""Programs that end in one text: printed, and put into a page of the docs."""

import argparse
import sys
from collections.abc import Callable

from benchmarks import harness


def run_page(
    parser: argparse.ArgumentParser,
    measure: Callable[[argparse.Namespace], str],
    section: str,
    *,
    arguments: list[str] | None = None,
) -> None:
    """Runs a program with one text: printed, and put between its marks.

    Args:
      parser: has `--results`, a Markdown file or None.
      measure: options -> Markdown text; raises ValueError for what cannot be
        used.
      section: its name on the page, and what an error begins with.
      arguments: default: those of the command line.
    """
    options = parser.parse_args(arguments)
    try:
        text = measure(options)
    except ValueError as error:
        sys.exit(f"{section}: {error}")
    print(text)
    if options.results:
        harness.write_section(options.results, section, text)

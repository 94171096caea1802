"""`python -m edge --model=M.tflite FACE.png ...`: which expression is shown.

Parses arguments, prints, returns an exit code: 0 when every picture was
answered, 1 when one could not be read, 2 when the command was wrong.
"""

import argparse
import json
import sys

from edge.classifier import Classifier
from edge.pictures import PictureError
from edge.pictures import read_picture


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        classifier = Classifier(options.model, num_threads=options.threads)
    except ValueError as error:
        parser.exit(2, f"edge: {error}\n")
    failures = 0
    for path in options.pictures:
        try:
            answer = classifier.classify(read_picture(path))
        except PictureError as error:
            failures += 1
            _report_failure(path, error, as_json=options.json)
        else:
            print(_line(path, answer, as_json=options.json), flush=True)
    return 1 if failures else 0


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m edge",
        description="Names the expression in pictures of faces.",
    )
    parser.add_argument(
        "pictures",
        nargs="+",
        metavar="PICTURE",
        help="a face crop: a picture filled by one face, of any size",
    )
    parser.add_argument(
        "--model",
        required=True,
        help="a .tflite file; `python -m export --tflite` writes one",
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON object a line"
    )
    parser.add_argument(
        "--threads", type=int, default=1, help="CPU threads (default 1)"
    )
    return parser


def _line(path, answer, *, as_json):
    if as_json:
        label = next(iter(answer))
        return json.dumps(
            {"picture": path, "label": label, "probabilities": answer}
        )
    ranked = ", ".join(f"{name} {value:.3f}" for name, value in answer.items())
    return f"{path}: {ranked}"


def _report_failure(path, error, *, as_json):
    if as_json:
        print(json.dumps({"picture": path, "error": str(error)}), flush=True)
    else:
        print(f"edge: {error}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

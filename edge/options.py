"""The arguments of `python -m edge`, checked as far as they can be alone.

Needs only the standard library and reads no file but to see what is there, so
that a wrong command fails at once.
"""

import argparse
import difflib
import os
import re

from edge import console
from edge.model_file import MAX_THREADS

# Time constant of the average over a face's answers in a video.
SMOOTHING_S = 0.5
OUT_FILES = "picture (.png, .jpg) or video (.mp4)"
EPILOG = """
examples:
  python -m edge face.png photographs/ 'more/*.jpg' clip.mp4
  python -m edge --camera=0
  python -m edge --model=pocket face.png
  python -m edge --csv --no_window --camera=0 > faces.csv
  python -m edge --model=M.tflite --out=drawn.mp4 clip.mp4
  python -m edge --crops=faces/ photographs/
  cat face.jpg | python -m edge -

exit codes: 0 everything was answered, 1 something could not be read or
written, 2 the command was wrong, 130 ctrl-C
"""


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line; leaves the process with code 2 when it is wrong.

    Args:
      arguments: without the name of the program; None takes `sys.argv`.

    Returns:
      The options, under the names that `--help` shows.
    """
    parser = make_parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        parser.exit(2, f"{parser.prog}: error: {_unknown(parser, unknown)}\n")
    problem = _find_problem(options)
    if problem:
        parser.error(console.printable(problem))
    return options


def _unknown(parser: argparse.ArgumentParser, unknown: list[str]) -> str:
    """Says which options do not exist, and what they may have been meant for.

    So does `trainer.settings.derived_flags` for the other commands.
    """
    names = set(re.findall(r"--\w+", parser.format_usage()))
    parts = []
    for argument in unknown:
        name = argument.partition("=")[0].lstrip("-").replace("-", "_")
        near = difflib.get_close_matches(f"--{name}", sorted(names))
        hint = f"did you mean {' or '.join(near)}?" if near else "see --help"
        parts.append(f"unknown option {argument}; {hint}")
    return console.printable(". ".join(parts))


def make_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command."""
    parser = argparse.ArgumentParser(
        prog="python -m edge",
        description="Names the expressions of the faces in pictures, videos "
        "and what a camera sees.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_inputs(parser)
    _add_faces(parser.add_argument_group("faces"))
    _add_outputs(parser.add_argument_group("output"))
    return parser


def _add_inputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "inputs",
        nargs="*",
        metavar="INPUT",
        help="a picture, a video, a folder, a quoted pattern, or - for "
        "standard input",
    )
    parser.add_argument(
        "--camera",
        metavar="N",
        help="a camera instead: its number from 0, a device, a network "
        "address, or a video file that is to play as a camera",
    )
    parser.add_argument(
        "--model",
        help="edge or pocket, which come with the runtime, or a .tflite file "
        "as `python -m export --tflite` writes it (default edge)",
    )
    parser.add_argument(
        "--threads",
        type=_threads,
        default=1,
        help="CPU threads for the model and for OpenCV (default 1)",
    )
    parser.add_argument(
        "--delegate",
        metavar="LIBRARY",
        help="shared library of an accelerator, as libedgetpu.so.1",
    )


def _add_faces(group: argparse.ArgumentParser) -> None:
    group.add_argument(
        "--no_detect",
        action="store_true",
        help="take each picture or frame as one face crop",
    )
    group.add_argument(
        "--face_model",
        metavar="FILE",
        help="find faces with this file, one of BlazeFace's (.tflite) or "
        "YuNet's (.onnx); default: BlazeFace as `python -m "
        "edge.fetch_detector` brings it, otherwise OpenCV's Haar cascade",
    )
    group.add_argument(
        "--margin",
        type=_number,
        default=None,
        help="fraction of a face's size that is added around it (default: "
        "what suits the detector)",
    )
    group.add_argument(
        "--min_face",
        type=_at_least_one,
        metavar="PX",
        help="look for faces down to this size, in pixels (default: a "
        "fortieth of the picture's longer side, with Haar a twentieth)",
    )
    group.add_argument(
        "--views",
        type=int,
        choices=(1, 2),
        default=2,
        help="1: each face as it is; 2: the mean of it and its mirror image "
        "(default 2)",
    )
    _add_answers(group)


def _add_answers(group: argparse.ArgumentParser) -> None:
    group.add_argument(
        "--min_confidence",
        type=_probability,
        metavar="P",
        help="a face whose best label is less probable is unsure (default: "
        "what makes four answers in five right on FER-2013's validation "
        "images; 0.5 for a model of your own)",
    )
    group.add_argument(
        "--smoothing",
        type=_number,
        default=SMOOTHING_S,
        metavar="SECONDS",
        help="videos: time constant of the moving average over a face's "
        "answers; 0 is none (default %(default)s)",
    )


def _add_outputs(group: argparse.ArgumentParser) -> None:
    lines = group.add_mutually_exclusive_group()
    lines.add_argument(
        "--json", action="store_true", help="one JSON object a picture or frame"
    )
    lines.add_argument(
        "--csv", action="store_true", help="a CSV row for each face"
    )
    group.add_argument(
        "--top",
        type=_at_least_one,
        default=3,
        metavar="K",
        help="labels in a readable line (default 3); --json and --csv give all",
    )
    group.add_argument(
        "--out",
        metavar="PATH",
        help=f"annotated {OUT_FILES}; for several inputs a folder",
    )
    group.add_argument(
        "--crops",
        metavar="DIR",
        help="folder for the faces of pictures, cut out, and a table of them "
        "(faces.csv)",
    )
    group.add_argument(
        "--overwrite",
        action="store_true",
        help="replace what --out and --crops name; never an input",
    )
    window = group.add_mutually_exclusive_group()
    window.add_argument(
        "--window",
        action="store_true",
        default=None,
        help="show a window; q closes it (default for --camera)",
    )
    window.add_argument(
        "--no_window", action="store_false", dest="window", help="show none"
    )


def _find_problem(options: argparse.Namespace) -> str:
    if options.camera is None and not options.inputs:
        return "what to look at? Give an INPUT, or --camera=0"
    if options.camera is not None and options.inputs:
        return (
            "--camera takes no INPUT; received "
            f"{' '.join(options.inputs)} besides"
        )
    for name in ("face_model", "min_face", "margin"):
        if getattr(options, name) is not None and options.no_detect:
            return f"--{name} finds faces and --no_detect does not: drop one"
    if options.inputs.count("-") > 1:
        return "standard input (-) can be read only once"
    for name in ("out", "crops"):
        if getattr(options, name) == "":
            return f"--{name} is empty: name where to write"
    if options.crops is not None and options.camera is not None:
        return "--crops takes pictures, not a camera"
    is_there = options.out is not None and os.path.isfile(options.out)
    if is_there and not options.overwrite:
        return f"{options.out} is there already; add --overwrite to replace it"
    return ""


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"at least 1; received {text}")
    return number


def _threads(text: str) -> int:
    number = _at_least_one(text)
    if number > MAX_THREADS:
        raise argparse.ArgumentTypeError(
            f"at most {MAX_THREADS}; received {text}"
        )
    return number


def _probability(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"0 to 1; received {text}")
    return number


def _number(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 60:
        raise argparse.ArgumentTypeError(f"0 to 60; received {text}")
    return number

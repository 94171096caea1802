"""Answers -> lines on standard output: readable, JSON or CSV.

Only writes lines; what went wrong goes to standard error, and with JSON to
standard output as well, where a program reads it. JSON gives names as they
are; the others show what is unsafe in them as an escape.
"""

import argparse
import csv
import dataclasses
import io
import json
from collections.abc import Iterable
from collections.abc import Sequence

from edge import console
from edge.analyser import Face

CSV_COLUMNS = (
    *("input", "frame", "seconds", "face", "left", "top", "width", "height"),
    *("detector", "label", "unsure"),
)
# What makes a spreadsheet take a cell for a formula, also as wide letters.
FORMULA_BEGINNINGS = tuple("=+-@\uff1d\uff0b\uff0d\uff20")


@dataclasses.dataclass(frozen=True)
class Answer:
    """What is to be said of a picture or of a frame.

    Attributes:
      name: what the user called the input.
      size: width and height of the picture, in pixels.
      faces: what was found; the whole picture where none was looked for.
      detector: what found the faces; None where none was looked for.
      note: what the user should know, in a few words.
      frame: number in the video, from 0; None for a picture.
      seconds: since the video began; None for a picture.
    """

    name: str
    size: tuple[int, int]
    faces: Sequence[Face]
    detector: str | None
    note: str = ""
    frame: int | None = None
    seconds: float | None = None


class TextReport:
    """A line for each face, to be read by people."""

    def __init__(self, top: int):
        self._top = top

    def answer(self, answer: Answer) -> None:
        """Writes the lines of a picture or frame."""
        note = f" ({answer.note})" if answer.note else ""
        is_picture = answer.frame is None
        if not answer.faces and is_picture:
            self._say(f"{answer.name}: no face found{note}")
        place = "" if is_picture else f" {answer.seconds:.3f} s"
        for face in answer.faces:
            where = ""
            if answer.detector:
                left, top, width, height = face.box
                where = f" face {face.number} at {left},{top} {width}x{height}:"
            ranked = self._ranked(face)
            self._say(f"{answer.name}{place}:{where} {ranked}{note}")

    def failure(self, name: str, message: str) -> None:
        """Reports an input that could not be read, or not to its end."""
        console.complain(message)

    def _say(self, line: str) -> None:
        console.say(console.printable(line))

    def _ranked(self, face: Face) -> str:
        top = list(face.probabilities.items())[: self._top]
        ranked = ", ".join(f"{name} {value:.3f}" for name, value in top)
        return ranked if face.is_sure else f"unsure ({ranked})"


class JsonReport:
    """An object for each picture or frame, one a line."""

    def answer(self, answer: Answer) -> None:
        """Writes the object."""
        content = {"input": answer.name}
        if answer.frame is not None:
            content["frame"] = answer.frame
            content["seconds"] = round(answer.seconds, 4)
        content["width"], content["height"] = answer.size
        content["detector"] = answer.detector
        content["faces"] = [_described(face) for face in answer.faces]
        if answer.note:
            content["note"] = answer.note
        console.say(json.dumps(content))

    def failure(self, name: str, message: str) -> None:
        """Reports an input that could not be read, or not to its end."""
        console.say(json.dumps({"input": name, "error": message}))
        console.complain(message)


class CsvReport:
    """A row for each face, under a header."""

    def __init__(self, labels: Sequence[str]):
        self._labels = labels
        console.say(csv_row([*CSV_COLUMNS, *labels]))

    def answer(self, answer: Answer) -> None:
        """Writes the rows of a picture or frame."""
        is_picture = answer.frame is None
        time = "" if is_picture else f"{answer.seconds:.4f}"
        place = [answer.name, "" if is_picture else answer.frame, time]
        if not answer.faces and is_picture:
            empty = len(CSV_COLUMNS) - len(place) + len(self._labels)
            console.say(csv_row([*place, *[""] * empty]))
        for face in answer.faces:
            said = [answer.detector or "", face.best[0], int(not face.is_sure)]
            values = [f"{face.probabilities[n]:.6f}" for n in self._labels]
            row = [*place, face.number, *face.box, *said, *values]
            console.say(csv_row(row))

    def failure(self, name: str, message: str) -> None:
        """Reports an input that could not be read, or not to its end."""
        console.complain(message)


def csv_row(cells: Iterable[object]) -> str:
    """Gives a row of a CSV file, without the end of its line.

    It is one line, and no cell of it is a formula to a spreadsheet: such a
    text gets an apostrophe in front.
    """
    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow(map(_cell, cells))
    return row.getvalue()


def make_report(
    options: argparse.Namespace, labels: Sequence[str]
) -> "TextReport | JsonReport | CsvReport":
    """Returns the report that the options ask for."""
    if options.json:
        return JsonReport()
    return CsvReport(labels) if options.csv else TextReport(options.top)


def _cell(value: object) -> object:
    """A cell that is no formula; `-`, standard input, is left alone."""
    if not isinstance(value, str) or value == "-":
        return value
    text = console.printable(value)
    return f"'{text}" if text.startswith(FORMULA_BEGINNINGS) else text


def _described(face: Face) -> dict[str, object]:
    return {
        "face": face.number,
        "box": list(face.box),
        "label": face.best[0],
        "unsure": not face.is_sure,
        "probabilities": face.probabilities,
    }

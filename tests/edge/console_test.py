"""Tests of standard output that takes not everything, and of odd names."""

import csv
import io
import json
import os
import subprocess
import sys

import pytest

from tests.edge import edge_fixtures
from tests.edge.edge_fixtures import edge

# A name -> what the terminal shows of it, and what stands in the CSV.
NAMES = {
    "two\nlines.png": (r"two\nlines.png", r"two\nlines.png"),
    "\x1b[31mred.png": (r"\x1b[31mred.png", r"\x1b[31mred.png"),
    "back\u202egnp.png": (r"back\u202egnp.png", r"back\u202egnp.png"),
    "bytes\udcff.png": (r"bytes\udcff.png", r"bytes\udcff.png"),
    "=1+1.png": ("=1+1.png", "'=1+1.png"),
    "@cmd,a.png": ("@cmd,a.png", "'@cmd,a.png"),
    "-x.png": ("-x.png", "'-x.png"),
    "写真 (1).png": ("写真 (1).png", "写真 (1).png"),
}


def in_shell(folder, end, *arguments):
    """Runs `python -m edge ARGUMENTS`, with `end` as a shell reads it."""
    return subprocess.run(
        ["sh", "-c", f'"$@" {end}', "sh", *edge_fixtures.command(*arguments)],
        cwd=folder,
        env=edge_fixtures.environment(),
        capture_output=True,
        text=True,
    )


def test_names_are_safe_to_show_and_to_open_in_a_spreadsheet(tmp_path):
    for name in NAMES:
        edge_fixtures.save_picture(tmp_path / name, 250)
    done = edge(tmp_path, "--", *NAMES)
    lines = done.stdout.splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        shown for shown, _ in NAMES.values()
    ]
    done = edge(tmp_path, "--csv", "--", *NAMES)
    rows = csv.DictReader(io.StringIO(done.stdout))
    assert [row["input"] for row in rows] == [c for _, c in NAMES.values()]


def test_names_in_errors_are_safe_to_show_and_whole_in_json(tmp_path):
    for name in NAMES:
        (tmp_path / name).write_text("no picture")
    done = edge(tmp_path, "--json", "--", *NAMES)
    assert done.returncode == 1
    answers = map(json.loads, done.stdout.splitlines())
    assert [answer["input"] for answer in answers] == list(NAMES)
    said = done.stderr.splitlines()
    for (shown, _), line in zip(NAMES.values(), said, strict=True):
        assert f"cannot read {shown} as" in line


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("cp1252", "ünï \\u5199\\u771f (1).png"),
        ("ascii", "\\xfcn\\xef \\u5199\\u771f (1).png"),
    ],
)
def test_what_the_encoding_lacks_is_escaped(tmp_path, encoding, shown):
    edge_fixtures.save_picture(tmp_path / "ünï 写真 (1).png", 250)
    for flag in ("--csv", "--top=1"):
        done = subprocess.run(
            edge_fixtures.command(flag, "ünï 写真 (1).png"),
            cwd=tmp_path,
            env=edge_fixtures.environment(PYTHONIOENCODING=encoding),
            capture_output=True,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        assert f"{shown}" in done.stdout.decode(encoding)
        assert b"light" in done.stdout


@pytest.mark.parametrize("flag", ["--csv", "--json", "--top=1"])
@pytest.mark.parametrize("place", ["full", "closed"])
def test_output_that_takes_nothing_is_said_in_one_line(tmp_path, flag, place):
    edge_fixtures.save_picture(tmp_path / "light.png", 250)
    end = {"full": ">/dev/full", "closed": ">&-"}[place]
    done = in_shell(tmp_path, end, flag, "light.png")
    assert done.returncode == 1
    assert done.stderr.startswith("edge: cannot write to standard output: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("end", ["2>/dev/full", "2>&-"])
def test_errors_that_cannot_be_shown_change_nothing(tmp_path, end):
    edge_fixtures.save_picture(tmp_path / "light.png", 250)
    done = in_shell(tmp_path, end, "gone.png", "light.png")
    assert done.returncode == 1
    assert done.stdout.startswith("light.png: light")
    assert done.stdout.count("\n") == 1


def test_a_reader_of_one_line_is_no_fault(tmp_path):
    edge_fixtures.save_picture(tmp_path / "light.png", 250)
    names = ["light.png"] * 30
    reader, writer = os.pipe()
    process = subprocess.Popen(
        edge_fixtures.command(*names),
        cwd=tmp_path,
        env=edge_fixtures.environment(),
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writer)
    assert os.read(reader, 5) == b"light"
    os.close(reader)
    assert process.communicate(timeout=60)[1] == ""
    assert process.returncode == 1


def test_lines_need_no_library():
    statement = "import sys; from edge import console; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", statement],
        env=edge_fixtures.environment(),
        capture_output=True,
        text=True,
    )
    assert not {"numpy", "PIL"} & set(done.stdout.split())

"""FER-2013 as CSV: variants that read the same, and every malformed row."""

import io

import numpy as np
import pytest

from fer_tfds.sources.fer2013 import csv_rows
from fer_tfds.sources.records import SourceError
from tests.fer_tfds.data_fixtures import GOOD_ROW
from tests.fer_tfds.data_fixtures import HEADER
from tests.fer_tfds.data_fixtures import PIXELS
from tests.fer_tfds.data_fixtures import read_all


def read_text(*lines, newline="\n"):
    data = newline.join(lines).encode()
    return csv_rows.read_faces(io.BytesIO(data), "x.csv")


def assert_same(records, other):
    np.testing.assert_array_equal(records.images, other.images)
    np.testing.assert_array_equal(records.labels, other.labels)
    assert records.splits == other.splits
    assert records.ids == other.ids


def test_csv_gives_every_face_back_in_any_order_of_columns(csv_dir, drawn):
    records = read_all(csv_dir)
    assert_same(records, drawn)
    assert records.images.dtype == np.uint8
    assert records.images.shape == (28, 48, 48)
    assert records.ids[:2] == ["row_00000", "row_00001"]
    records = read_text("emotion, Usage, pixels", f"5,PrivateTest,{PIXELS}")
    assert records.labels.tolist() == [5]
    assert records.splits == ["test"]
    assert records.images[0, 0, :3].tolist() == [0, 1, 2]


VARIANTS = {
    "crlf": lambda t: t.replace("\n", "\r\n"),
    "cr": lambda t: t.replace("\n", "\r"),
    "byte_order_mark": lambda t: "\ufeff" + t,
    "semicolons": lambda t: t.replace(",", ";"),
    "tabs": lambda t: t.replace(",", "\t"),
    "trailing_rows": lambda t: t + "\n\n,,\n",
    "no_last_line_end": lambda t: t.rstrip("\n"),
    "blanks": lambda t: t.replace(HEADER, "emotion, pixels, Usage"),
    "case": lambda t: t.replace(HEADER, "Emotion,Pixels,usage"),
    "quotes": lambda t: t.replace(HEADER, 'emotion,"pixels",Usage'),
    "all_quoted": lambda t: (
        t.replace(",", '","').replace("\n", '"\r\n"')[:-1] + '"'
    ),
    "trailing_commas": lambda t: t.replace(HEADER, f"{HEADER},").replace(
        "\n", ",,\n"
    ),
}


@pytest.mark.parametrize("vary", VARIANTS.values(), ids=VARIANTS)
def test_csv_variants_read_the_same(csv_dir, drawn, vary):
    path = csv_dir / "fer2013.csv"
    path.write_bytes(vary(path.read_text()).encode())
    assert_same(read_all(csv_dir), drawn)


MALFORMED = {
    "label_7": (f"7,{PIXELS},Training", "from 0 to 6. Received: '7'"),
    "label_negative": (f"-1,{PIXELS},Training", "Received: '-1'"),
    "label_name": (f"happy,{PIXELS},Training", "Received: 'happy'"),
    "label_empty": (f",{PIXELS},Training", "Received: ''"),
    "usage": (f"3,{PIXELS},Test", "PublicTest, PrivateTest. Received: 'Test'"),
    "cut_short": (f"3,{PIXELS}", "2 of 3 columns"),
    "more": (f"3,{PIXELS} 9,Training", "2,304 values. Received: 2,305"),
    "fewer": ("3,1 2 3,Training", "Received: 3."),
    "no_pixels": ("3,,Training", "`pixels` is empty"),
    "256": (f"3,{PIXELS[:-3]}256,Training", "Received: 256 as value 2304"),
    "huge": (f"3,{PIXELS[:-3]}{'9' * 20},Training", "from 0 to 255"),
    "negative": (f"3,-{PIXELS},Training", "'-' among"),
    "fraction": (f"3,{PIXELS}.5,Training", "'.' among"),
    "letter": (f"3,{PIXELS[:-1]}x,Training", "'x' among"),
    "tab": (f"3,{PIXELS}\t7,Training", "among"),
    "long": (f"3,{PIXELS}{'0' * 9000},Training", "longer"),
}


@pytest.mark.parametrize(("row", "message"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_row_is_named(row, message):
    with pytest.raises(SourceError) as caught:
        read_text(HEADER, GOOD_ROW, "", row, GOOD_ROW)
    text = str(caught.value)
    assert text.startswith("x.csv, data row 2 (line 4): ")
    assert message in text
    assert "get a fresh copy" in text


def test_missing_column_and_rows_are_named():
    for name in HEADER.split(","):
        rest = ",".join(each for each in HEADER.split(",") if each != name)
        match = f"line 1: column '{name}' is miss"
        with pytest.raises(SourceError, match=match):
            read_text(rest)
    with pytest.raises(SourceError, match="not one data row"):
        read_text(HEADER, "")


class Endless(io.RawIOBase):
    """A header, and a line that goes on and on."""

    def __init__(self):
        self.start, self.num_bytes = io.BytesIO(f"{HEADER}\n".encode()), 0

    def readable(self):
        return True

    def readinto(self, buffer):
        self.num_bytes += len(buffer)
        assert self.num_bytes < 1_000_000
        count = self.start.readinto(buffer)
        buffer[count:] = b"1" * (len(buffer) - count)
        return len(buffer)


def test_endless_line_is_not_read_to_its_end():
    with pytest.raises(SourceError, match="longer than 16,384 characters"):
        csv_rows.read_faces(io.BufferedReader(Endless()), "x.csv")


@pytest.mark.parametrize(
    ("header", "is_one", "is_whole"),
    [
        ("emotion,pixels,Usage", True, True),
        ("\ufeffemotion, Usage, pixels\r", True, True),
        ("emotion,pixels", True, False),
        ("pixels", False, False),
        ("Usage,Image name,neutral", False, False),
        ("", False, False),
    ],
)
def test_header_tells_what_a_file_is(header, is_one, is_whole):
    head = f"{header}\n1,2,3\n".encode()
    assert csv_rows.looks_like_faces(head) == is_one
    assert csv_rows.has_all_columns(head) == is_whole

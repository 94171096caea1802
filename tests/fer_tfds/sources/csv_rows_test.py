"""FER-2013 as CSV: variants that read the same, and every malformed row."""

import io

import numpy as np
import pytest

from fer_tfds import synthetic
from fer_tfds.sources import records as face_records
from fer_tfds.sources.fer2013 import csv_rows
from fer_tfds.sources.records import SourceError
from tests.fer_tfds.data_fixtures import COUNTS
from tests.fer_tfds.data_fixtures import GOOD_ROW
from tests.fer_tfds.data_fixtures import HEADER
from tests.fer_tfds.data_fixtures import PIXELS
from tests.fer_tfds.data_fixtures import SEED
from tests.fer_tfds.data_fixtures import read_all


@pytest.fixture(scope="module")
def drawn():
    return synthetic.draw_records(COUNTS, SEED)


@pytest.fixture
def csv_dir(tmp_path):
    synthetic.write("csv", tmp_path, COUNTS, seed=SEED)
    return tmp_path


def read_text(*lines, newline="\n"):
    data = newline.join(lines).encode()
    return csv_rows.read_faces(io.BytesIO(data), "x.csv")


def assert_same(records, other):
    np.testing.assert_array_equal(records.images, other.images)
    np.testing.assert_array_equal(records.labels, other.labels)
    assert records.splits == other.splits
    assert records.ids == other.ids


def test_csv_gives_every_face_back(csv_dir, drawn):
    records = read_all(csv_dir)
    assert_same(records, drawn)
    assert records.images.dtype == np.uint8
    assert records.images.shape == (28, 48, 48)
    assert records.ids[:2] == ["row_00000", "row_00001"]


@pytest.mark.parametrize(
    "vary",
    [
        pytest.param(lambda t: t.replace("\n", "\r\n"), id="crlf"),
        pytest.param(lambda t: t.replace("\n", "\r"), id="cr"),
        pytest.param(lambda t: "\ufeff" + t, id="byte_order_mark"),
        pytest.param(lambda t: t + "\n\n,,\n", id="trailing_rows"),
        pytest.param(lambda t: t.rstrip("\n"), id="no_last_line_end"),
        pytest.param(
            lambda t: t.replace(HEADER, "emotion, pixels, Usage"), id="blanks"
        ),
        pytest.param(
            lambda t: t.replace(HEADER, "Emotion,Pixels,usage"), id="case"
        ),
        pytest.param(
            lambda t: t.replace(",", ',"', 1).replace(",Usage", '",Usage', 1),
            id="quotes",
        ),
        pytest.param(
            lambda t: t.replace(",", '","').replace("\n", '"\r\n"')[:-1] + '"',
            id="all_quoted",
        ),
        pytest.param(
            lambda t: t.replace(HEADER, f"{HEADER},").replace("\n", ",,\n"),
            id="trailing_commas",
        ),
    ],
)
def test_csv_variants_read_the_same(csv_dir, drawn, vary):
    path = csv_dir / "fer2013.csv"
    path.write_bytes(vary(path.read_text()).encode())
    assert_same(read_all(csv_dir), drawn)


def test_csv_columns_may_come_in_any_order():
    records = read_text("emotion, Usage, pixels", f"5,PrivateTest,{PIXELS}")
    assert records.labels.tolist() == [5]
    assert records.splits == ["test"]
    assert records.images[0, 0, :3].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        pytest.param(
            f"7,{PIXELS},Training", "from 0 to 6. Received: '7'", id="label_7"
        ),
        pytest.param(
            f"-1,{PIXELS},Training", "Received: '-1'", id="label_negative"
        ),
        pytest.param(
            f"happy,{PIXELS},Training", "Received: 'happy'", id="label_name"
        ),
        pytest.param(f",{PIXELS},Training", "Received: ''", id="label_empty"),
        pytest.param(
            f"3,{PIXELS},Test",
            "Training, PublicTest, PrivateTest. Received: 'Test'",
            id="usage",
        ),
        pytest.param(f"3,{PIXELS}", "2 of 3 columns", id="cut_short"),
        pytest.param(
            f"3,{PIXELS} 9,Training", "2,304 values. Received: 2,305", id="more"
        ),
        pytest.param("3,1 2 3,Training", "Received: 3.", id="fewer"),
        pytest.param("3,,Training", "`pixels` is empty", id="no_pixels"),
        pytest.param(
            f"3,{PIXELS[:-3]}256,Training",
            "Received: 256 as value 2304",
            id="above_255",
        ),
        pytest.param(
            f"3,{PIXELS[:-3]}99999999999999999999,Training",
            "from 0 to 255",
            id="far_above_255",
        ),
        pytest.param(f"3,-{PIXELS},Training", "'-' among", id="negative"),
        pytest.param(f"3,{PIXELS}.5,Training", "'.' among", id="fraction"),
        pytest.param(f"3,{PIXELS[:-1]}x,Training", "'x' among", id="letter"),
        pytest.param(f"3,{PIXELS}\t7,Training", "among", id="tab"),
        pytest.param(f"3,{PIXELS}{'0' * 9000},Training", "longer", id="long"),
    ],
)
def test_malformed_row_is_named(row, message):
    with pytest.raises(SourceError) as caught:
        read_text(HEADER, GOOD_ROW, "", row, GOOD_ROW)
    text = str(caught.value)
    assert text.startswith("x.csv, data row 2 (line 4): ")
    assert message in text
    assert "get a fresh copy" in text


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("emotion,pixels", "'Usage'"),
        ("emotion,Usage", "'pixels'"),
        ("pixels,Usage", "'emotion'"),
    ],
)
def test_missing_column_is_named(tmp_path, header, missing):
    (tmp_path / "a.csv").write_text(f"{header}\n")
    with pytest.raises(SourceError, match=f"line 1: column {missing} is miss"):
        read_all(tmp_path)


def test_header_without_rows_is_an_error():
    with pytest.raises(SourceError, match="not one data row"):
        read_text(HEADER, "")


def test_endless_line_is_not_read_to_its_end():
    class Endless(io.RawIOBase):
        num_bytes = 0

        def readable(self):
            return True

        def readinto(self, buffer):
            self.num_bytes += len(buffer)
            assert self.num_bytes < 1_000_000
            buffer[:] = b"1" * len(buffer)
            return len(buffer)

    start = io.BytesIO(f"{HEADER}\n".encode())
    endless = Endless()
    endless.readinto = lambda buffer, first=endless.readinto: (
        start.readinto(buffer) or first(buffer)
    )
    with pytest.raises(SourceError, match="longer than 16,384 characters"):
        csv_rows.read_faces(io.BufferedReader(endless), "x.csv")


def test_number_of_rows_is_bounded(monkeypatch):
    monkeypatch.setattr(face_records, "MAX_FACES", 2)
    with pytest.raises(SourceError, match=r"x.csv: more than 2 faces"):
        read_text(HEADER, GOOD_ROW, GOOD_ROW, GOOD_ROW)


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

"""Every form of FER-2013, packed in every way; and what asks for a choice."""

import shutil

import numpy as np
import pytest

from fer_tfds import synthetic
from fer_tfds.drawing import fer2013
from fer_tfds.drawing import layouts
from fer_tfds.sources.fer2013 import find
from fer_tfds.sources.records import SourceError
from tests.fer_tfds import data_fixtures as data

PACK = pytest.mark.parametrize(
    "pack", [data.write_tar, data.write_zip], ids=["tar", "zip"]
)
ICML_COLUMNS = ("emotion", " Usage", " pixels")
COPY = f"{data.HEADER}\n{data.GOOD_ROW}\n".encode()
PART = b"emotion,pixels\n3,1 2 3\n"


@pytest.fixture(scope="module")
def pictures():
    """Picture of a JPEG copy: relative name -> content."""
    return dict(fer2013.jpeg_files(data.COUNTS, data.SEED))


def nested(content, name="fer2013/fer2013.csv"):
    return layouts.pack_tar([(name, content)])


FORMS = {
    "archive": "CSV file fer2013/fer2013.csv in a tar archive",
    "csv": "CSV file",
    "icml_csv": "CSV file",
    "csv_zip": "CSV file fer2013.csv in a zip archive",
    "folders": "class folders of JPEG files",
    "folders_zip": "class folders of JPEG files in a zip archive",
    "png_folders": "class folders of PNG files",
    "png_folders_zip": "class folders of PNG files in a zip archive",
    "numbered_files": "class folders of numbered files",
    "competition_zip": "CSV file icml_face_data.csv in a zip archive",
}


@pytest.mark.parametrize("layout", synthetic.DATASETS["fer2013"])
def test_form_is_told_in_words(tmp_path, layout):
    synthetic.write(layout, tmp_path, data.COUNTS, seed=data.SEED)
    source = find.find_source(tmp_path)
    assert source.form == FORMS[layout]
    note = find.note_on(source.read())
    assert ("there is no `validation`" in note) == ("png_" in layout)
    assert ("train[:90%]" in note) == ("png_" in layout)
    assert ("--test_split=none" in note) == (layout == "numbered_files")
    assert source.path.parent == tmp_path or source.path == tmp_path


@PACK
def test_packed_icml_copy_reads_the_same(tmp_path, drawn, pack):
    content = fer2013.format_csv(drawn, ICML_COLUMNS)
    pack(tmp_path / "a", {"README": b"x", "icml/face.csv": content})
    records = data.read_all(tmp_path)
    assert records.ids == drawn.ids
    np.testing.assert_array_equal(records.images, drawn.images)


def test_competition_unpacked_asks_which(tmp_path):
    synthetic.write(
        "competition_zip", tmp_path / "zip", data.COUNTS, seed=data.SEED
    )
    folder = tmp_path / "manual"
    shutil.unpack_archive(tmp_path / "zip" / "competition.zip", folder)
    with pytest.raises(SourceError, match="several copies") as caught:
        data.read_all(folder)
    assert f"{folder / 'fer2013.tar.gz'} (CSV file fer" in str(caught.value)
    assert f"{folder / 'icml_face_data.csv'} (CSV" in str(caught.value)
    assert "train.csv" not in str(caught.value)
    assert len(data.read_all(folder / "fer2013.tar.gz").ids) == 28


def test_tar_in_a_zip_is_read_where_no_csv_stands_beside(tmp_path, drawn):
    inner = nested(fer2013.format_csv(drawn))
    data.write_zip(tmp_path / "a", {"fer2013.tar.gz": inner, "train.csv": PART})
    source = find.find_source(tmp_path)
    assert source.form == (
        "CSV file in the tar archive fer2013.tar.gz in a zip archive"
    )
    assert data.contents(source.read()) == data.contents(drawn)


@pytest.mark.parametrize(
    ("inner", "message"),
    [
        (nested(COPY)[:-6], "/b.tar.gz: it is cut short"),
        (
            nested(data.HEADER.encode() + b"\n9,1,Training"),
            r"/b.tar.gz \(fer2013/fer2013.csv\), data row 1",
        ),
    ],
    ids=["cut", "row"],
)
def test_damage_of_a_tar_in_a_zip_is_named(tmp_path, inner, message):
    data.write_zip(tmp_path / "a.zip", {"b.tar.gz": inner})
    match = f"^{tmp_path}/a.zip{message}"
    with pytest.raises(SourceError, match=match):
        data.read_all(tmp_path)


def test_archives_deeper_than_that_are_not_opened(tmp_path):
    data.write_zip(tmp_path / "a", {"fer2013.csv": COPY})
    inner = (tmp_path / "a").read_bytes()
    data.write_zip(tmp_path / "a", {"a.zip": inner, "b": nested(nested(COPY))})
    with pytest.raises(SourceError, match="no copy of FER-2013"):
        data.read_all(tmp_path)


@PACK
def test_part_of_a_copy_is_named_where_it_is_all(tmp_path, pack):
    pack(tmp_path / "a", {"train.csv": PART, "test.csv": b"pixels\n1 2"})
    with pytest.raises(SourceError, match=r"train.csv\), line 1: .*'Usage'"):
        data.read_all(tmp_path)


def test_part_beside_a_copy_is_no_copy(tmp_path):
    (tmp_path / "train.csv").write_bytes(PART)
    (tmp_path / "fer2013.csv").write_bytes(COPY)
    assert find.find_source(tmp_path).path == tmp_path / "fer2013.csv"


@PACK
@pytest.mark.parametrize(
    "names",
    [
        ("fer2013.csv", "icml_face_data.csv"),
        ("fer2013.csv", "test/sad/PublicTest_1.jpg"),
        ("a/train/sad/Training_1.jpg", "b/train/sad/Training_1.jpg"),
        ("a/train/sad/Training_1.jpg", "b/train/sad/im1.png"),
    ],
    ids=["two_csv", "csv_and_folders", "two_folders", "both_folders"],
)
@pytest.mark.parametrize("is_reversed", [False, True], ids=["", "reversed"])
def test_several_in_one_archive_ask_which(tmp_path, pack, names, is_reversed):
    ordered = names[::-1] if is_reversed else names
    content = {n: COPY if n.endswith("csv") else b"x" for n in ordered}
    pack(tmp_path / "a", content)
    with pytest.raises(SourceError, match="several copies") as caught:
        data.read_all(tmp_path)
    for name in names:
        assert name.split("/")[0] in str(caught.value)
    assert "npack" in str(caught.value)


def test_folders_beside_a_zip_of_them_ask_which(tmp_path, pictures):
    data.write_zip(tmp_path / "archive.zip", pictures)
    shutil.unpack_archive(tmp_path / "archive.zip", tmp_path)
    with pytest.raises(SourceError, match="several copies"):
        data.read_all(tmp_path)
    assert len(data.read_all(tmp_path / "archive.zip").ids) == 28


def test_two_tars_in_a_zip_ask_which(tmp_path):
    inner = nested(COPY)
    data.write_zip(tmp_path / "a.zip", {"a.tar.gz": inner, "b.tar.gz": inner})
    with pytest.raises(SourceError, match=r"(?s)a.tar.gz.*b.tar.gz"):
        data.read_all(tmp_path)


def test_archive_that_changed_after_it_was_found(tmp_path):
    data.write_zip(tmp_path / "a", {"a.csv": COPY})
    source = find.find_source(tmp_path)
    data.write_zip(tmp_path / "a", {"b.csv": COPY})
    with pytest.raises(SourceError, match="it is gone"):
        source.read()

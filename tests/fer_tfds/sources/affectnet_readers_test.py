"""One reader for each form of AffectNet: what comes out, what is rejected."""

import io
import math
import tracemalloc

import numpy as np
import pytest

from fer_tfds import synthetic
from fer_tfds.drawing import affectnet
from fer_tfds.sources.affectnet import records
from fer_tfds.sources.affectnet import table as affectnet_table
from fer_tfds.sources.affectnet.records import Annotation
from fer_tfds.sources.affectnet.records import Rejected
from fer_tfds.sources.records import SourceError
from tests.fer_tfds import affectnet_fixtures as data
from tests.fer_tfds.data_fixtures import write_zip

GOOD = "1/a.jpg,10,20,100,110,1;2,3,-0.25,0.5"


def drawn(layout_splits, counts=data.COUNTS):
    counts = {s: counts[s] for s in layout_splits}
    return affectnet.list_items(counts, data.SEED)


def read_release(tmp_path, rows, **options):
    good = [GOOD] * 3  # so that most pictures are found
    data.write_release(tmp_path, [*good, *rows], images=["1/a.jpg"], **options)
    return data.read_all(tmp_path)[3:]


@pytest.mark.parametrize(
    ("header", "line"),
    [
        (data.HEADER, GOOD),
        (None, GOOD),
        ("\ufeff" + data.HEADER.upper(), GOOD),
        (data.HEADER.replace(",", ", "), GOOD),
        (
            "arousal,expression,valence,subDirectory_filePath,face_height,"
            "face_width,face_y,face_x",
            "0.5,3,-0.25,1/a.jpg,110,100,20,10",
        ),
    ],
    ids=["as_released", "none", "bom_and_capitals", "blanks", "order"],
)
def test_full_release_with_any_header(tmp_path, header, line):
    data.write_release(tmp_path, [line] * 2, header, images=["1/a.jpg"])
    row, _ = data.read_all(tmp_path)
    box = (10, 20, 100, 110)
    assert row == ("train", "1/a.jpg", "1/a.jpg", 3, box, -0.25, 0.5)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("NULL,1,2,30,40,1;2,3,0,0", "null_path"),
        ("../a.jpg,1,2,30,40,1;2,3,0,0", "bad_path"),
        ("/etc/passwd,1,2,30,40,1;2,3,0,0", "bad_path"),
        ("C:\\a.jpg,1,2,30,40,1;2,3,0,0", "bad_path"),
        ("1/\0.jpg,1,2,30,40,1;2,3,0,0", "bad_path"),
        ("1/a.jpg,NULL,NULL,NULL,NULL,NULL,3,0,0", "null_box"),
        ("1/a.jpg,x,2,30,40,1;2,3,0,0", "bad_box"),
        ("1/a.jpg,inf,2,30,40,1;2,3,0,0", "bad_box"),
        ("1/a.jpg,1,2,30,40,1;2,11,0,0", "unknown_label"),
        ("1/a.jpg,1,2,30,40,1;2,happy,0,0", "unknown_label"),
        ("NULL,NULL,NULL,NULL,NULL,NULL,10,-2,-2", "no_face"),
        ("1/a.jpg,1,2,30,40,1;2,3,5,0", "malformed_row"),
        ("1/a.jpg,1,2", "malformed_row"),
    ],
)
def test_full_release_rejects(tmp_path, line, reason):
    (row,) = read_release(tmp_path, [line])
    assert (row.split, row.reason) == ("train", reason)
    assert "training.csv line 5" in row.id


def test_a_line_without_end_and_a_missing_column_are_errors(tmp_path):
    with pytest.raises(SourceError, match=r"training.csv, line 5: longer than"):
        read_release(tmp_path, ["1/a.jpg," + "1;" * 40_000])
    header = data.HEADER.replace("face_width,", "")
    with pytest.raises(SourceError, match="column face_width is missing"):
        read_release(tmp_path, [], header=header)


def test_full_release_is_what_was_drawn(tmp_path):
    counts = {"train": [2] * 11, "validation": [1] * 11}
    synthetic.write("full", tmp_path, counts, seed=data.SEED)
    rows = data.read_all(tmp_path)
    found = [r for r in rows if isinstance(r, Annotation)]
    items = [i for i in drawn(counts, counts) if i.label != records.NO_FACE]
    assert [(r.split, r.label) for r in found] == [(i[0], i[1]) for i in items]
    for row, item in zip(found, items, strict=True):
        assert (tmp_path / "Manually_Annotated_Images" / row.image).is_file()
        valence, arousal = affectnet.scores(item.number)
        assert math.isnan(row.valence) == (valence == -2)
        assert math.isnan(row.arousal) or row.arousal == arousal
    assert sum(getattr(r, "reason", "") == "no_face" for r in rows) == 3


def test_arrays_are_what_was_drawn(tmp_path):
    synthetic.write("affectnet8", tmp_path, data.COUNTS, seed=data.SEED)
    rows = data.load_all(tmp_path)
    items = drawn(("train", "validation", "test"))
    folder = {
        "train": "train_set",
        "validation": "val_set",
        "test": "test_set",
    }
    assert {(row.id, row.label) for row in rows} == {
        (f"{folder[i.split]}/images/{i.number}.jpg", i.label) for i in items
    }
    number = {row.id.split("/")[-1]: row for row in rows}
    assert number["3.jpg"].valence == pytest.approx(0.11)
    assert number["3.jpg"].arousal == pytest.approx(0.3)
    assert math.isnan(number["7.jpg"].valence)
    (tmp_path / "train_set" / "images" / "4.jpg").unlink()
    (reject,) = (r for r in data.read_all(tmp_path) if hasattr(r, "reason"))
    assert reject.reason == "missing_image"
    assert reject.id == "train_set/images/4.jpg"


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


BAD_ARRAYS = {
    "absent": ("exp", None, "missing_annotation"),
    "empty": ("exp", b"", "malformed_row"),
    "cut": ("exp", npy(np.array("3"))[:-2], "malformed_row"),
    "pickle": ("exp", npy(np.array({"a": 1}, object)), "malformed_row"),
    "two": ("exp", npy(np.zeros(2)), "malformed_row"),
    "no_character": ("exp", npy(np.array("3"))[:-1] + b"\xff", "malformed_row"),
    "lying": (
        "exp",
        npy(np.array(1.0)).replace(b"()", b"(9000000000,)"),
        "malformed_row",
    ),
    "large": ("exp", npy(np.zeros(2000)), "malformed_row"),
    "half": ("exp", npy(np.array(3.5)), "unknown_label"),
    "no_face": ("exp", npy(np.array("10")), "no_face"),
    "valence": ("val", npy(np.array("x")), "malformed_row"),
}


@pytest.mark.parametrize(
    ("suffix", "content", "reason"), BAD_ARRAYS.values(), ids=BAD_ARRAYS
)
def test_arrays_that_cannot_be_used(tmp_path, suffix, content, reason):
    synthetic.write("affectnet8", tmp_path, data.COUNTS, seed=data.SEED)
    path = tmp_path / "train_set" / "annotations" / f"0_{suffix}.npy"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Rejected) as caught:
        data.load_all(tmp_path)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "kind", [">U3", np.str_, np.bytes_, np.float64, np.int64]
)
@pytest.mark.parametrize("shape", [(), (1,)])
def test_arrays_of_any_type(tmp_path, kind, shape):
    synthetic.write("affectnet8", tmp_path, data.COUNTS, seed=data.SEED)
    for split in ("train_set", "val_set", "test_set"):
        for path in (tmp_path / split / "annotations").glob("*_exp.npy"):
            np.save(path, np.full(shape, 5, np.int64).astype(kind))
    assert {row.label for row in data.load_all(tmp_path)} == {5}


def test_the_table_may_have_semicolons(tmp_path):
    synthetic.write("kaggle_csv", tmp_path, data.COUNTS, seed=data.SEED)
    before = data.read_all(tmp_path)
    table = tmp_path / "labels.csv"
    table.write_text(table.read_text().replace(",", ";"))
    assert data.read_all(tmp_path) == before


def test_the_table_decides_and_disagreements_are_counted(tmp_path, capsys):
    synthetic.write("kaggle_csv", tmp_path, data.COUNTS, seed=data.SEED)
    extra = tmp_path / "sad" / "extra.jpg"
    extra.write_bytes(b"not in the table")
    rows = data.read_all(tmp_path)
    assert [r.label for r in rows] == [i.label for i in drawn(("train",))]
    assert {r.split for r in rows} == {"train"}
    output = capsys.readouterr().out
    assert "says for 3 of 24 pictures; the table decides. 1 pict" in output
    with (tmp_path / "labels.csv").open("a") as file:
        file.write("0,sad/none.jpg,sad,1\n1,,sad,1\n2,../x.jpg,sad,1\n")
        file.write("3,sad/x.jpg,bored,1\n4\n")
    rejects = data.read_all(tmp_path)[24:]
    reasons = " ".join(reject.reason for reject in rejects)
    expected = "missing_image null_path bad_path unknown_label null_path"
    assert reasons == expected


@pytest.mark.parametrize(
    ("rows", "message"),
    [("1,a\n" * 11, "line 12: more than 10 rows"), ('"' + "1" * 9**8, "field")],
    ids=["rows", "line"],
)
@pytest.mark.parametrize("is_zipped", [True, False], ids=["zip", "folder"])
def test_tables_are_bounded(tmp_path, monkeypatch, rows, message, is_zipped):
    monkeypatch.setattr(affectnet_table, "_MAX_ROWS", 10)
    table = f",pth,label,relFCs\n{rows}"
    if is_zipped:
        write_zip(tmp_path / "a.zip", {"labels.csv": table})
    else:
        (tmp_path / "labels.csv").write_text(table)
    tracemalloc.start()
    with pytest.raises(SourceError, match=rf"labels\.csv.*{message}"):
        data.read_all(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize("layout", ["class_folders", "numbered_folders"])
def test_class_folders_are_what_was_drawn(tmp_path, layout):
    synthetic.write(layout, tmp_path, data.COUNTS, seed=data.SEED)
    stray = tmp_path / "train" / "stray.jpg"
    stray.write_bytes(b"in no class")
    rows = data.read_all(tmp_path)
    found = {
        (r.split, r.label, int(r.id.rsplit("image")[-1][:7]))
        for r in rows
        if isinstance(r, Annotation)
    }
    assert found == set(drawn(data.COUNTS))
    (reject,) = (r for r in rows if hasattr(r, "reason"))
    assert (reject.split, reject.reason) == ("train", "bad_path")


@pytest.mark.parametrize("layout", ["class_folders", "kaggle_csv"])
def test_an_archive_holds_the_same_as_the_folders(tmp_path, layout):
    rows = {}
    for name in (layout, f"{layout}_zip"):
        synthetic.write(name, tmp_path / name, data.COUNTS, seed=data.SEED)
        rows[name] = sorted(data.load_all(tmp_path / name))
    assert str(rows[layout]) == str(rows[f"{layout}_zip"])
    assert len(rows[layout]) >= 24

"""Finding FER-2013 by its contents, and counting its faces."""

import dataclasses
import gzip
import json

import pytest

from fer_tfds import synthetic
from fer_tfds.sources.fer2013 import find
from fer_tfds.sources.records import SourceError
from tests.fer_tfds.data_fixtures import COUNTS
from tests.fer_tfds.data_fixtures import SEED
from tests.fer_tfds.data_fixtures import contents
from tests.fer_tfds.data_fixtures import read_all
from tests.fer_tfds.data_fixtures import write_tar


def test_other_files_are_passed_over(csv_dir):
    (csv_dir / "fer2013new.csv").write_text("Usage,Image name,neutral\n")
    (csv_dir / "notes.txt").write_text("emotion and pixels")
    (csv_dir / "empty").write_bytes(b"")
    (csv_dir / "zeros").write_bytes(bytes(2048))
    (csv_dir / "broken_link").symlink_to("nowhere")
    (csv_dir / "words.gz").write_bytes(gzip.compress(b"words"))
    write_tar(csv_dir / "other.tar.gz", {"a.csv": "x,y\n1,2\n"})
    assert find.find_source(csv_dir).path == csv_dir / "fer2013.csv"


def test_several_copies_ask_which_and_one_can_be_named(csv_dir, drawn):
    synthetic.write("archive", csv_dir, COUNTS, seed=SEED)
    with pytest.raises(SourceError) as caught:
        find.find_source(csv_dir)
    text = str(caught.value)
    assert f"{csv_dir / 'fer2013.csv'} (CSV file)" in text
    assert f"{csv_dir / 'fer2013.tar.gz'} (CSV file fer2013/fer2013.c" in text
    assert "Which one is meant? Keep one" in text
    assert f"--manual_dir={csv_dir / 'fer2013.csv'}" in text
    archive = csv_dir / "fer2013.tar.gz"
    assert find.find_source(archive).path == archive
    assert contents(read_all(archive)) == contents(drawn)
    assert find.load_expected_counts(archive)[0] == COUNTS
    path = csv_dir / "expected_counts.json"
    with pytest.raises(SourceError, match="no copy of FER-2013 in here"):
        find.find_source(path)


@pytest.mark.parametrize("layout", synthetic.DATASETS["fer2013"])
def test_source_may_lie_in_folders_of_one_folder(tmp_path, layout):
    synthetic.write(layout, tmp_path / "a" / "b" / "c", COUNTS, seed=SEED)
    (tmp_path / "a" / "b" / "c" / "expected_counts.json").unlink()
    (tmp_path / "a" / ".DS_Store").write_text("x")
    assert len(read_all(tmp_path).ids) == 28


def test_links_do_not_make_two_of_one(csv_dir, drawn):
    (csv_dir / "loop").symlink_to(csv_dir)
    (csv_dir / "more").mkdir()
    (csv_dir / "more" / "up").symlink_to(csv_dir)
    (csv_dir / "more2").mkdir()
    (csv_dir / "more2" / "self").symlink_to(".")
    assert contents(read_all(csv_dir)) == contents(drawn)


def test_without_a_copy_it_says_what_is_there_and_what_to_put(tmp_path):
    with pytest.raises(SourceError, match="no such folder") as caught:
        find.find_source(tmp_path / "none")
    assert "fer2013.tar.gz" in str(caught.value)
    assert "--manual_dir" in str(caught.value)
    for index in range(10):
        (tmp_path / f"file{index}").write_text("x")
    with pytest.raises(SourceError, match=r"file0, .*file7 and 2 more"):
        find.find_source(tmp_path)


BEGINNINGS = {
    b"<!DOCTYPE html><html>login</html>": "a web page, not an archive",
    b"\n <html>": "a web page, not an archive: download it signed in",
    b"version https://git-lfs.github.com/spec/v1\n": "a pointer of Git LFS",
    b"Rar!\x1a\x07\x00": "a RAR archive: unpack it",
    "emotion,pixels,Usage".encode("utf-16"): "save it as UTF-8",
    b"": "an empty file",
}


@pytest.mark.parametrize("content", BEGINNINGS, ids=repr)
def test_what_is_no_data_is_said(tmp_path, content):
    (tmp_path / "fer2013.tar.gz").write_bytes(content)
    message = rf"Found: fer2013.tar.gz \(.*{BEGINNINGS[content]}.*\)\. Put"
    for place in (tmp_path, tmp_path / "fer2013.tar.gz"):
        with pytest.raises(SourceError, match=message):
            find.find_source(place)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"0,1 2 3,Training\n", "its first line is '0,1 2 3,Training'"),
        ("emotion,pixels,Usage".encode("utf-16-le"), "text in UTF-16"),
        ("emotion,pixels,Usage".encode("utf-16-be"), "text in UTF-16"),
    ],
)
def test_a_file_of_the_right_name_says_why_it_is_not_taken(
    tmp_path, content, reason
):
    (tmp_path / "fer2013.csv").write_bytes(content)
    with pytest.raises(SourceError, match=rf"fer2013.csv \(.*{reason}"):
        find.find_source(tmp_path)


def test_a_compressed_csv_file_is_read(csv_dir, drawn):
    path = csv_dir / "fer2013.csv"
    packed = gzip.compress(path.read_bytes())
    path.unlink()
    (csv_dir / "fer2013.csv.gz").write_bytes(packed)
    assert contents(read_all(csv_dir)) == contents(drawn)
    (csv_dir / "fer2013.csv.gz").write_bytes(packed[:-2000])
    with pytest.raises(SourceError, match="cut short or damaged"):
        read_all(csv_dir)


def test_folders_of_ferplus_say_which_files_are_needed(tmp_path):
    for name in ("FER2013Train", "FER2013Valid"):
        (tmp_path / "a" / name).mkdir(parents=True)
        row = 'fer0000000.png,"(0, 0, 48, 48)",4,0,0,1,3,2,0,0,0,0\n'
        (tmp_path / "a" / name / "label.csv").write_text(row)
    for place in (tmp_path / "a", tmp_path / "a" / "FER2013Train"):
        with pytest.raises(SourceError, match=r"FER\+.*fer2013new.csv"):
            find.find_source(place)


def test_a_copy_cut_anew_has_counts_of_its_own(tmp_path):
    names = ("train", "validation")
    counts, _ = find.load_expected_counts(tmp_path, names)
    every = [sum(row) for row in zip(*counts.values(), strict=True)]
    official = zip(*find.OFFICIAL_COUNTS.values(), strict=True)
    assert every == [sum(row) for row in official]
    assert [sum(row) for row in counts.values()] == [28821, 7066]


def test_expected_counts_lie_with_the_data(csv_dir):
    inner = csv_dir / "inner"
    inner.mkdir()
    for path in list(csv_dir.glob("*.*")):
        path.rename(inner / path.name)
    assert find.load_expected_counts(csv_dir)[0] == COUNTS


def test_expected_counts_come_before_the_official_ones(csv_dir):
    path = csv_dir / "expected_counts.json"
    counts, origin = find.load_expected_counts(csv_dir)
    assert counts == COUNTS
    assert origin == str(path)
    without_validation = {"train": COUNTS["train"], "test": [2] * 7}
    path.write_text(json.dumps(without_validation))
    assert find.load_expected_counts(csv_dir)[0] == without_validation
    path.unlink()
    counts, origin = find.load_expected_counts(csv_dir)
    assert counts == find.OFFICIAL_COUNTS
    assert [sum(row) for row in counts.values()] == [28709, 3589, 3589]
    assert "official" in origin


def test_counts_that_agree_give_a_table_and_others_show_both(drawn):
    table = find.check_counts(drawn, COUNTS, "x")
    assert "surprise" in table
    assert table.splitlines()[1].split() == ["train", *["2"] * 7, "14"]
    with pytest.raises(SourceError) as caught:
        find.check_counts(drawn, find.OFFICIAL_COUNTS, "the challenge")
    text = " ".join(str(caught.value).split())
    for words in ("not that of the challenge", "3,995", "28,709"):
        assert words in text
    assert f"beside the raw data: {json.dumps(COUNTS)}" in text
    rest = [i for i, s in enumerate(drawn.splits) if s != "validation"]
    with pytest.raises(SourceError, match=r"(?s)Found:.*validation  +0 "):
        find.check_counts(drawn.take(rest), COUNTS, "x")


def test_copy_without_validation_has_the_sum_in_test(drawn):
    splits = [split.replace("validation", "test") for split in drawn.splits]
    merged = dataclasses.replace(
        drawn, splits=splits, split_names=("train", "test")
    )
    lines = find.check_counts(merged, COUNTS, "x").splitlines()
    assert [line.split()[0] for line in lines] == ["split", "train", "test"]
    assert lines[2].split() == ["test", *["2"] * 7, "14"]
    own = {"train": COUNTS["train"], "test": [2] * 7}
    assert find.check_counts(merged, own, "x").splitlines() == lines
    with pytest.raises(SourceError, match="not that of"):
        find.check_counts(drawn, own, "x")
    with pytest.raises(SourceError, match=r"(?s)Expected:.* 7,178\n"):
        find.check_counts(merged, find.OFFICIAL_COUNTS, "x")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ("[]", "not as expected"),
        ('{"train": [1]}', "not as expected"),
        (json.dumps({**COUNTS, "extra": [1] * 7}), "not as expected"),
        (json.dumps({**COUNTS, "test": [1] * 6}), "not as expected"),
        (json.dumps({**COUNTS, "test": [1.5] * 7}), "not as expected"),
        (json.dumps({**COUNTS, "test": [-1] * 7}), "not as expected"),
        (" " * 10_000 + json.dumps(COUNTS), "not JSON"),
        ("[" * 9_000, "not JSON"),
    ],
    ids=lambda value: value.strip()[-20:],
)
def test_malformed_expected_counts_show_the_form(tmp_path, content, message):
    path = tmp_path / "expected_counts.json"
    path.write_text(content)
    with pytest.raises(SourceError, match=message) as caught:
        find.load_expected_counts(tmp_path)
    assert str(path) in str(caught.value)
    assert '"train": [3995' in str(caught.value)


def test_a_path_that_cannot_be_shown_is_an_error_that_can(csv_dir):
    (csv_dir / "fer2013.csv").rename(csv_dir / "\udcff.csv")
    with pytest.raises(SourceError, match="Rename the file") as caught:
        find.find_source(csv_dir)
    assert r"\udcff.csv" in str(caught.value)
    error = SourceError("a\x1b[2J\n\udcff\u202e ü\0")
    assert str(error) == "a\\x1b[2J\n\\udcff\\u202e ü\\x00"

"""FER+ votes: reading, the paper's rules, and the join with the faces."""

import tracemalloc

import numpy as np
import pytest

from fer_tfds.drawing import ferplus as synthetic_ferplus
from fer_tfds.sources.fer2013 import ferplus
from fer_tfds.sources.fer2013 import find
from fer_tfds.sources.records import FaceRecords
from fer_tfds.sources.records import SourceError

HEADER = (
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,"
    "contempt,unknown,NF\n"
)
ROWS = [
    "Training,fer0000000.png,4,0,0,1,3,2,0,0,0,0\n",
    "PublicTest,,0,0,0,0,0,0,0,0,0,10\n",
    "PrivateTest,fer0000002.png,0,9,0,0,0,0,0,1,0,0\n",
]


def make_records(splits, first_id="row_00000"):
    count = len(splits)
    return FaceRecords(
        images=np.zeros((count, 48, 48), np.uint8),
        labels=np.arange(count) % 7,
        splits=list(splits),
        ids=[first_id, *(f"row_{i:05d}" for i in range(1, count))],
    )


RECORDS = make_records(["train", "validation", "test"])


def write(folder, text, name="votes.csv"):
    (folder / name).write_text(text)
    return folder


def test_rows_are_read_in_order_and_need_faces_in_theirs(tmp_path):
    write(tmp_path, HEADER + "".join(ROWS))
    votes = ferplus.read_votes(tmp_path, RECORDS)
    assert votes.splits == ["train", "validation", "test"]
    assert votes.counts[0].tolist() == [4, 0, 0, 1, 3, 2, 0, 0, 0, 0]
    assert votes.shares.dtype == np.float32
    np.testing.assert_allclose(votes.shares.sum(axis=1), 1)
    assert votes.shares[2, 1] == np.float32(0.9)
    of_folders = make_records(RECORDS.splits, "train/sad/a.jpg")
    with pytest.raises(SourceError, match="class folders have lost"):
        ferplus.read_votes(tmp_path, of_folders)


@pytest.mark.parametrize(
    ("counts", "name"),
    [
        ([10, 0, 0, 0, 0, 0, 0, 0, 0, 0], "neutral"),
        # The single vote is a slip: 4 of 9 is no majority, 5 of 9 is one.
        ([4, 0, 0, 1, 3, 2, 0, 0, 0, 0], "unknown"),
        ([5, 0, 0, 1, 2, 2, 0, 0, 0, 0], "neutral"),
        # Half is not more than half.
        ([5, 5, 0, 0, 0, 0, 0, 0, 0, 0], "unknown"),
        # 4 of 10, but 4 of 4 once single votes are dropped.
        ([1, 1, 1, 1, 4, 1, 1, 0, 0, 0], "anger"),
        ([1, 1, 1, 1, 1, 1, 1, 1, 1, 1], "unknown"),
        ([2, 0, 0, 0, 0, 0, 0, 0, 8, 0], "unknown"),
        ([2, 0, 0, 0, 0, 0, 0, 0, 0, 8], "nf"),
        ([0, 0, 0, 0, 0, 0, 0, 7, 3, 0], "contempt"),
    ],
    ids=str,
)
def test_label_follows_the_rules_of_the_paper(counts, name):
    votes = ferplus.Votes(np.array([counts]), ["train"])
    assert ferplus.NAMES[votes.labels[0]] == name


def test_file_is_found_by_its_columns_beside_one_file(tmp_path):
    write(tmp_path, "emotion,pixels,Usage\n", "fer2013.csv")
    write(tmp_path, "\ufeff" + HEADER.upper(), "any.name")
    found = tmp_path / "any.name"
    assert ferplus.find_votes(tmp_path) == found
    assert ferplus.find_votes(tmp_path / "fer2013.csv") == found


def test_none_several_and_unreadable_files_are_said(tmp_path):
    assert not ferplus.has_votes(tmp_path)
    with pytest.raises(SourceError, match=r"no file with FER\+ votes"):
        ferplus.find_votes(tmp_path)
    # Of the memory of a process nobody can read the first byte.
    (tmp_path / "a").symlink_to("/proc/self/mem")
    with pytest.raises(SourceError, match="it cannot be read"):
        ferplus.find_votes(tmp_path)
    (tmp_path / "a").unlink()
    for name in ("a.csv", "b.csv"):
        write(tmp_path, HEADER, name)
    with pytest.raises(SourceError, match=r"a\.csv, .*/b\.csv"):
        ferplus.find_votes(tmp_path)


def test_file_is_found_in_the_folder_of_the_faces(csv_dir):
    inner = csv_dir / "fer2013"
    inner.mkdir()
    (csv_dir / "fer2013.csv").rename(inner / "fer2013.csv")
    records = find.find_source(csv_dir).read()
    content = synthetic_ferplus.format_votes(records, 0)
    (inner / "fer2013new.csv").write_bytes(content)
    assert ferplus.find_votes(csv_dir) == inner / "fer2013new.csv"
    assert len(ferplus.read_votes(csv_dir, records).labels) == 28


def test_cells_may_have_semicolons_between_them(tmp_path):
    text = (HEADER + "".join(ROWS)).replace(",", ";")
    votes = ferplus.read_votes(write(tmp_path, text), RECORDS)
    assert votes.counts[0].tolist() == [4, 0, 0, 1, 3, 2, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER, "not one data row"),
        (HEADER.replace("anger", "rage") + ROWS[0], "column anger is missing"),
        (HEADER + "Training,x,1,2\n", "line 2: it has 4 of 12 columns"),
        (HEADER + ROWS[0].replace(",4,", ",-4,"), "line 2: votes must be"),
        (HEADER + ROWS[0].replace(",4,", ",4.5,"), "line 2: votes must be"),
        (HEADER + ROWS[0].replace(",4,", ",44,"), "line 2: .*not 50"),
        (HEADER + ROWS[1].replace("10", "0"), "line 2: .*not 0"),
        (HEADER + ROWS[0].replace("Training", "Test"), "`Usage` is 'Test'"),
        (HEADER + "".join(ROWS[:2]), r"votes.csv: .*2 rows of FER.* 3 faces"),
        (
            HEADER + "".join(ROWS[::-1]),
            r"votes.csv: data row 1 is test in FER.*train in FER-2",
        ),
        (HEADER + ROWS[0] + "1" * 9000, "line 3: it has 1 of 12 col"),
    ],
    ids=lambda value: value[-30:],
)
def test_bad_files_are_refused(tmp_path, text, message):
    with pytest.raises(SourceError, match=message):
        ferplus.read_votes(write(tmp_path, text), RECORDS)


def test_a_line_is_never_read_in_one_piece(tmp_path):
    write(tmp_path, HEADER + "1" * 50_000_000)
    tracemalloc.start()
    with pytest.raises(SourceError, match="line 2: it has 1 of 12 "):
        ferplus.read_votes(tmp_path, RECORDS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_drawn_votes_are_read_back(tmp_path):
    records = make_records(["train"] * 90)
    content = synthetic_ferplus.format_votes(records, seed=3).decode()
    votes = ferplus.read_votes(write(tmp_path, content), records)
    np.testing.assert_array_equal(
        votes.counts, synthetic_ferplus.draw_votes(records.labels, 3)
    )
    names = [ferplus.NAMES[label] for label in votes.labels]
    assert names.count("nf") == 2
    assert names.count("unknown") >= 3
    own = ["anger", "disgust", "fear", "happiness", "sadness", "surprise"]
    agreed = [name == [*own, "neutral"][i % 7] for i, name in enumerate(names)]
    assert 0.75 < np.mean(agreed) < 0.95

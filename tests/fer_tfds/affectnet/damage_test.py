"""Rows that cannot be used: skipped, counted, listed, and bounded."""

import json
import re

import pytest

from fer_tfds import synthetic
from fer_tfds.affectnet import pipeline
from fer_tfds.affectnet import rejects as affectnet_rejects
from fer_tfds.affectnet import shards
from fer_tfds.drawing import affectnet
from fer_tfds.drawing import photos
from fer_tfds.sources.affectnet import records
from tests.fer_tfds.affectnet_builds import build
from tests.fer_tfds.affectnet_builds import read_content
from tests.fer_tfds.affectnet_builds import read_rejects
from tests.fer_tfds.affectnet_fixtures import SEED

COUNTS = {"train": [20] * 8, "validation": [2] * 8}
NUM_BROKEN = 20  # a tenth of 203 rows: of each kind of damage two or three
KINDS = {
    *("null_path", "missing_image", "unreadable_image", "null_box"),
    *("bad_box", "unknown_label", "malformed_row"),
}


def change_settings(folder, **settings):
    path = folder / "affectnet.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "raw"
    synthetic.write("full", folder, COUNTS, seed=SEED)
    counts = affectnet.LAYOUTS["full"].select(COUNTS)
    for name, content in affectnet.full_files(counts, SEED, 0.1):
        (folder / name).write_bytes(content)
    return folder


def files_below(folder):
    """Names of files, apart from the one that TFDS writes for all configs."""
    paths = folder.rglob("*")
    return {path.name for path in paths if path.is_file()} - {"metadata.json"}


def test_damage_is_listed_by_reason(raw, tmp_path, capsys):
    change_settings(raw, max_rejected_fraction=0.2)
    builder = build(raw, tmp_path / "data")
    rejects = read_rejects(builder)[1:]
    damaged = [row for row in rejects if row[2] != "no_face"]
    assert {row[2] for row in damaged} == KINDS
    assert len(damaged) == NUM_BROKEN
    assert len(rejects) == len(damaged) + 9
    assert all("broken" in row[1] or "line" in row[1] for row in damaged)
    assert len(read_content(builder)) == 176 + 18
    output = capsys.readouterr().out
    assert "rows skipped             train  validation" in output
    assert re.search(r"missing_image +3 +0\n", output)


def test_too_much_damage_is_an_error(raw, tmp_path):
    with pytest.raises(ValueError, match="at most 5% may be") as caught:
        build(raw, tmp_path / "data")
    message = str(caught.value)
    assert "cannot be used" in message
    assert "null_path" in message
    assert '"max_rejected_fraction": 0.' in message
    assert "training.csv line" in message
    assert files_below(tmp_path / "data") == set()


def test_too_many_bad_rows_fail_before_any_picture(raw, tmp_path, monkeypatch):
    with (raw / "training.csv").open("a") as file:
        file.write("cut,short\n" * 40)
    monkeypatch.setattr(pipeline, "_look_at_some", None)
    with pytest.raises(ValueError, match=r"malformed_row +42 "):
        build(raw, tmp_path / "data")


def cut_pictures(raw, every):
    for path in sorted(raw.rglob("*.jpg"))[::every]:
        path.write_bytes(path.read_bytes()[:300])


def test_damaged_pictures_fail_in_the_end_or_at_once(tmp_path, monkeypatch):
    raw = tmp_path / "raw"
    synthetic.write("full", raw, COUNTS, seed=SEED)
    cut_pictures(raw, every=8)
    with pytest.raises(ValueError, match=r"unreadable_image .*\n.*\n") as error:
        build(raw, tmp_path / "data")
    assert "a look at some rows" not in str(error.value)
    assert files_below(tmp_path / "data") == set()
    cut_pictures(raw, every=1)
    monkeypatch.setattr(pipeline, "_run", None)
    with pytest.raises(ValueError, match="a look at some rows"):
        build(raw, tmp_path / "data")


def test_a_sample_is_judged_by_itself(raw, tmp_path):
    (raw / "affectnet.json").write_text('{"max_rejected_fraction": 0.11}')
    builder = build(raw, tmp_path / "data", max_examples_per_split=10)
    assert builder.info.splits["train"].num_examples <= 10


def test_other_counts_than_expected_are_an_error(tmp_path):
    raw = tmp_path / "raw"
    synthetic.write("class_folders", raw, {"train": [2] * 8}, seed=SEED)
    change_settings(raw, expected_counts={"train": [3] * 8 + [0] * 3})
    with pytest.raises(ValueError, match="number of examples is not") as caught:
        build(raw, tmp_path / "data")
    assert "Expected:\n  examples           train" in str(caught.value)


def test_no_example_at_all_and_no_raw_data_are_errors(tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    with pytest.raises(ValueError, match=r"training\.csv"):
        build(raw, tmp_path / "data")
    (raw / "train" / "no-face").mkdir(parents=True)
    (raw / "train" / "no-face" / "a.jpg").write_bytes(b"")
    with pytest.raises(ValueError, match="not one row gives an example"):
        build(raw, tmp_path / "data")


def test_a_second_face_gets_a_name_and_a_second_row_of_a_face_is_none():
    photo, _ = photos.Photographer(SEED).draw_photo(0, 0)
    data = photos.to_jpeg(photo)
    rows = [
        records.Annotation("train", "a", "a", 1, records.Box(x, 0, 30, 30))
        for x in (0, 5, 0)
    ]
    results = list(shards.make_examples(rows, lambda row: (data, row), 48))
    assert [r["id"] for r in results[:2]] == ["a", "a#2"]
    assert results[2].reason == records.Reason.DUPLICATE


def test_tallies_count_and_subtract():
    first = records.Reject("train", "a", records.Reason.NO_FACE, "")
    second = records.Reject("train", "b", records.Reason.BAD_BOX, "7x7")
    part, whole = affectnet_rejects.Tally(), affectnet_rejects.Tally()
    part.add(first)
    for reject in (first, second, second):
        whole.add(reject)
    assert (whole.num_rejects, whole.num_damaged) == (3, 2)
    assert part.num_damaged == 0
    rest = whole.without(part)
    assert (rest.num_rejects, rest.num_damaged) == (2, 2)
    assert rest.describe_first().startswith("  train b: bad_box 7x7")


def test_the_bound_is_what_it_says():
    tally = affectnet_rejects.Tally()
    for _ in range(50):
        tally.add(records.Reject("train", "a", records.Reason.NO_FACE, ""))
    for _ in range(5):
        tally.add(records.Reject("train", "a", records.Reason.BAD_BOX, ""))
    affectnet_rejects.check_fraction(tally, 100, 0.05, where="here")
    tally.add(records.Reject("train", "a", records.Reason.BAD_BOX, ""))
    with pytest.raises(ValueError, match=r"here: 6 of 100 rows \(6.0%\)"):
        affectnet_rejects.check_fraction(tally, 100, 0.05, where="here")


def test_a_written_shard_may_be_written_again(tmp_path, monkeypatch):
    """Beam repeats what has failed elsewhere."""
    raw = tmp_path / "raw"
    synthetic.write("full", raw, {"train": [2] * 8}, seed=SEED)
    original = shards.write_shard

    def write_twice(shard, job):
        original(shard, job)
        original(shard, job)

    monkeypatch.setattr(shards, "write_shard", write_twice)
    assert len(read_content(build(raw, tmp_path / "data"))) == 18

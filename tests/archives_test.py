"""Tar archives as streams: whole, cut short, damaged, hostile."""

import gzip

import pytest

from fer_tfds import synthetic
from fer_tfds.sources import archives
from fer_tfds.sources.records import SourceError
from tests.data_fixtures import COUNTS
from tests.data_fixtures import GOOD_ROW
from tests.data_fixtures import HEADER
from tests.data_fixtures import SEED
from tests.data_fixtures import contents
from tests.data_fixtures import read_all
from tests.data_fixtures import write_tar


@pytest.fixture(scope="module")
def drawn():
    return synthetic.draw_records(COUNTS, SEED)


@pytest.fixture
def archive(tmp_path):
    synthetic.write_challenge_archive(tmp_path, COUNTS, SEED)
    return tmp_path / "fer2013.tar.gz"


def test_archive_gives_every_face_back(archive, drawn):
    assert contents(read_all(archive.parent)) == contents(drawn)


def test_plain_tar_gives_every_face_back(archive, drawn):
    archive.write_bytes(gzip.decompress(archive.read_bytes()))
    assert contents(read_all(archive.parent)) == contents(drawn)


@pytest.mark.parametrize("is_zipped", [True, False], ids=["gzip", "plain"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_archive_is_an_error(archive, is_zipped, share):
    content = archive.read_bytes()
    if not is_zipped:
        content = gzip.decompress(content)
    archive.write_bytes(content[: int(share * len(content))])
    with pytest.raises(SourceError) as caught:
        read_all(archive.parent)
    text = str(caught.value)
    assert text.startswith(f"{archive}: the archive is cut short or damaged")
    assert "download it again" in text


@pytest.mark.parametrize("num_bytes", [1, 4, 8])
def test_archive_that_lacks_its_last_bytes_is_an_error(archive, num_bytes):
    archive.write_bytes(archive.read_bytes()[:-num_bytes])
    with pytest.raises(SourceError, match="cut short or damaged"):
        read_all(archive.parent)


def test_archive_cut_to_a_few_bytes_is_an_error(archive):
    archive.write_bytes(archive.read_bytes()[:12])
    with pytest.raises(SourceError, match="cut short or damaged"):
        read_all(archive.parent)


def test_archive_with_wrong_checksum_is_an_error(archive):
    content = bytearray(archive.read_bytes())
    content[-8] ^= 0xFF  # a gzip file ends in checksum and length
    archive.write_bytes(bytes(content))
    with pytest.raises(SourceError, match="CRC"):
        read_all(archive.parent)


def test_malformed_row_in_an_archive_is_named(tmp_path):
    write_tar(tmp_path / "a.tgz", {"fer2013.csv": f"{HEADER}\n9,1,Training"})
    with pytest.raises(SourceError, match=r"a.tgz \(fer2013.csv\), data row 1"):
        read_all(tmp_path)


def test_member_names_are_never_trusted(tmp_path):
    manual_dir = tmp_path / "manual"
    manual_dir.mkdir()
    content = f"{HEADER}\n{GOOD_ROW}\n"
    members = {"README": "words", "../../evil.csv": content}
    write_tar(manual_dir / "a", members)
    assert len(read_all(manual_dir).ids) == 1
    assert [path.name for path in tmp_path.rglob("*")] == ["manual", "a"]


def test_open_member_needs_a_wanted_member(archive):
    with (
        pytest.raises(SourceError, match="wanted file is not in it"),
        archives.open_member(archive, lambda head: False),
    ):
        pass

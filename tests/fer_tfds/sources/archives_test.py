"""Zip and tar archives: whole, cut short, damaged, hostile."""

import gzip
import io
import struct
import tarfile
import zipfile

import pytest

from fer_tfds import synthetic
from fer_tfds.sources.archives import file_trees
from fer_tfds.sources.archives import zip_and_tar
from fer_tfds.sources.records import SourceError
from tests.fer_tfds.data_fixtures import COUNTS
from tests.fer_tfds.data_fixtures import GOOD_ROW
from tests.fer_tfds.data_fixtures import HEADER
from tests.fer_tfds.data_fixtures import SEED
from tests.fer_tfds.data_fixtures import contents
from tests.fer_tfds.data_fixtures import read_all
from tests.fer_tfds.data_fixtures import write_tar
from tests.fer_tfds.data_fixtures import write_zip


@pytest.fixture(scope="module")
def drawn():
    return synthetic.draw_records(COUNTS, SEED)


@pytest.fixture
def archive(tmp_path):
    synthetic.write("archive", tmp_path, COUNTS, seed=SEED)
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
    assert text.startswith(f"{archive}: it is cut short or damaged")
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


@pytest.fixture
def zipped(tmp_path):
    synthetic.write("csv_zip", tmp_path, COUNTS, seed=SEED)
    return tmp_path / "archive.zip"


def test_plain_tar_without_its_end_is_an_error(archive):
    content = gzip.decompress(archive.read_bytes())
    archive.write_bytes(content.rstrip(b"\0"))
    with pytest.raises(SourceError, match="cut short or damaged"):
        read_all(archive.parent)


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.999])
def test_truncated_zip_is_an_error(zipped, share):
    content = zipped.read_bytes()
    zipped.write_bytes(content[: int(share * len(content))])
    with pytest.raises(SourceError, match=r"zip: it is cut short or damaged"):
        read_all(zipped.parent)


def test_zip_with_wrong_checksum_is_an_error(zipped):
    content = zipped.read_bytes()
    with zipfile.ZipFile(zipped) as archive:
        crc = struct.pack("<I", archive.infolist()[0].CRC)
    zipped.write_bytes(content.replace(crc, b"\1\2\3\4"))
    with pytest.raises(SourceError, match=r"fer2013.csv\): .*Bad CRC-32"):
        read_all(zipped.parent)


def test_zip_that_declares_too_little_is_an_error(zipped):
    content = zipped.read_bytes()
    with zipfile.ZipFile(zipped) as archive:
        size = struct.pack("<I", archive.infolist()[0].file_size)
    zipped.write_bytes(content.replace(size, struct.pack("<I", 100)))
    with pytest.raises(SourceError, match="cut short or damaged"):
        read_all(zipped.parent)


def test_encrypted_zip_is_an_error(zipped):
    content = bytearray(zipped.read_bytes())
    content[6] |= 1  # flags in the member's own header ...
    content[content.index(b"PK\1\2") + 8] |= 1  # ... and in the list
    zipped.write_bytes(bytes(content))
    with pytest.raises(SourceError, match="protected by a password"):
        read_all(zipped.parent)


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=["bzip2", "lzma"]
)
def test_zip_compressed_otherwise_is_an_error(tmp_path, method):
    write_zip(tmp_path / "a.zip", {"a.csv": HEADER}, method)
    with pytest.raises(SourceError, match=f"method {method} is not supported"):
        read_all(tmp_path)


def test_zip64_is_read(tmp_path):
    row = f"{HEADER}\n{GOOD_ROW}\n".encode()
    with (
        zipfile.ZipFile(tmp_path / "a.zip", "w") as archive,
        archive.open("a.csv", "w", force_zip64=True) as member,
    ):
        member.write(row)
    assert len(read_all(tmp_path).ids) == 1


def test_zip_with_an_impossible_list_is_an_error(zipped, monkeypatch):
    monkeypatch.setattr(zip_and_tar, "_MAX_ZIP_LIST_BYTES", 50)
    with pytest.raises(SourceError, match=r"members of 5. bytes"):
        read_all(zipped.parent)


@pytest.mark.parametrize("pack", [write_tar, write_zip], ids=["tar", "zip"])
@pytest.mark.parametrize(
    "name", ["../evil.csv", "a/../../evil.csv", "/etc/evil.csv", "C:/evil.csv"]
)
def test_names_that_lead_out_are_an_error(tmp_path, pack, name):
    manual_dir = tmp_path / "manual"
    manual_dir.mkdir()
    pack(manual_dir / "a", {"README": "x", name: f"{HEADER}\n{GOOD_ROW}\n"})
    with pytest.raises(SourceError, match="leads out of it"):
        read_all(manual_dir)
    assert [path.name for path in tmp_path.rglob("*")] == ["manual", "a"]


@pytest.mark.parametrize("pack", [write_tar, write_zip], ids=["tar", "zip"])
def test_archive_bomb_is_an_error(tmp_path, pack):
    path = tmp_path / "a"
    pack(path, {"a": bytes(300_000), "b": bytes(300_000)})
    assert path.stat().st_size < 3000
    with (
        file_trees.open_tree(path, max_unpacked_bytes=500_000) as tree,
        pytest.raises(SourceError, match="more than 500,000 bytes"),
    ):
        list(tree.walk(lambda name: True, 400_000))


def test_one_file_alone_is_bounded_as_well(tmp_path):
    write_zip(tmp_path / "a", {"a": bytes(600_000)})
    with (
        file_trees.open_tree(tmp_path / "a", 500_000) as tree,
        pytest.raises(SourceError, match="more than 500,000 bytes"),
    ):
        tree.read("a", 1_000_000)


def test_zeros_behind_a_tar_archive_count_as_well(tmp_path):
    write_tar(tmp_path / "a", {"a": "x"})
    plain = gzip.decompress((tmp_path / "a").read_bytes())
    (tmp_path / "a").write_bytes(gzip.compress(plain + bytes(600_000)))
    with (
        file_trees.open_tree(tmp_path / "a", 500_000) as tree,
        pytest.raises(SourceError, match="more than 500,000 bytes"),
    ):
        tree.names()


def tar_header(name="a", size=0, kind=tarfile.REGTYPE):
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def padded(data):
    return data + bytes(-len(data) % 512)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (tar_header(size=-5), "negative size"),
        (tar_header(size=1 << 60), "unexpected end of data"),
        (tar_header(kind=tarfile.XHDTYPE, size=1 << 30), "a header of 1,073"),
        (tar_header(kind=tarfile.GNUTYPE_LONGNAME, size=1 << 30), "a header"),
        (tar_header(kind=tarfile.GNUTYPE_SPARSE), "sparse file"),
        (tar_header(kind=tarfile.XHDTYPE, size=5) + padded(b"words"), "header"),
        (
            tar_header(kind=tarfile.XHDTYPE, size=10) + padded(b"10 size=x\n"),
            "extended header: invalid literal",
        ),
        (tar_header() + b"x" * 512, "invalid header"),
        (tar_header() * 2 + bytes(1024), "a is in it twice"),
        (tar_header("a\nb") + bytes(1024), "cannot be shown"),
        (tar_header(b"\xff".decode(errors="surrogateescape")), "be shown"),
        (tar_header("x" * 2000) + bytes(1024), "is too long"),
    ],
    ids=[
        *("negative", "huge", "huge_pax", "huge_name", "sparse", "no_record"),
        *("pax_size", "checksum", "twice", "newline", "bytes", "long"),
    ],
)
def test_hostile_tar_is_an_error(tmp_path, content, message):
    path = tmp_path / "a.tar"
    path.write_bytes(content)
    with (
        file_trees.open_tree(path) as tree,
        pytest.raises(SourceError, match=message),
    ):
        tree.names()


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_foreign_names_in_a_tar(tmp_path, form):
    names = ["x" * 90 + "/" + "y" * 120, "kurz", "Gefühl/böse"]
    with tarfile.open(tmp_path / "a", "w", format=form) as tar:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "z" * 200
        tar.addfile(link)
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 3
            tar.addfile(info, io.BytesIO(b"abc"))
    with file_trees.open_tree(tmp_path / "a") as tree:
        assert dict(tree.walk(lambda _: True, 3)) == dict.fromkeys(
            names, b"abc"
        )


def test_sparse_file_of_the_newer_kind_is_an_error(tmp_path):
    record = b"22 GNU.sparse.major=1\n"
    header = tar_header(kind=tarfile.XHDTYPE, size=len(record))
    (tmp_path / "a").write_bytes(header + padded(record) + tar_header())
    with (
        file_trees.open_tree(tmp_path / "a") as tree,
        pytest.raises(SourceError, match="sparse file"),
    ):
        tree.names()


def test_headers_for_one_member_come_in_any_order(tmp_path):
    name, target = b"n" * 150, b"t" * 150
    (tmp_path / "a").write_bytes(
        tar_header(kind=tarfile.GNUTYPE_LONGNAME, size=len(name))
        + padded(name)
        + tar_header(kind=tarfile.GNUTYPE_LONGLINK, size=len(target))
        + padded(target)
        + tar_header(size=3)
        + padded(b"abc")
        + bytes(1024)
    )
    with file_trees.open_tree(tmp_path / "a") as tree:
        assert dict(tree.walk(lambda _: True, 3)) == {name.decode(): b"abc"}

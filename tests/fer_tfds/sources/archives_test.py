"""Folders, zip and tar archives: read alike, whatever is wrong with them."""

import gzip
import io
import os
import struct
import tarfile
import zipfile

import pytest

from fer_tfds.sources.archives import file_trees
from fer_tfds.sources.archives import trees
from fer_tfds.sources.records import SourceError
from tests.fer_tfds.data_fixtures import write_tar
from tests.fer_tfds.data_fixtures import write_zip
from tests.fer_tfds.fuzz import inputs

FILES = {"a.txt": b"", "b/10.txt": b"ten", "b/2.txt": b"two"}
JUNK = (".hidden", "b/.DS_Store", "__MACOSX/a.txt", "b/Thumbs.db")


def write_folder(path, members):
    for name, content in members.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)


def write_plain_tar(path, members):
    write_tar(path, members)
    path.write_bytes(gzip.decompress(path.read_bytes()))


PACK = pytest.mark.parametrize("pack", [write_tar, write_zip])


@pytest.fixture(params=[write_folder, write_zip, write_tar, write_plain_tar])
def tree(request, tmp_path):
    request.param(tmp_path / "data", FILES | dict.fromkeys(JUNK, b"x"))
    with file_trees.open_tree(tmp_path / "data") as tree:
        yield tree


def read_tree(path, max_bytes=3):
    with file_trees.open_tree(path) as tree:
        return dict(tree.walk(lambda _: True, max_bytes))


def refuses(path, message):
    """Says where, what is wrong and, in another sentence, what to do."""
    with pytest.raises(SourceError, match=rf"(?s){message}.*\. ") as caught:
        read_tree(path, 1 << 20)
    assert str(caught.value).startswith(str(path))


def test_trees_read_alike(tree):
    assert tree.names() == tree.names() == sorted(FILES)
    assert dict(tree.walk(lambda _: True, 3)) == FILES
    assert dict(tree.walk("a.txt".__eq__, 3)) == {"a.txt": b""}
    with pytest.raises(SourceError, match=r"2.txt.*at most 2 bytes"):
        dict(tree.walk("b/2.txt".__eq__, 2))


@pytest.mark.parametrize(
    "name",
    [
        *("c", "b", "", ".hidden", "a.txt/x", "a\0b", "../data/a.txt"),
        *("/etc/passwd", "b/../a.txt", "b/10.txt"),
    ],
)
def test_single_files(tree, name):
    """Names come from tables, which may hold anything."""
    message = "Unpack it yourself"
    if tree.has_random_access:
        assert tree.read("b/10.txt", 3) == b"ten"
        message = "no such file|at most 2 bytes"
    with pytest.raises(SourceError, match=message):
        tree.read(name, 2)


def test_too_many_files_are_an_error(tree, monkeypatch):
    monkeypatch.setattr(trees, "MAX_FILES", 2)
    with pytest.raises(SourceError, match="more than 2 files"):
        tree.names()


@pytest.mark.parametrize("content", [b"", b"text", b"PK", bytes(2048)])
def test_other_files_are_no_trees(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    assert file_trees.open_tree(tmp_path / "a") is None
    with pytest.raises(SourceError, match="cannot be read"):
        file_trees.open_tree(tmp_path / "b")


def test_links_in_a_folder_are_followed_and_end(tmp_path):
    write_folder(tmp_path, {"data/a": b"1", "data/b/c": b"2", "other/d": b"3"})
    for name, target in (
        *(("loop", "."), ("b/up", ".."), ("self", "self"), ("gone", "nowhere")),
        *(("e", "../other"), ("a2", "a"), ("../other/back", "../data")),
        *(("f", "../other"), ("b/f", "../f")),
    ):
        (tmp_path / "data" / name).symlink_to(target)
    os.mkfifo(tmp_path / "data" / "pipe")
    with file_trees.open_tree(tmp_path / "data") as tree:
        assert tree.names() == ["a", "a2", "b/c", "b/f/d", "e/d", "f/d"]
        with pytest.raises(SourceError, match="no such file"):
            tree.read("pipe", 9)
    # It can be walked through in more ways than there is time for.
    inputs.make_web(tmp_path)
    refuses(tmp_path, "in too many ways")


def test_folder_name_that_is_no_text_is_an_error(tmp_path):
    (tmp_path / "\udcff").touch()
    refuses(tmp_path, "cannot be shown")


@pytest.mark.parametrize("end", [0.01, 0.1, 0.5, 0.9, 0.999, -1, -4, -8])
@pytest.mark.parametrize("pack", [write_tar, write_plain_tar, write_zip])
def test_truncated_archive_is_an_error(tmp_path, pack, end):
    path = tmp_path / "a"
    pack(path, {f"{i}.csv": os.urandom(3000) for i in range(20)})
    content = path.read_bytes()
    if pack is write_plain_tar:  # which ends in more zeros than it must
        content = content.rstrip(b"\0")
    path.write_bytes(content[: int(end * len(content)) if end > 0 else end])
    refuses(path, "it is cut short or damaged")


def with_wrong(field, value):
    """Makes another `CRC` or `file_size` stand in a zip file."""

    def change(content):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            right = struct.pack("<I", getattr(archive.infolist()[0], field))
        return content.replace(right, value)

    return change


def encrypt(content):
    start = content.index(b"PK\1\2")  # flags in the member, and in the list
    flags = content[:6] + b"\1" + content[7 : start + 8] + b"\1"
    return flags + content[start + 9 :]


def end_otherwise(content):
    """A gzip file ends in checksum and length."""
    return content[:-8] + bytes(8)


@pytest.mark.parametrize(
    ("pack", "change", "message"),
    [
        (write_zip, with_wrong("CRC", b"\1\2\3\4"), r"a\): .*Bad CRC-32"),
        (
            write_zip,
            with_wrong("file_size", b"\1\0\0\0"),
            r"a\): it is cut sho",
        ),
        (write_zip, encrypt, r"\(a\): it is packed with a password"),
        (write_tar, end_otherwise, "damaged .*CRC"),
    ],
)
def test_wrong_archive_is_an_error(tmp_path, pack, change, message):
    pack(tmp_path / "p", {"a": b"words" * 20})
    (tmp_path / "p").write_bytes(change((tmp_path / "p").read_bytes()))
    refuses(tmp_path / "p", message)


def test_zip_packed_otherwise_is_an_error(tmp_path):
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        write_zip(tmp_path / "a", {"a.csv": b"x"}, method)
        refuses(tmp_path / "a", f"with method {method}, which is not")


def test_odd_members_of_a_zip(tmp_path, monkeypatch):
    link, unnamed = zipfile.ZipInfo("link"), zipfile.ZipInfo("")
    link.external_attr = 0o120777 << 16
    members = {"x\\y": b"1", "./z": b"2", "d/": b"", "ü": b"3", link: "/etc"}
    with zipfile.ZipFile(tmp_path / "a", "w") as archive:
        for name, content in (members | {unnamed: b""}).items():
            archive.writestr(name, content)
        with archive.open("large", "w", force_zip64=True) as member:
            member.write(b"4")
    found = {"x/y": b"1", "z": b"2", "ü": b"3", "large": b"4"}
    assert read_tree(tmp_path / "a") == found
    monkeypatch.setattr(file_trees, "_MAX_ZIP_LIST_BYTES", 40)
    refuses(tmp_path / "a", "a list of members of 3.. bytes")


@PACK
@pytest.mark.parametrize(
    ("name", "message"),
    [
        *[(f"{p}evil", "leads out") for p in ("../", "a/../../", "/", "C:/")],
        ("READ//ME", "'READ/ME' is in it twice"),
        *[(name, "cannot be shown") for name in ("a\nb", "x" * 1500)],
    ],
)
def test_names_of_no_honest_copy_are_an_error(tmp_path, pack, name, message):
    (tmp_path / "in").mkdir()
    pack(tmp_path / "in" / "a", {"READ/ME": b"x", name: b"x"})
    refuses(tmp_path / "in" / "a", message)
    assert [path.name for path in tmp_path.rglob("*")] == ["in", "a"]


@PACK
def test_archive_bomb_is_an_error(tmp_path, pack, monkeypatch):
    monkeypatch.setattr(trees, "MAX_UNPACKED_BYTES", 500_000)
    pack(tmp_path / "a", {"a": bytes(300_000), "b": bytes(300_000)})
    refuses(tmp_path / "a", "more than 500,000 bytes")
    write_zip(tmp_path / "a", {"a": bytes(600_000)})
    refuses(tmp_path / "a", "more than 500,000 bytes")
    zeros = bytes(600_000)  # behind the end
    (tmp_path / "a").write_bytes(gzip.compress(tar_header() + zeros))
    refuses(tmp_path / "a", "more than 500,000 bytes")


def tar_header(name="a", size=0, kind=tarfile.REGTYPE):
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def extra(kind, content):
    padding = bytes(-len(content) % 512)
    return tar_header(kind=kind, size=len(content)) + content + padding


PAX, NAME = tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME
LINK, SPARSE = tarfile.GNUTYPE_LONGLINK, tarfile.GNUTYPE_SPARSE
SPARSE_RECORDS = b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"
ABC = tar_header(size=3) + b"abc" + bytes(509)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (tar_header(size=-5), "negative size"),
        (tar_header(size=1 << 60), "unexpected end of data"),
        (tar_header(kind=b"Z", size=1 << 60), "unexpected end of data"),
        (tar_header(kind=PAX, size=1 << 30), "a header of 1,073"),
        (tar_header(kind=NAME, size=1 << 30), "a header of 1,073"),
        (tar_header(kind=SPARSE), "sparse file"),
        (extra(PAX, SPARSE_RECORDS) + ABC, "sparse file"),
        (extra(PAX, b"10 size=x\n") + ABC, "damaged"),
        (ABC + b"x" * 512, "bad checksum|invalid header"),
        (ABC + bytes(100), "unexpected end of data"),
        (tar_header(b"\xff".decode(errors="surrogateescape")), "be shown"),
    ],
)
def test_hostile_tar_is_an_error(tmp_path, content, message):
    (tmp_path / "a").write_bytes(content)
    refuses(tmp_path / "a", message)


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_odd_members_of_a_tar(tmp_path, form):
    files = dict.fromkeys(["x/" + "y" * 190, "kurz", "Gefühl/ö"], b"abc")
    with tarfile.open(tmp_path / "a", "w", format=form) as tar:
        for kind in (tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            other = tarfile.TarInfo(f"other{kind}")
            other.type, other.linkname = kind, "z" * 200
            tar.addfile(other)
        for name in files:
            info = tarfile.TarInfo(name)
            info.size = 3
            tar.addfile(info, io.BytesIO(b"abc"))
    assert read_tree(tmp_path / "a") == files


def test_headers_for_one_member_come_in_any_order(tmp_path):
    headers = extra(NAME, b"n" * 150) + extra(LINK, b"t" * 150)
    (tmp_path / "a").write_bytes(headers + ABC + bytes(1024))
    assert read_tree(tmp_path / "a") == {"n" * 150: b"abc"}

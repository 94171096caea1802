"""Folders and archives read alike, whatever lies in them."""

import os
import zipfile

import pytest

from fer_tfds.sources.archives import file_trees
from fer_tfds.sources.archives import tree_base
from fer_tfds.sources.records import SourceError
from tests.fer_tfds.data_fixtures import write_tar
from tests.fer_tfds.data_fixtures import write_zip

MEMBERS = {
    "b/2.txt": b"two",
    "b/10.txt": b"ten",
    "a.txt": b"",
    ".hidden": b"x",
    "b/.DS_Store": b"x",
    "__MACOSX/a.txt": b"x",
    "b/Thumbs.db": b"x",
    "Desktop.ini": b"x",
}
NAMES = ["a.txt", "b/10.txt", "b/2.txt"]


def write_folder(path, members):
    for name, content in members.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)


WRITERS = {"folder": write_folder, "zip": write_zip, "tar": write_tar}


@pytest.fixture(params=WRITERS)
def tree(request, tmp_path):
    WRITERS[request.param](tmp_path / "data", MEMBERS)
    with file_trees.open_tree(tmp_path / "data") as tree:
        yield tree


@pytest.fixture(params=["folder", "zip"])
def random_tree(request, tmp_path):
    WRITERS[request.param](tmp_path / "data", MEMBERS)
    with file_trees.open_tree(tmp_path / "data") as tree:
        yield tree


def test_names_are_sorted_and_without_droppings(tree):
    assert tree.names() == NAMES
    assert tree.names() == NAMES


def test_walk_reads_what_is_wanted(tree):
    found = dict(tree.walk(lambda name: name != "a.txt", 3))
    assert found == {"b/2.txt": b"two", "b/10.txt": b"ten"}
    assert dict(tree.walk(lambda _: False, 3)) == {}


def test_walk_refuses_what_is_too_large(tree):
    with pytest.raises(SourceError, match=r"2.txt.*at most 2 bytes"):
        dict(tree.walk(lambda name: name == "b/2.txt", 2))


def test_read(random_tree):
    assert random_tree.read("b/10.txt", 3) == b"ten"
    assert random_tree.read("a.txt", 0) == b""
    with pytest.raises(SourceError, match="at most 2 bytes"):
        random_tree.read("b/10.txt", 2)


@pytest.mark.parametrize("name", ["c", "b", "", ".hidden", "a.txt/x", "a\0b"])
def test_absent_file_is_an_error(random_tree, name):
    with pytest.raises(SourceError, match=r"no such file|cannot be shown"):
        random_tree.read(name, 9)


@pytest.mark.parametrize("name", ["../data/a.txt", "/etc/passwd", "b/../a.txt"])
def test_names_from_tables_cannot_lead_out(random_tree, name):
    with pytest.raises(SourceError, match=r"leads out|no such file"):
        random_tree.read(name, 9)


def test_tar_says_that_it_must_be_unpacked(tmp_path):
    write_tar(tmp_path / "a", MEMBERS)
    with (
        file_trees.open_tree(tmp_path / "a") as tree,
        pytest.raises(SourceError, match="Unpack it yourself"),
    ):
        tree.read("a.txt", 9)


def test_windows_names_in_a_zip(tmp_path):
    write_zip(tmp_path / "a", {"x\\y.txt": b"1", "./z": b"2", "d/": b""})
    with file_trees.open_tree(tmp_path / "a") as tree:
        assert tree.names() == ["x/y.txt", "z"]
        assert tree.read("x/y.txt", 1) == b"1"


def test_name_that_is_twice_in_a_zip_is_an_error(tmp_path):
    write_zip(tmp_path / "a", {"x/y": b"1", "x//y": b"2"})
    with (
        file_trees.open_tree(tmp_path / "a") as tree,
        pytest.raises(SourceError, match="x/y is in it twice"),
    ):
        tree.names()


def test_link_in_a_zip_is_left_out(tmp_path):

    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    write_zip(tmp_path / "a", {"a": b""})
    with zipfile.ZipFile(tmp_path / "a", "a") as archive:
        archive.writestr(link, "/etc/passwd")
    with file_trees.open_tree(tmp_path / "a") as tree:
        assert tree.names() == ["a"]


def test_links_in_a_folder_end(tmp_path):
    write_folder(tmp_path / "data", MEMBERS)
    write_folder(tmp_path / "other", {"3.txt": b"3", "up/4.txt": b"4"})
    (tmp_path / "data" / "loop").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "b" / "up").symlink_to("..")
    (tmp_path / "data" / "self").symlink_to("self")
    (tmp_path / "data" / "gone").symlink_to("nowhere")
    (tmp_path / "data" / "other").symlink_to(tmp_path / "other")
    (tmp_path / "other" / "back").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "a2.txt").symlink_to("a.txt")
    os.mkfifo(tmp_path / "data" / "pipe")
    with file_trees.open_tree(tmp_path / "data") as tree:
        assert tree.names() == [
            *("a.txt", "a2.txt", "b/10.txt", "b/2.txt"),
            *("other/3.txt", "other/up/4.txt"),
        ]
        with pytest.raises(SourceError, match="no such file"):
            tree.read("pipe", 9)


def test_too_many_files_are_an_error(tree, monkeypatch):
    monkeypatch.setattr(tree_base, "MAX_FILES", 2)
    with pytest.raises(SourceError, match="more than 2 files"):
        tree.names()


@pytest.mark.parametrize(
    "content", [b"", b"words", b"PK", bytes(2048)], ids=repr
)
def test_other_files_are_no_trees(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    assert file_trees.open_tree(tmp_path / "a") is None


def test_absent_path_is_an_error(tmp_path):
    with pytest.raises(SourceError, match="cannot be read"):
        file_trees.open_tree(tmp_path / "a")


def test_folder_name_that_is_no_text_is_an_error(tmp_path):
    os.mkdir(os.fsencode(tmp_path / "data"))
    with open(os.fsencode(tmp_path / "data") + b"/\xff", "wb"):
        pass
    with (
        file_trees.open_tree(tmp_path / "data") as tree,
        pytest.raises(SourceError, match="cannot be shown"),
    ):
        tree.names()


def make_web(path, num_folders):
    """Folders that all have links to all the others."""
    names = [chr(ord("a") + index) for index in range(num_folders)]
    for name in names:
        (path / name).mkdir(parents=True)
        for other in names:
            (path / name / other).symlink_to(f"../{other}")


def test_a_web_of_links_is_an_error(tmp_path):
    """It can be walked through in more ways than there is time for."""
    make_web(tmp_path, 12)
    with (
        file_trees.open_tree(tmp_path) as tree,
        pytest.raises(SourceError, match="in more than 32 ways"),
    ):
        tree.names()


def test_some_links_are_followed(tmp_path):
    make_web(tmp_path, 3)
    (tmp_path / "a" / "file").touch()
    with file_trees.open_tree(tmp_path) as tree:
        assert len(tree.names()) == 5
        assert {"a/file", "b/a/file", "b/c/a/file"} <= set(tree.names())

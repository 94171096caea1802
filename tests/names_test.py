"""What has a name is used, public where others use it, and stands once."""

import ast
import functools
import re

import pytest

from tests.imports_test import FILES
from tests.imports_test import ROOT
from tests.imports_test import name_of
from trainer import batches
from trainer import run_folder

RUN_FILES = {
    value: name
    for name, value in vars(run_folder).items()
    if name.isupper() and name not in ("CHECKPOINTS", "TENSORBOARD")
}
# Files of the same name that are in no run folder.
OTHER_FILES = {
    ("trainer/evaluation/report.py", "report.html"),  # A template.
    ("tuning/folder.py", "report.html"),  # The page of a search.
    ("export/web/layout.py", "settings.json"),  # Of the page.
}
# Of other libraries: a public name there is none for.
PRIVATE_OF_LIBRARIES = {"_get_ops_details"}  # LiteRT.
PRIVATE_OF_LIBRARIES |= {"_replace", "_asdict", "_fields"}  # Of namedtuple.
PRIVATE_OF_LIBRARIES |= {"_exit"}  # Of os: ends a copied process at once.
# Test files that read another one.
IMPORTS_OF_TESTS = {
    ("tests/names_test.py", "tests.imports_test"),
}


@functools.cache
def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def all_words():
    text = "\n".join(path.read_text(encoding="utf-8") for path in FILES)
    return re.findall(r"\w+", text)


def constants(path):
    """Names of public constants of a module."""
    for node in tree_of(path).body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            for part in ast.walk(node):
                is_target = isinstance(getattr(part, "ctx", None), ast.Store)
                if is_target and isinstance(part, ast.Name):
                    yield part.id


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_constants_are_used(path):
    for name in constants(path):
        if name.isupper():
            assert all_words().count(name) > 1, name


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_private_parts_are_their_own_classes(path):
    for node in ast.walk(tree_of(path)):
        if not isinstance(node, ast.Attribute) or node.attr.startswith("__"):
            continue
        owner = ast.unparse(node.value)
        if node.attr.startswith("_") and owner not in ("self", "cls"):
            assert node.attr in PRIVATE_OF_LIBRARIES, ast.unparse(node)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_of_a_run_are_named_in_one_place(path):
    if name_of(path) == "trainer/run_folder.py":
        return
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            word = node.value.lstrip("/")
            if (name_of(path), word) not in OTHER_FILES:
                assert word not in RUN_FILES, f"line {node.lineno}: {word}"


def test_the_batch_of_predictions_stands_in_one_place():
    size = str(batches.PREDICT_BATCH_SIZE)
    found = {
        name_of(path)
        for path in FILES
        if path.is_relative_to(ROOT / "trainer")
        or path.is_relative_to(ROOT / "export")
        or path.is_relative_to(ROOT / "tuning")
        for node in tree_of(path).body
        if isinstance(node, ast.Assign) and ast.unparse(node.value) == size
    }
    assert found == {"trainer/batches.py"}


def imported_modules(path):
    """What a file imports, as modules or as names of a module."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_no_test_file_imports_another():
    found = {
        (name_of(path), name)
        for path in (ROOT / "tests").rglob("*_test.py")
        for name in imported_modules(path)
        if name.startswith("tests.") and name.endswith("_test")
    }
    assert found <= IMPORTS_OF_TESTS

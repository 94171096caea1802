"""Copies of the finished run and of its export that a test may change."""

import shutil

import pytest

from tests.export import export_fixtures


@pytest.fixture
def workdir(tmp_path):
    """A finished run that a test may export into."""
    return export_fixtures.copy_workdir(tmp_path)


@pytest.fixture
def folder(tmp_path):
    """A copy of the export that a test may spoil."""
    return shutil.copytree(export_fixtures.export_folder(), tmp_path / "export")

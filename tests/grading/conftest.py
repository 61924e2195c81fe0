"""What several tests of grading are given."""

import shutil
import tempfile
from pathlib import Path

import pytest
from small_class import CELL, UNIT, ZERO, course_of

from course.grading import removal


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """A course of two lessons, released, with nobody in it."""
    return course_of(tmp_path_factory.mktemp("start"), UNIT, ZERO, CELL)


@pytest.fixture
def root(graded, tmp_path, monkeypatch):
    """A copy of the course that the module has `graded`, in which we are."""
    root = shutil.copytree(graded, tmp_path / "course")
    monkeypatch.chdir(root)
    return root


@pytest.fixture(scope="module")
def deep_folder():
    """A new folder that is removed however deep it has become: pytest's own is not."""
    folder = Path(tempfile.mkdtemp(prefix="test-of-hidden-state-"))
    yield folder
    removal.remove(folder)

"""What several tests of grading are given."""

import shutil
import tempfile
from pathlib import Path

import pytest
from small_class import CELL, UNIT, ZERO
from support import ROOT, nbgrader

from course.grading import removal


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """A course of two lessons, released, with nobody in it."""
    root = tmp_path_factory.mktemp("start")
    shutil.copytree(ROOT / "solutions" / UNIT, root / "solutions" / UNIT, ignore=lambda _, names: [name for name in names if not name.startswith((ZERO, CELL))])
    shutil.copy(ROOT / "nbgrader_config.py", root)
    nbgrader(root, "generate_assignment", UNIT)
    (root / ".hidden_seed").write_text("987654321012\n")
    return root


@pytest.fixture(scope="module")
def deep_folder():
    """A new folder that is removed however deep it has become: pytest's own is not."""
    folder = Path(tempfile.mkdtemp(prefix="test-of-hidden-state-"))
    yield folder
    removal.remove(folder)

"""What tests of several rooms are given."""

import pytest
from support import copy_course, run


@pytest.fixture(scope="session")
def rebuilt(tmp_path_factory):
    """The course, rebuilt from nothing but its sources in a folder of its own."""
    root = copy_course(tmp_path_factory.mktemp("rebuilt"), twins=False)
    for made in ("lessons.json", "quiz.json", "discussions.json"):
        (root / "course" / "learner" / made).unlink(missing_ok=True)
    done = run("course.build", "notebooks", cwd=root)
    assert done.returncode == 0, done.stderr
    return root

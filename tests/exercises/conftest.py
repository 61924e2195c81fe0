"""What several tests of answers share."""

import pytest
from waiting import LONG

from course.checks.slips import search


@pytest.fixture
def unhurried(monkeypatch):
    """What is found must not depend on how fast a processor is: a search for a cause goes on until it has found."""
    monkeypatch.setattr(search, "BUDGET", LONG)

"""To look at a tensor is never wrong, on whatever device it lives; and nothing that a judge meets is a crash of its own."""

import importlib

import pytest
import torch
from answers import looking

from course import exercises
from course.checks import report
from course.checks.examine import PUBLIC_SEED, examine

torch.set_num_threads(1)
NAMES = exercises.names()


def first_right(name):
    return importlib.import_module(f"answers.{name}").RIGHT[0]


def assert_passes(name, answer):
    verdict = examine(exercises.find(name), answer, PUBLIC_SEED)
    assert verdict.passed, report.text(verdict)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("look", looking.LOOKS, ids=lambda look: look.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_looking_is_never_wrong(name, look):
    assert_passes(name, looking.looking(first_right(name), look))
    assert not torch.is_anomaly_enabled()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_anomalies_may_be_looked_for(name):
    assert_passes(name, looking.inside_detect_anomaly(first_right(name)))
    with torch.autograd.detect_anomaly():
        assert_passes(name, first_right(name))
        assert torch.is_anomaly_enabled(), "the session stays as it was"

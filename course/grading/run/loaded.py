"""All that a worker needs, imported once for all of them: the fork server loads this, and every worker is forked from it."""

import torch

from course.checks import warm
from course.grading import quick

from .notebooks import leave, run_job

__all__ = ["leave", "quick", "run_job", "torch"]

warm.up()

"""Our own steps in nbgrader's chains. nbgrader_config.py says where each stands."""

from .feedback import HideTests
from .release import FinishRelease
from .submission import RestoreCells, TidySubmission

__all__ = ["FinishRelease", "HideTests", "RestoreCells", "TidySubmission"]

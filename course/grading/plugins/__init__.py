"""Our own steps in nbgrader's chains. nbgrader_config.py says where each stands."""

from .cleaning import CleanNotebook, CleanPage, markdown2html
from .feedback import HideTests
from .release import FinishRelease
from .submission import RestoreCells, TidySubmission

__all__ = ["CleanNotebook", "CleanPage", "FinishRelease", "HideTests", "RestoreCells", "TidySubmission", "markdown2html"]

"""What a check ends in: a verdict, or one of the errors that a notebook shows as its message alone, without our stack."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a case is made of tensors, and an error is raised without PyTorch too
    from .case import Finding


class CourseError(ValueError):
    """A call that cannot be understood."""

    def _render_traceback_(self):
        return [str(self)]


class CheckFailed(AssertionError):
    """An answer was looked at and is not right. The message is the whole report."""

    def _render_traceback_(self):
        return str(self).splitlines()


class NotAttempted(CheckFailed):
    """There is no answer to look at yet."""


@dataclass(frozen=True)
class Verdict:
    """What became of one answer: `finding` is None where every case passed; `remark`: what is worth saying of a pass."""

    exercise: str
    cases: list
    finding: "Finding | None" = None
    printed: str = ""
    remark: str = ""

    @property
    def passed(self):
        return self.finding is None

"""The instructor's part: hidden cases, and what nbgrader needs to release and to grade. Never given to students."""

from .hidden import hidden_check, hidden_quiz

__all__ = ["hidden_check", "hidden_quiz"]

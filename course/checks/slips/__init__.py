"""Slips: which one small change would make a wrong answer right? What that change mends is its cause, and a certain one."""

from .search import cause_of

__all__ = ["cause_of"]

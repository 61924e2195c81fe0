"""The laws of hidden state, for a learner's functions and for anyone's module. `laws` explains them."""

from . import laws
from .adapters import Recurrent, Started, Stepped, on
from .inputs import random_input
from .laws import ALL, check_all, chunk_law, cut_law, last_valid_law, reset_law, resume_law, row_law, step_law, zero_law
from .testing import assert_laws
from .verdict import Verdict


def card():
    """The laws on one page, each with its test of one line; `card().save()` writes it as a page to print."""
    from . import one_page  # pictures are for those who draw it

    return one_page.card()


__all__ = [
    "ALL",
    "Recurrent",
    "Started",
    "Stepped",
    "Verdict",
    "assert_laws",
    "card",
    "check_all",
    "chunk_law",
    "cut_law",
    "last_valid_law",
    "laws",
    "on",
    "random_input",
    "reset_law",
    "resume_law",
    "row_law",
    "step_law",
    "zero_law",
]

"""The laws of hidden state, for a learner's functions and for anyone's module. `laws` explains them."""

from .adapters import Recurrent, Started, Stepped
from .laws import ALL, Verdict, check_all, chunk_law, cut_law, last_valid_law, random_input, reset_law, resume_law, row_law, step_law, zero_law
from .one_page import card

__all__ = [
    "ALL",
    "Recurrent",
    "Started",
    "Stepped",
    "Verdict",
    "card",
    "check_all",
    "chunk_law",
    "cut_law",
    "last_valid_law",
    "random_input",
    "reset_law",
    "resume_law",
    "row_law",
    "step_law",
    "zero_law",
]

"""Telling 'not attempted yet' from 'wrong': does a function still have its empty body?"""


def _empty_body():
    """The body of every exercise before the learner writes in it."""


_EMPTY = _empty_body.__code__.co_code


def is_attempted(answer):
    """False for None, for `...`, and for a function whose body is nothing but its docstring (or `pass`)."""
    if answer is None or answer is ...:
        return False
    code = getattr(answer, "__code__", None)
    return code is None or code.co_code != _EMPTY

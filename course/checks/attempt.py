"""Telling 'not attempted yet' from 'wrong': does a function still have its empty body?"""

import dis

BOOKKEEPING = {"RESUME", "CACHE", "NOP"}
RAISING = {"LOAD_GLOBAL", "LOAD_CONST", "PUSH_NULL", "PRECALL", "CALL", "RAISE_VARARGS", "LOAD_COMMON_CONSTANT"}
"""What a body consists of that is no more than `raise NotImplementedError`, with or without a text."""
RETURNING = {"LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}


def is_attempted(answer):
    """False for None, for `...`, and for a function whose body is nothing but its docstring, `pass`, `...` or `raise NotImplementedError`."""
    if answer is None or answer is ...:
        return False
    try:
        code = getattr(answer, "__code__", None)
    except Exception:  # an object that does not want to be looked at is an answer all the same
        return True
    if code is None:
        return True
    body = [i for i in dis.get_instructions(code) if i.opname not in BOOKKEEPING]
    returns_none = all(i.argval is None for i in body if i.opname in {"LOAD_CONST", "RETURN_CONST"})
    if returns_none and all(i.opname in RETURNING for i in body):
        return False
    return not (code.co_names == ("NotImplementedError",) and "RAISE_VARARGS" in {i.opname for i in body} and {i.opname for i in body} <= RAISING)

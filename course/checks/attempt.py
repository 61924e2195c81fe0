"""Telling 'not attempted yet' from 'wrong': does a function still have its empty body?"""

import dis

BOOKKEEPING = {"RESUME", "CACHE", "NOP"}
RETURNING = {"LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}


def is_attempted(answer):
    """False for None, for `...`, and for a function whose body is nothing but its docstring, `pass` or `...`."""
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
    return not (returns_none and all(i.opname in RETURNING for i in body))

"""Is an answer still the code that a lesson shipped, letter by letter but for its comments? Its behaviour alone does not tell."""

import dis
import types

BOOKKEEPING = {"RESUME", "CACHE", "NOP", "EXTENDED_ARG", "PUSH_NULL", "PRECALL"}
SAME = {"LOAD_METHOD": "LOAD_ATTR"}
"""One attribute, loaded in two ways: Python picks by whether the module's name was imported in the same cell or file."""
OPENING = "Your code does what the shipped code does: "
"""How an exercise's SHIPPED_BUG begins."""


def is_same_code(one, other):
    """Do two functions, or two classes method by method, consist of the same instructions? Names of the functions, docstrings and comments do not count."""
    if isinstance(one, type) and isinstance(other, type):
        mine, theirs = _methods(one), _methods(other)
        return list(mine) == list(theirs) and all(is_same_code(mine[name], theirs[name]) for name in mine)
    codes = [getattr(each, "__code__", None) for each in (one, other)]
    return all(isinstance(code, types.CodeType) for code in codes) and _instructions(codes[0]) == _instructions(codes[1])


def _methods(cls):
    return {name: member for name, member in sorted(vars(cls).items()) if isinstance(member, types.FunctionType)}


def _instructions(code):
    return [_told(each) for each in dis.get_instructions(code) if each.opname not in BOOKKEEPING]


def _told(instruction):
    """An instruction without what depends on its place in a file."""
    value = instruction.argval
    if isinstance(value, types.CodeType):
        return instruction.opname, _instructions(value)
    if instruction.opname == "LOAD_CONST" and isinstance(value, str):
        return instruction.opname, "" if "<locals>" in value else value  # the full name of an inner function
    if instruction.is_jump_target or "JUMP" in instruction.opname or "FOR_ITER" in instruction.opname:
        return instruction.opname, None
    return SAME.get(instruction.opname, instruction.opname), repr(value)

"""Cells that look like each other, as a place to look: by the shape of their code, weighed by how rare each piece of it is in the class.

A cell is read as a row of signs in which names that it gives itself, comments, formatting, docstrings and annotations do not count. Every GRAM signs
that follow each other are a piece. A piece that many wrote says little, one that two alone wrote says much; one that was released to everybody, or
that the shipped solution has too, says nothing of two students. So a short answer that everybody writes alike does not light up.
"""

import ast
import keyword
import math
import re
from dataclasses import dataclass

import numpy as np

GRAM = 5
MOST = 20_000
"""Characters of a cell that are read."""
UNSEEN = 10
"""So many others are thought of who wrote none of this: in a class of three nothing would be rare otherwise."""
ENOUGH, LEAST, SHARE, SHARE_OF_SHIPPED = 20.0, 8.0, 0.5, 0.8
"""Bits that two must have in common in all their cells, beyond what chance gives among so many pairs, and in one cell for it to count;
and how much that is of what is rare in the two, or of the shipped solution."""
LEFT_OUT = (ast.Load, ast.Store, ast.Del, ast.expr_context)
PIECES = re.compile(r"#[^\n]*|[^\W\d]\w*|\d+(?:\.\d*)?|\"[^\"\n]*\"|'[^'\n]*'|\S")


@dataclass(frozen=True)
class Pair:
    """Two that look alike. cells: {(lesson, cell): share of what is rare in them that both have}, 0 to 1; bits: how much that is."""

    one: str
    other: str
    bits: float
    cells: dict


def pieces(source):
    """The set of pieces of a cell's code. Empty for what has no code in it."""
    signs = _signs(source[:MOST])
    return {tuple(signs[place : place + GRAM]) for place in range(len(signs) - GRAM + 1)}


def _signs(source):
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _words(source)
    own = _own_names(tree)
    found, waiting = [], [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.AST):
            found += _signs_of(node, own)
            waiting += reversed(_below(node))
    return found


def _own_names(tree):
    """The names that a cell gives: its functions, arguments and variables. What others gave, as torch, keeps its name."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.alias):
            found.add(node.asname or node.name)
    return found


def _signs_of(node, own):
    kind = type(node).__name__
    if isinstance(node, ast.Name):
        return ["_" if node.id in own else node.id]
    if isinstance(node, ast.Attribute):
        return [f".{node.attr}"]
    if isinstance(node, ast.Constant):
        return [repr(node.value)[:80]]
    if isinstance(node, ast.arg):
        return ["_"]
    if isinstance(node, ast.keyword):
        return [f"{node.arg}="]
    return [] if isinstance(node, (*LEFT_OUT, ast.arguments, ast.Module, ast.Expr)) else [kind]


def _below(node):
    """The children that count, in their order: no docstrings, no annotations."""
    found = []
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "type_comment", "type_params"):
            continue
        found += value if isinstance(value, list) else [value]
    return [each for each in found if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))]


def _words(source):
    """The same of what is no Python: its words and signs, without comments, and with one sign for all names."""
    found = [word for word in PIECES.findall(source) if not word.startswith("#")]
    return ["_" if word.isidentifier() and not keyword.iskeyword(word) else word for word in found]


# Comparing


def in_the_class(cells, released, shipped):
    """[Pair] of students, the most alike first.

    cells: {(lesson, cell): {student: source}}; released, shipped: {(lesson, cell): source}, which everybody was given, or nobody.
    """
    students = sorted({student for sources in cells.values() for student in sources})
    total, shares = np.zeros((len(students), len(students))), {}
    for cell, sources in cells.items():
        known = pieces(released.get(cell, "")) | pieces(shipped.get(cell, ""))
        bits, share = _compared({student: pieces(source) - known for student, source in sources.items()}, students)
        bits[(share < SHARE) | (bits < LEAST)] = 0
        total += bits
        shares[cell] = share * (bits > 0)
    enough = ENOUGH + math.log2(max(1, len(students) * (len(students) - 1) / 2))
    found = [(total[a, b], a, b) for a, b in zip(*np.nonzero(np.triu(total >= enough, 1)))]
    return [
        Pair(students[a], students[b], float(bits), {cell: float(share[a, b]) for cell, share in shares.items() if share[a, b]})
        for bits, a, b in sorted(found, key=lambda each: (-each[0], each[1:]))
    ]


def _compared(rare, students):
    """Two matrices, students by students: the bits that two have in common, and their share of what the two have."""
    table, weights = _table(rare, students)
    bits = (table * weights) @ table.T / GRAM
    own = np.diag(bits)
    return bits, _divided(2 * bits, own[:, None] + own[None, :])


def _table(rare, students):
    """A table of zeros and ones, students by pieces, and each piece's bits."""
    places = {piece: number for number, piece in enumerate(sorted(set().union(*rare.values(), ()), key=repr))}
    table = np.zeros((len(students), len(places)), dtype=np.float32)
    for row, student in enumerate(students):
        table[row, [places[piece] for piece in rare.get(student, ())]] = 1
    return table, _bits(table.sum(0), len(rare))


def _bits(wrote, number):
    """How much it says that two have a piece which so many of a class wrote; nothing where more than half did."""
    common = (wrote > number / 2) & (wrote > 2)
    return np.where(common, 0, np.log2((number + UNSEEN) / np.maximum(wrote, 1)))


def _divided(above, below):
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def to_the_shipped(cells, released, shipped):
    """[Pair] of a student and "" for the shipped solution, the most alike first."""
    bits, shares = {}, {}
    for cell, sources in cells.items():
        wanted = pieces(shipped.get(cell, "")) - pieces(released.get(cell, ""))
        students = sorted(sources)
        table, weights = _table({student: pieces(sources[student]) & wanted for student in students}, students)
        has = table @ weights / GRAM
        of = has + (len(wanted) - table.sum(1)) * math.log2(len(students) + UNSEEN) / GRAM
        for student, each, share in zip(students, has, _divided(has, of)):
            if share >= SHARE_OF_SHIPPED and each >= LEAST:
                bits[student] = bits.get(student, 0) + float(each)
                shares.setdefault(student, {})[cell] = float(share)
    enough = ENOUGH + math.log2(max(1, len({student for sources in cells.values() for student in sources})))
    return [Pair(student, "", each, shares[student]) for student, each in sorted(bits.items(), key=lambda item: (-item[1], item[0])) if each >= enough]

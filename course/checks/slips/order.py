"""Slips of order: two things that are swapped, an index that is one off."""

import ast
import itertools

from .source import changed, places
from .tree import node_at, quoted, spots


def order(found, seen):
    """Two arguments of a call, two operands, or two values that are returned, in the wrong order."""
    for place in spots(found.tree, lambda node: isinstance(node, ast.Call) and len(node.args) > 1):
        call = node_at(found.tree, place)
        for i, j in itertools.combinations(range(len(call.args)), 2):
            swapped = [call.args[{i: j, j: i}.get(k, k)] for k in range(len(call.args))]
            said = f"the arguments of {quoted(call)} are in the wrong order"
            yield said, changed(found.tree, {place: lambda node, new=swapped: ast.Call(node.func, new, node.keywords)})
    for place in spots(found.tree, lambda node: isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Sub, ast.Div, ast.MatMult))):
        said = f"{quoted(node_at(found.tree, place))} is the wrong way round"
        yield said, changed(found.tree, {place: lambda node: ast.BinOp(node.right, node.op, node.left)})
    for place in spots(found.tree, lambda node: isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple)):
        if len(node_at(found.tree, place).value.elts) == 2:
            said = "the two values are returned in the wrong order"
            yield said, changed(found.tree, {place: lambda node: ast.Return(ast.Tuple(node.value.elts[::-1], ast.Load()))})
    for place in spots(found.tree, lambda node: isinstance(node, (ast.For, ast.comprehension)) and isinstance(node.target, ast.Tuple)):
        if len(node_at(found.tree, place).target.elts) == 2:
            names = ast.unparse(node_at(found.tree, place).target).strip("()")
            inside = places(found.tree, lambda node: isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Store) and ast.unparse(node).strip("()") == names)  # noqa: B023
            said = f"`for {names} in ...` names the two the wrong way round"
            yield said, changed(found.tree, dict.fromkeys(inside, lambda node: ast.Tuple(node.elts[::-1], ast.Store())))


def other_name(found, seen):
    """One name where another one was meant; and two names that are swapped."""
    loaded = spots(found.tree, lambda node: isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in found.own)
    for place in loaded:
        name = node_at(found.tree, place).id
        for other in found.own:
            if other != name:
                said = f"`{name}` stands where `{other}` is meant: {_around(found.tree, place)}"
                yield said, changed(found.tree, {place: lambda node, other=other: ast.Name(other, node.ctx)})
    for one, other in itertools.combinations(found.own, 2):
        both = [place for place in loaded if node_at(found.tree, place).id in (one, other)]
        by = {one: other, other: one}
        yield f"`{one}` and `{other}` are swapped", changed(found.tree, dict.fromkeys(both, lambda node, by=by: ast.Name(by[node.id], node.ctx)))


def _around(tree, place):
    """The smallest piece of code around a name that says where it is."""
    name = node_at(tree, place)
    pieces = [node for node in ast.walk(tree) if isinstance(node, ast.expr) and node is not name and any(each is name for each in ast.walk(node))]
    return quoted(min(pieces, key=lambda node: len(ast.unparse(node)), default=name))


def steps_off(found, seen):
    """An index that is one off."""
    compared = {id(each) for node in ast.walk(found.tree) if isinstance(node, ast.Compare) for each in ast.walk(node)}
    for place in spots(found.tree, lambda node: isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and id(node) not in compared):
        node = node_at(found.tree, place)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        for i, part in enumerate(parts):
            for by in (-1, 1) if not isinstance(part, ast.Slice) else ():
                new = [*parts[:i], ast.BinOp(part, ast.Add(), ast.Constant(by)), *parts[i + 1 :]]
                index = ast.Tuple(new, ast.Load()) if isinstance(node.slice, ast.Tuple) else new[0]
                said = f"the index in {quoted(node)} is not the right one"
                yield said, changed(found.tree, {place: lambda node, index=index: ast.Subscript(node.value, index, node.ctx)})

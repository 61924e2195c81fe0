"""Slips of loops: what stands inside and belongs behind, what is kept and what is forgotten, and what does not go along."""

import ast

from .source import changed, places
from .tree import each_and_all, is_number, node_at, quoted, spots


def lost_sum(found, seen):
    """`total + loss` as a statement."""

    def is_sum(node):
        return isinstance(node, ast.Expr) and isinstance(node.value, ast.BinOp) and isinstance(node.value.left, ast.Name)

    sums = places(found.tree, is_sum)
    yield from each_and_all(
        found.tree,
        sums,
        lambda node: ast.Assign([ast.Name(node.value.left.id, ast.Store())], node.value),
        lambda node: f"{quoted(node)} makes a sum and keeps it nowhere: += adds it to `{node.value.left.id}`",
    )


def not_added(found, seen):
    """`total = loss` in a loop, where `total += loss` was meant."""
    inside = {id(each) for node in ast.walk(found.tree) if isinstance(node, (ast.For, ast.While)) for each in ast.walk(node)}
    outside = [target for node in ast.walk(found.tree) if isinstance(node, ast.Assign) and id(node) not in inside for target in node.targets]
    before = {each.id for target in outside for each in ast.walk(target) if _is_name(each)}

    def replaces(node):
        return isinstance(node, ast.Assign) and id(node) in inside and _is_name(node.targets[0]) and node.targets[0].id in before

    yield from each_and_all(
        found.tree,
        places(found.tree, replaces),
        lambda node: ast.AugAssign(node.targets[0], ast.Add(), node.value),
        lambda node: f"{quoted(node)} forgets what the steps before it gave: += adds to `{node.targets[0].id}`",
    )


def _is_name(node):
    return isinstance(node, ast.Name)


def early_return(found, seen):
    cause = "`return` stands inside the loop, which ends there at its first step: it belongs behind the loop"
    for loop in places(found.tree, lambda node: isinstance(node, (ast.For, ast.While))):
        inside = set(map(id, ast.walk(node_at(found.tree, loop))))
        for place in places(found.tree, lambda node: isinstance(node, ast.Return) and id(node) in inside):  # noqa: B023
            value = node_at(found.tree, place).value
            yield cause, changed(found.tree, {place: lambda _: ast.Pass(), loop: lambda node, value=value: [node, ast.Return(value)]})


def moved(found, seen):
    """A statement behind a loop that belongs inside it, or inside that belongs before."""
    for loop in places(found.tree, lambda node: isinstance(node, (ast.For, ast.While))):
        for place in places(found.tree, lambda node: isinstance(node, (ast.Expr, ast.Assign, ast.AugAssign))):
            loop_node, node = node_at(found.tree, loop), node_at(found.tree, place)
            if any(node is each for each in loop_node.body):
                said = f"{quoted(node)} stands inside the loop, and is done anew at every step: it belongs before the loop"
                yield said, changed(found.tree, {place: lambda _: ast.Pass(), loop: lambda loop, node=node: [node, loop]})
            elif node.lineno > loop_node.end_lineno:
                said = f"{quoted(node)} stands behind the loop, and is done once: it belongs inside, for every step"
                yield said, changed(found.tree, {place: lambda _: ast.Pass(), loop: lambda loop, node=node: _with_last(loop, node)})


def _with_last(loop, statement):
    loop.body.append(statement)
    return loop


def standing_still(found, seen):
    """`x[0]` in a loop where `x[t]` was meant, and a range that begins too late."""
    for loop in [node for node in ast.walk(found.tree) if isinstance(node, ast.For) and _is_name(node.target)]:
        inside = set(map(id, ast.walk(loop)))

        def is_fixed(node, inside=inside):
            return id(node) in inside and isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and is_number(node.slice)

        for place in spots(found.tree, is_fixed):
            said = f"{quoted(node_at(found.tree, place))} is the same at every step of the loop: `{loop.target.id}` has to pick, so that it goes along"
            yield said, changed(found.tree, {place: lambda node, loop=loop: ast.Subscript(node.value, ast.Name(loop.target.id, ast.Load()), node.ctx)})
    for place in spots(found.tree, lambda node: isinstance(node, ast.Call) and getattr(node.func, "id", "") == "range" and len(node.args) == 2):
        said = f"{quoted(node_at(found.tree, place))} leaves the first step out: range counts from 0"
        yield said, changed(found.tree, {place: lambda node: ast.Call(node.func, node.args[1:], [])})

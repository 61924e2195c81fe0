"""Slips of a whole step: one that is not kept, comes too early, is too many, cuts the graph, or has the wrong sign."""

import ast

from .source import changed, places
from .tree import called, each_and_all, expression, is_method, node_at, quoted, spots

STEPS = {"softmax", "log_softmax", "tanh", "sigmoid", "relu", "log", "exp", "round", "squeeze", "unsqueeze", "mean", "sum", "abs", "clamp", "flatten"}
STEPS |= {"Softmax", "flip", "sort", "transpose", "float", "double", "half", "long", "argmax"}
CUTTING = {"detach", "item", "tolist", "numpy", "deepcopy", "detach_"}
WORKING = {"append", "extend", "insert", "pop", "backward", "step", "zero_grad", "train", "eval", "print", "manual_seed", "update", "copy_"}
"""What is called for what it does, and not for what it returns."""


def unassigned(found, seen):
    """`h.to(dtype)` or `cell(x_t, h)` as a statement, which changes nothing by itself."""

    def is_lost(node):
        return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and called(node.value) not in WORKING and bool(targets(node))

    def targets(statement):
        """What should have been given the result: what the method is of, or one of the arguments."""
        call = statement.value
        of = [call.func.value] if isinstance(call.func, ast.Attribute) else []
        known = [each for each in [*of, *call.args] if isinstance(each, (ast.Name, ast.Subscript))]
        return [ast.unparse(each) for each in known if next((n.id for n in ast.walk(each) if isinstance(n, ast.Name)), "") in found.own]

    def cause(node):
        return f"{quoted(node)} makes a new tensor and changes nothing by itself: its result is not kept"

    where = places(found.tree, is_lost)
    for which in range(max((len(targets(node_at(found.tree, place))) for place in where), default=0)):

        def make(node, which=which):
            target = expression((targets(node) * (which + 1))[which])
            target.ctx = ast.Store()
            return ast.Assign([target], node.value)

        yield from each_and_all(found.tree, where, make, cause)


def brackets(found, seen):
    """`tanh(a) + b` for `tanh(a + b)`."""

    def closes_early(node):
        return isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)) and isinstance(node.left, ast.Call) and len(node.left.args) == 1

    for place in spots(found.tree, closes_early):
        call = node_at(found.tree, place).left
        said = f"the brackets of {quoted(call)} close too early: what is added behind it belongs inside"
        yield said, changed(found.tree, {place: lambda node: ast.Call(node.left.func, [ast.BinOp(node.left.args[0], node.op, node.right)], node.left.keywords)})


def cut(found, seen):
    """What cuts the graph: each alone, then all."""
    makes = {}
    for place, node in enumerate(ast.walk(found.tree)):
        if isinstance(node, ast.Attribute) and node.attr == "data":
            makes[place] = lambda node: node.value
        elif called(node) in CUTTING:
            makes[place] = lambda node: node.args[0] if node.args else node.func.value
        elif called(node) in ("tensor", "as_tensor", "Tensor") and node.args and seen.graded:
            makes[place] = lambda node: node.args[0]
        elif isinstance(node, ast.With) and "no_grad" in ast.unparse(node.items[0]):
            makes[place] = lambda node: node.body
    said = {place: _cutting(node_at(found.tree, place), seen) for place in makes}
    for place, make in makes.items():
        yield said[place], changed(found.tree, {place: make})
    if makes:
        yield said[min(makes)], changed(found.tree, makes)
    if getattr(found.tree, "decorator_list", ()):
        bare = changed(found.tree, {})
        bare.decorator_list = []
        yield f"`@{ast.unparse(found.tree.decorator_list[0])}` cuts the graph: no gradient comes back through it", bare


def _cutting(node, seen):
    what = "`with torch.no_grad()`" if isinstance(node, ast.With) else quoted(node)
    if not seen.learns:
        return f"{what} takes a tensor apart that is wanted as it is"
    return f"{what} cuts the graph: no gradient comes back through it"


def steps(found, seen):
    """A step that should not be there."""
    for place in spots(found.tree, lambda node: called(node) in STEPS and isinstance(node.func, ast.Attribute)):
        call = node_at(found.tree, place)
        if is_method(call) or call.args:
            said = f"{called(call)} in {quoted(call)} is one step too many"
            yield said, changed(found.tree, {place: lambda node: node.func.value if is_method(node) else node.args[0]})


def signs(found, seen):
    """+ for -, and the other way round."""
    other = {ast.Add: ast.Sub, ast.Sub: ast.Add}
    for place in spots(found.tree, lambda node: isinstance(node, ast.BinOp) and type(node.op) in other):
        node = node_at(found.tree, place)
        said = f"the sign in {quoted(node)} is the wrong one"
        yield said, changed(found.tree, {place: lambda node: ast.BinOp(node.left, other[type(node.op)](), node.right)})

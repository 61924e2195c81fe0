"""Slips of names and numbers: something of the notebook where an argument was meant, a number where a size was."""

import ast
import itertools

import torch

from .source import changed, places
from .tree import axis_numbers, expression, is_number, node_at, spots

SIZES_OF_A_LAYER = ("hidden_size", "num_layers", "input_size", "out_features", "in_features")
MOST_AT_ONCE = 200
"""Ways to put sizes in the place of several numbers at once."""


def signature(found, seen):
    function = found.tree
    if not isinstance(function, ast.FunctionDef):
        return
    names = [argument.arg for argument in function.args.args]
    if names == list(seen.args)[: len(names)]:
        return
    for i, j in itertools.combinations(range(len(names)), 2):
        first, second = (list(ast.walk(function)).index(function.args.args[k]) for k in (i, j))
        tree = changed(function, {first: lambda _, j=j: ast.arg(names[j]), second: lambda _, i=i: ast.arg(names[i])})
        yield f"the arguments come in another order: `{names[i]}` and `{names[j]}` are swapped where your function begins", tree


def captured(found, seen):
    """A value of the notebook where an argument, or something made of one, was meant."""
    for name in found.captured:
        if isinstance(found.names.get(name), (int, float)):
            where = places(found.tree, lambda node: isinstance(node, ast.Name) and node.id == name)  # noqa: B023
            for size in [size for size, own in _sizes(found, seen) if own]:
                said = f"your function uses `{name}` of the notebook: take the size from the input"
                yield said, changed(found.tree, dict.fromkeys(where, lambda _, size=size: expression(size)))
    for count in (1, 2):
        for names in itertools.combinations(found.captured, count):
            for others in itertools.permutations([name for name in found.own if name != "self"], count):
                by = dict(zip(names, others))
                where = places(found.tree, lambda node: isinstance(node, ast.Name) and node.id in by)  # noqa: B023
                tree = changed(found.tree, dict.fromkeys(where, lambda node, by=by: ast.Name(by[node.id], node.ctx)))
                yield _captured(found, by), tree
    for name in found.captured:
        for text, where in _reached(found.tree, name).items():
            for other in found.arguments + found.kept:
                yield _captured(found, {text: other}), changed(found.tree, dict.fromkeys(where, lambda _, other=other: expression(other)))


def _reached(tree, name):
    """{text: places} of what the code reaches from a name: `task.batches()`, and `task.batches`, from `task`."""
    reached = {}
    for place in places(tree, lambda node: isinstance(node, (ast.Attribute, ast.Call))):
        root = node_at(tree, place)
        while isinstance(root, (ast.Attribute, ast.Call)):
            root = root.value if isinstance(root, ast.Attribute) else root.func
        if isinstance(root, ast.Name) and root.id == name:
            reached.setdefault(ast.unparse(node_at(tree, place)), []).append(place)
    return reached


def _captured(found, by):
    said = " and ".join(f"`{name}`" for name in by)
    if any(name.isidentifier() and name not in found.names for name in by):
        return f"{said}: your function gets nothing of that name. What it is given, it calls {' and '.join(f'`{other}`' for other in by.values())}"
    return f"your function uses {said} of the notebook, not what it is given, which it calls {' and '.join(f'`{other}`' for other in by.values())}"


def sizes(found, seen):
    """A number where a size of the input was meant."""
    numbers = {}
    no_size = axis_numbers(found.tree) | set(_no_sizes(found.tree))
    for place in spots(found.tree, is_number):
        value = node_at(found.tree, place).value
        if place not in no_size and value >= 1 and value == int(value):
            numbers.setdefault(value, []).append(place)
    meant = _sizes(found, seen)
    for value, where in numbers.items():
        for some in [where] if len(where) == 1 else [where, *([place] for place in where)]:
            for size, _ in meant:
                yield _size_cause(value), changed(found.tree, dict.fromkeys(some, lambda _, size=size: expression(size)))
    own = [size for size, is_own in meant if is_own]
    for count in (2, 3):
        for some in itertools.combinations([(value, place) for value, where in numbers.items() for place in where], count):
            for several in itertools.islice(itertools.permutations(own, count), MOST_AT_ONCE):
                makes = {place: lambda _, size=size: expression(size) for (_, place), size in zip(some, several)}
                yield _size_cause(*dict.fromkeys(value for value, _ in some)), changed(found.tree, makes)


def shifted(found, seen):
    """A number taken off where the largest of what it is taken off was meant."""
    for place in places(found.tree, lambda node: isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and is_number(node.right)):
        node = node_at(found.tree, place)
        said = f"the number {node.right.value:g} is written down in your code: what it fits is numbers near {node.right.value:g} and no others"
        yield said, changed(found.tree, {place: lambda node: ast.BinOp(node.left, node.op, expression(f"_torch.amax({ast.unparse(node.left)}, -1, True)"))})


def _no_sizes(tree):
    """The places of the numbers that are no size: of a sum or a difference, of an index to 1 or 2, and every 1 but in `zeros(1, ...)`."""
    walked = list(ast.walk(tree))
    near = [each for node in walked if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)) for each in (node.left, node.right)]
    near += [node.operand for node in walked if isinstance(node, ast.UnaryOp)]
    near += [each for node in walked if isinstance(node, ast.Subscript) for each in ast.walk(node.slice) if is_number(each) and each.value <= 2]
    shaped = {id(each) for node in walked if isinstance(node, ast.Call) for each in node.args}
    ones = [node for node in walked if is_number(node) and node.value == 1 and id(node) not in shaped]
    no_sizes = set(map(id, near + ones))
    return places(tree, lambda node: id(node) in no_sizes)


def _size_cause(*values):
    said = " and ".join(f"{value:g}" for value in values)
    if len(values) > 1:
        return f"the numbers {said} are written down in your code: take the sizes from the input"
    return f"the number {said} is written down in your code: take the size from the input"


def _sizes(found, seen):
    """[(an expression for a size, is it one of an argument's own axes)]."""
    meant, given = [("-1", True)], dict(zip(found.arguments, seen.args.values()))
    for name, value in given.items():
        if isinstance(value, torch.Tensor):
            meant += [(f"{name}.shape[{axis}]", True) for axis in range(value.dim())]
        elif isinstance(value, int):
            meant.append((name, True))
        elif isinstance(value, list):
            inside = [f"sum(len(_each[1]) for _each in {name})"] if value and isinstance(value[0], tuple) else [f"len({name}[0])", f"len({name}[0][0])"]
            meant += [(size, True) for size in (f"len({name})", *inside)]
        elif isinstance(value, dict):
            meant += [(f"{name}.{size}", True) for size in SIZES_OF_A_LAYER]
    for name in found.own:
        if name not in given and name != "self":
            meant += [(f"{name}.shape[{axis}]", True) for axis in range(3)] + [(f"len({name})", False)]
            meant += [(f"{name}.{size}", False) for size in SIZES_OF_A_LAYER[:2]]
    return meant

"""Slips of shape: a wrong product, a wrong axis, several values where one was meant, a list where a tensor was."""

import ast
import itertools

from .source import changed, places
from .tree import ALONG, axis_numbers, called, each_and_all, expression, is_method, is_minus, is_number, is_shape, node_at, quoted, spots

KEEPING = {"sum", "mean", "amax", "amin", "max", "min", "logsumexp"}
SEVERAL = {"max", "min", "median", "mode", "sort", "topk", "kthvalue"}


def operators(found, seen):
    """`*` for `@`, and the other way round."""
    times = spots(found.tree, lambda node: isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult))
    for turned_round in (lambda right: right, lambda right: ast.Attribute(right, "T", ast.Load())):
        yield from each_and_all(
            found.tree,
            times,
            lambda node, turn=turned_round: ast.BinOp(node.left, ast.MatMult(), turn(node.right)),
            lambda node: f"{quoted(node)} multiplies number by number: a product of matrices is written with @",
        )
    products = spots(found.tree, lambda node: isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult))
    yield from each_and_all(
        found.tree,
        products,
        lambda node: ast.BinOp(node.left, ast.Mult(), node.right),
        lambda node: f"{quoted(node)} is a product of matrices: number by number is written with *",
    )


def turned(found, seen):
    """A product of matrices with one of its factors, or the whole of it, turned round, or with a .T too many."""

    def flip(node):
        return node.value if isinstance(node, ast.Attribute) and node.attr == "T" else ast.Attribute(node, "T", ast.Load())

    ways = (
        (lambda a, b: flip(ast.BinOp(a, ast.MatMult(), b)), "{} has the batch in its columns: turn the product round, or write the batch first"),
        (lambda a, b: ast.BinOp(a, ast.MatMult(), flip(b)), "in {} the second factor is to be read the other way round: .T"),
        (lambda a, b: ast.BinOp(flip(a), ast.MatMult(), b), "in {} the first factor is to be read the other way round: .T"),
        (lambda a, b: ast.BinOp(b, ast.MatMult(), a), "the factors of {} are swapped"),
        (lambda a, b: ast.BinOp(b, ast.MatMult(), flip(a)), "the factors of {} are swapped: the batch comes first"),
    )
    products = spots(found.tree, lambda node: isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult))
    for way, said in ways:
        yield from each_and_all(found.tree, products, lambda node, way=way: way(node.left, node.right), lambda node, said=said: said.format(quoted(node)))


def axes(found, seen):
    """Another axis, or an axis that was not asked for or not kept."""
    for place in spots(found.tree, lambda node: called(node) in ALONG):
        call = node_at(found.tree, place)
        said = f"{quoted(call)} runs along the wrong axis"
        for other in _other_axes(call):
            yield said, changed(found.tree, {place: lambda _, other=other: other})
    yield from _kept_axes(found)
    yield from _bare_squeeze(found)
    yield from _other_index(found)


def _kept_axes(found):
    """A sum, a mean, a largest whose axis was not asked for, or not kept."""
    keep = [ast.keyword("keepdim", ast.Constant(True))]
    for place in spots(found.tree, lambda node: called(node) in KEEPING):
        call = node_at(found.tree, place)
        tensors = 0 if is_method(call) else 1
        given = len(call.args) + len(call.keywords)
        if given > tensors:
            said = f"{quoted(call)} takes the axis away, and what is left does not line up: keepdim=True keeps it"
            yield said, changed(found.tree, {place: lambda node: ast.Call(node.func, node.args, node.keywords + keep)})
        for axis in (-1, 0):
            dim = [ast.keyword("dim", ast.Constant(axis))]
            if len(call.args) == tensors and not call.keywords:
                said = f"{quoted(call)} runs over the whole tensor: it wants one axis, and keepdim=True to line up"
                for more in (dim + keep, dim):
                    yield said, changed(found.tree, {place: lambda node, more=more: ast.Call(node.func, node.args, more)})
            elif given == tensors + 1:
                said = f"{quoted(call)} runs along the wrong axis, and takes it away: keepdim=True keeps it"
                yield said, changed(found.tree, {place: lambda node, more=dim + keep, tensors=tensors: ast.Call(node.func, node.args[:tensors], more)})


def _bare_squeeze(found):
    for place in spots(found.tree, lambda node: called(node) == "squeeze" and not node.args and not node.keywords):
        said = f"{quoted(node_at(found.tree, place))} takes off every axis of size 1, a batch of one too: say which axis"
        for axis in (0, 1, -1):
            yield said, changed(found.tree, {place: lambda node, axis=axis: ast.Call(node.func, [ast.Constant(axis)], [])})


def _other_axes(call):
    """The same call along every other axis."""
    numbers = [place for place in places(call, lambda node: is_number(node) or is_minus(node)) if place in axis_numbers(call)]
    minus = [place for place in numbers if is_minus(node_at(call, place))]
    inner = {id(node_at(call, place).operand) for place in minus}
    numbers = [place for place in numbers if id(node_at(call, place)) not in inner]
    for place, axis in itertools.product(numbers if len(numbers) == 1 or called(call) == "flatten" else (), (-1, 0, 1, 2, -2)):
        yield changed(call, {place: lambda _, axis=axis: ast.Constant(axis)})
    if len(numbers) in (2, 3):
        for pair in itertools.permutations((0, 1, 2), len(numbers)):
            yield changed(call, {place: lambda _, axis=axis: ast.Constant(axis) for place, axis in zip(numbers, pair)})
    if not numbers and called(call) in ("softmax", "log_softmax", "Softmax", "LogSoftmax", "argmax", "stack", "cat"):
        yield ast.Call(call.func, call.args, [*call.keywords, ast.keyword("dim", ast.Constant(-1))])


def _other_index(found):
    """`x[:, -1]` for `x[-1]`, and the other way round."""
    for place in spots(found.tree, lambda node: isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)):
        node = node_at(found.tree, place)
        said = f"{quoted(node)} picks along the wrong axis"
        if is_shape(node.value):
            continue
        if isinstance(node.slice, ast.Tuple) and isinstance(node.slice.elts[0], ast.Slice) and len(node.slice.elts) == 2:
            yield said, changed(found.tree, {place: lambda node: ast.Subscript(node.value, node.slice.elts[1], node.ctx)})
        elif not isinstance(node.slice, (ast.Tuple, ast.Slice)):
            whole = ast.Tuple([ast.Slice(), node.slice], ast.Load())
            yield said, changed(found.tree, {place: lambda node, whole=whole: ast.Subscript(node.value, whole, node.ctx)})


def several(found, seen):
    """What gives several values where one was meant."""
    for place in spots(found.tree, lambda node: called(node) in SEVERAL):
        for which in ("values", "indices"):
            said = f"{quoted(node_at(found.tree, place))} gives two things, the values and their places: .{which} is missing"
            yield said, changed(found.tree, {place: lambda node, which=which: ast.Attribute(node, which, ast.Load())})
    for place in spots(found.tree, _calls_a_layer):
        said = f"{quoted(node_at(found.tree, place))} gives several values: pick the one that is meant"
        for which in (0, 1):
            yield said, changed(found.tree, {place: lambda node, which=which: ast.Subscript(node, ast.Constant(which), ast.Load())})


def not_made(found, seen):
    """`nn.CrossEntropyLoss(logits, y)`: a layer that is made where one was to be called."""
    for place in spots(found.tree, lambda node: isinstance(node, ast.Call) and (called(node) or "")[:1].isupper() and len(node.args) > 0):
        said = f"{quoted(node_at(found.tree, place))} makes a layer, and calls none: {ast.unparse(node_at(found.tree, place).func)}() makes one, and that takes the tensors"
        yield said, changed(found.tree, {place: lambda node: ast.Call(ast.Call(node.func, [], node.keywords), node.args, [])})


def reductions(found, seen):
    """amin for amax, mean for sum."""
    said = {"min": "smallest", "amin": "smallest", "max": "largest", "amax": "largest", "mean": "mean", "sum": "sum"}
    for place in spots(found.tree, lambda node: called(node) in said and isinstance(node.func, ast.Attribute)):
        mine = called(node_at(found.tree, place))
        for other in [name for name in ("amax", "amin", "mean", "sum") if said[name] != said[mine]]:
            cause = f"{quoted(node_at(found.tree, place))} takes the {said[mine]}, where the {said[other]} is wanted"
            yield cause, changed(found.tree, {place: lambda node, other=other: _with_name(node, other)})


def _with_name(call, name):
    return ast.Call(ast.Attribute(call.func.value, name, ast.Load()), call.args, call.keywords)


def _calls_a_layer(node):
    """Is what is called a name of its own, or something that `self` holds?"""
    return isinstance(node, ast.Call) and (isinstance(node.func, ast.Name) or getattr(getattr(node.func, "value", None), "id", "") == "self")


def lists(found, seen):
    """A list where a tensor was meant, and torch.cat for torch.stack."""
    where = []
    for node in ast.walk(found.tree) if "list" in seen.kinds else ():
        if isinstance(node, ast.Return) and node.value is not None:
            where += node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
    where = spots(found.tree, lambda node: any(node is each for each in where))
    ways = {
        "_torch.stack({})": "torch.stack lays its tensors along a new axis",
        "_torch.cat({})": "torch.cat joins its tensors along an axis that they have",
        "_torch.cat({}, 1)": "torch.cat joins its tensors along an axis that they have",
        "_torch.stack({}, 1)": "torch.stack lays its tensors along a new axis",
        "_torch.tensor({}, dtype=_torch.float32)": "torch.tensor makes a tensor of numbers in lists",
        "_torch.tensor({})": "torch.tensor makes a tensor of numbers in lists",
    }
    for way, said in ways.items():
        for place in where:
            wrapped = expression(way.format(ast.unparse(node_at(found.tree, place))))
            yield f"{quoted(node_at(found.tree, place))} is a list: {said}", changed(found.tree, {place: lambda _, wrapped=wrapped: wrapped})
    for place in spots(found.tree, lambda node: called(node) in ("tensor", "as_tensor", "Tensor") and len(node.args) > 0):
        said = f"{quoted(node_at(found.tree, place))} copies numbers, and cuts the graph: torch.stack joins a list of tensors"
        yield said, changed(found.tree, {place: lambda node: expression(f"_torch.stack({ast.unparse(node.args[0])})")})
    other = {"cat": "stack", "concat": "stack", "stack": "cat", "vstack": "stack", "hstack": "stack"}
    said = {
        "stack": "torch.cat joins along an axis that is there already: torch.stack makes a new one",
        "cat": "torch.stack makes a new axis: torch.cat joins along one that is there",
    }
    for place in spots(found.tree, lambda node: isinstance(node, ast.Attribute) and node.attr in other):
        instead = other[node_at(found.tree, place).attr]
        yield said[instead], changed(found.tree, {place: lambda node, instead=instead: ast.Attribute(node.value, instead, node.ctx)})


def _is_backwards(index):
    return isinstance(index, ast.Slice) and index.step is not None and is_minus(index.step)


def indices(found, seen):
    """An index that should not be there."""
    for place in spots(found.tree, lambda node: isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)):
        said = f"the index in {quoted(node_at(found.tree, place))} takes something away that is still needed"
        if _is_backwards(node_at(found.tree, place).slice):
            said = f"{quoted(node_at(found.tree, place))} turns the order round"
        if not is_shape(node_at(found.tree, place).value):
            yield said, changed(found.tree, {place: lambda node: node.value})

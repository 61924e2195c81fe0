"""Looking at a syntax tree: what a node is, where nodes stand, how a piece of code is quoted."""

import ast
import itertools

from .source import changed, places

ALONG = {"sum", "mean", "softmax", "log_softmax", "argmax", "argmin", "max", "min", "amax", "amin", "logsumexp", "cumsum", "stack", "cat", "unsqueeze"}
ALONG |= {"squeeze", "flatten", "transpose", "swapaxes", "permute", "flip", "Softmax", "LogSoftmax", "std", "norm"}
"""What runs along an axis, or moves one."""


def spots(tree, wanted):
    """As `places`, but for conditions: what is asked there is hardly ever a slip, and a change of it can be right by accident."""
    tests = [node.test for node in ast.walk(tree) if isinstance(node, (ast.If, ast.IfExp, ast.While, ast.Assert))]
    tests += [test for node in ast.walk(tree) if isinstance(node, ast.comprehension) for test in node.ifs]
    asked = {id(node) for test in tests for node in ast.walk(test)}
    return places(tree, lambda node: id(node) not in asked and wanted(node))


def quoted(node):
    text = " ".join(ast.unparse(node).split())
    return f"`{text if len(text) <= 60 else text[:57] + '...'}`"


def node_at(tree, place):
    return next(itertools.islice(ast.walk(tree), place, None))


def expression(text):
    return ast.parse(text, mode="eval").body


def called(node):
    """The last part of the name of what is called: "sum" for `x.sum(0)` and for `torch.sum(x, 0)`."""
    if not isinstance(node, ast.Call):
        return None
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)


def is_method(call):
    """`x.sum(0)`, and not `torch.sum(x, 0)` or `F.softmax(x, 0)`: is what it is called on a tensor, and no module of PyTorch?"""
    on = getattr(call.func, "value", None)
    return on is not None and getattr(on, "id", getattr(on, "attr", "")) not in ("torch", "F", "functional", "nn")


def is_number(node):
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def is_minus(node):
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and is_number(node.operand)


def axis_numbers(tree):
    """The places of the numbers that say along which axis."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    axis = [keyword.value for call in calls for keyword in call.keywords if keyword.arg in ("dim", "axis", "dims", "start_dim", "end_dim", "dim0", "dim1")]
    axis += [argument for call in calls if called(call) in ALONG for argument in call.args]
    axis += [each for several in axis if isinstance(several, (ast.Tuple, ast.List)) for each in several.elts]
    numbers = {id(node) for each in axis if is_number(each) or is_minus(each) for node in ast.walk(each)}
    return set(places(tree, lambda node: is_number(node) and id(node) in numbers)) | set(places(tree, lambda node: is_minus(node) and id(node) in numbers))


def is_shape(node):
    return isinstance(node, ast.Attribute) and node.attr == "shape" or called(node) == "size"


def each_and_all(tree, found, make, cause):
    """The change at each of some places alone, then at all of them."""
    for place in found:
        yield cause(node_at(tree, place)), changed(tree, {place: make})
    if len(found) > 1:
        yield cause(node_at(tree, found[0])), changed(tree, dict.fromkeys(found, make))

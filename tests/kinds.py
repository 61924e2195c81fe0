"""Wrong answers by kinds: right answers with one slip made in them.

A kind is a function: a Definition of a right answer and what its first cases hold go in, pairs (tree, names around it) come out. What is
made has a source that can be read, as in a notebook. A slip may make no difference: that is for whoever plays it to see.
"""

import ast
import copy
import itertools
import linecache

import torch

from course import exercises
from course.checks.slips.source import changed, definition, places
from course.checks.slips.tree import axis_numbers, is_minus, is_number, node_at

NUMBER = itertools.count()


def made(tree, names):
    """The answer that a tree makes, with a source of its own."""
    source = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
    file = f"<made {next(NUMBER)}>"
    linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file
    names = dict(names)
    exec(compile(source, file, "exec"), names)
    return names[tree.name]


def given(name, place=1):
    """What a case hands to the answer, by position: tensors, layers, lists."""
    module, kept = exercises.find(name), []

    def keep(*arguments):
        kept.append([each.detach().clone() if isinstance(each, torch.Tensor) else copy.deepcopy(each) for each in arguments])

    module.play(keep, module.cases(0)[place])
    return kept[0]


def written_down_size(found, name):
    """The first axis of an argument is cut to the size that it has in one case; and sizes that are asked for are written down."""
    for case in (0, 1):
        values = dict(zip(found.arguments, given(name, case)))
        for argument, value in values.items():
            if isinstance(value, torch.Tensor) and value.dim() and len(value) > 2:
                first = ast.parse(f"{argument} = {argument}[:{len(value)}]").body
                yield _with_first(found.tree, first), found.names
        for place in places(
            found.tree, lambda node: isinstance(node, (ast.Subscript, ast.Call)) and ("shape" in ast.unparse(node) or "len" in ast.unparse(node))
        ):
            try:
                size = eval(ast.unparse(node_at(found.tree, place)), {**found.names, **values})
            except Exception:
                continue
            if type(size) is int and size > 2:
                yield changed(found.tree, {place: lambda _, size=size: ast.Constant(size)}), found.names
        for argument, value in values.items():
            if type(value) is int and value > 2:
                where = places(found.tree, lambda node: isinstance(node, ast.Name) and node.id == argument)  # noqa: B023
                yield changed(found.tree, dict.fromkeys(where, lambda _, value=value: ast.Constant(value))), found.names


def captured_global(found, name):
    """What is called with is not what is used: that lies about in the notebook."""
    if isinstance(found.tree, ast.FunctionDef):
        for argument, value in zip(found.arguments, given(name)):
            if any(isinstance(node, ast.Name) and node.id == argument and isinstance(node.ctx, ast.Store) for node in ast.walk(found.tree)):
                continue
            where = places(found.tree, lambda node: isinstance(node, ast.arg) and node.arg == argument)[:1]  # noqa: B023
            yield changed(found.tree, {where[0]: lambda _, argument=argument: ast.arg(f"{argument}_given")}), {**found.names, argument: value}


def wrong_operator(found, name):
    for place in places(found.tree, lambda node: isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)):
        yield changed(found.tree, {place: lambda node: ast.BinOp(node.left, ast.Mult(), node.right)}), found.names


def wrong_axis(found, name):
    for place in axis_numbers(found.tree):
        node = node_at(found.tree, place)
        if is_minus(node) or is_number(node):
            for axis in (0, 1, -1):
                yield changed(found.tree, {place: lambda _, axis=axis: ast.Constant(axis)}), found.names


def early_return(found, name):
    for body in [node.body for node in ast.walk(found.tree) if isinstance(node, ast.FunctionDef)]:
        for loop, after in itertools.pairwise(body):
            if isinstance(loop, ast.For) and isinstance(after, ast.Return):
                where = places(found.tree, lambda node: node is loop)[0], places(found.tree, lambda node: node is after)[0]  # noqa: B023
                last = copy.deepcopy(after)
                makes = {where[0]: lambda node, last=last: ast.For(node.target, node.iter, [*node.body, last], []), where[1]: lambda _: ast.Pass()}
                yield changed(found.tree, makes), found.names


def swapped_arguments(found, name):
    if isinstance(found.tree, ast.FunctionDef):
        names = [argument.arg for argument in found.tree.args.args]
        for i, j in itertools.combinations(range(len(names)), 2):
            order = [names[{i: j, j: i}.get(k, k)] for k in range(len(names))]
            tree = copy.deepcopy(found.tree)
            tree.args.args = [ast.arg(each) for each in order]
            yield tree, found.names


def unassigned_method(found, name):
    """`made.squeeze(0)` as a statement, where its result was returned."""
    for place in places(
        found.tree, lambda node: isinstance(node, ast.Return) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute)
    ):
        call = node_at(found.tree, place).value
        if getattr(call.func.value, "id", "") in ("torch", "F", "nn") or getattr(call.func.value, "attr", "") in ("functional", "func"):
            continue

        def apart(node):
            method = ast.Call(ast.Attribute(ast.Name("made", ast.Load()), node.value.func.attr, ast.Load()), node.value.args, node.value.keywords)
            store = ast.Assign([ast.Name("made", ast.Store())], node.value.func.value)
            return [store, ast.Expr(method), ast.Return(ast.Name("made", ast.Load()))]

        yield changed(found.tree, {place: apart}), found.names


def cut_graph(found, name):
    module = exercises.find(name)
    for argument, (known, value) in zip(found.arguments, module.cases(0)[0].args.items()):
        if known in getattr(module, "GRADS", ()) and isinstance(value, torch.Tensor):
            yield _with_first(found.tree, ast.parse(f"{argument} = {argument}.detach()").body), found.names


def _with_first(tree, statements):
    tree = copy.deepcopy(tree)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)] if isinstance(tree, ast.ClassDef) else [tree]
    function = next((each for each in functions if each.name in ("__init__", tree.name)), functions[0])
    documented = bool(ast.get_docstring(function))
    function.body = [*function.body[:documented], *statements, *function.body[documented:]]
    return tree


KINDS = {
    written_down_size: ("written down",),
    captured_global: ("of the notebook",),
    wrong_operator: ("number by number",),
    wrong_axis: ("axis", "axes", "dim"),
    early_return: ("inside the loop",),
    swapped_arguments: ("swapped", "in another order", "in the wrong order", "the wrong way round"),
    unassigned_method: ("is not kept",),
    cut_graph: ("cuts the graph", "graph is cut", "detached"),
}
"""{kind: words, one of which a message holds}"""


def wrong_ones(name, kind, answers, most):
    """At most so many different wrong answers of a kind, of all the right ones by turns."""
    each, seen, found = [], set(), []
    for answer in answers:
        known = definition(answer)
        if known:
            each.append(kind(known, name))
    while each and len(found) < most:
        for one in list(each):
            tree, names = next(one, (None, None))
            if tree is None:
                each.remove(one)
            elif (text := ast.unparse(ast.fix_missing_locations(tree))) not in seen and len(found) < most:
                seen.add(text)
                found.append(made(tree, names))
    return found

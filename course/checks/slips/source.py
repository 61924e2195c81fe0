"""The source of an answer as a syntax tree, and an answer made of a tree that was changed."""

import ast
import builtins
import copy
import inspect
import linecache
import types
import warnings

import torch
from torch import nn


class Definition:
    """The `def` or `class` of an answer. tree: its syntax tree; names: what the names in it mean that it does not define itself."""

    def __init__(self, tree, names):
        self.tree, self.names = tree, names
        walked = list(ast.walk(tree))
        arguments = [node for node in walked if isinstance(node, ast.arg)]
        stored = [node.id for node in walked if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)]
        self.own = list(dict.fromkeys([argument.arg for argument in arguments] + stored))
        inside = {node.name for node in walked if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
        used = dict.fromkeys(node.id for node in walked if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))
        self.captured = [name for name in used if name not in self.own and name not in inside and self._is_captured(name)]

    def _is_captured(self, name):
        """Is it a value of the notebook, or nothing at all? Functions, classes and modules of Python are there to be used."""
        if hasattr(builtins, name) or name.startswith("__"):
            return False
        value = self.names.get(name)
        return isinstance(value, nn.Module) or not (callable(value) or isinstance(value, (types.ModuleType, str, bool)))

    @property
    def arguments(self):
        """The names of what the answer is called with, in their order."""
        function = self.tree
        if isinstance(function, ast.ClassDef):
            function = next((node for node in function.body if isinstance(node, ast.FunctionDef) and node.name == "__init__"), None)
            return [argument.arg for argument in function.args.args[1:]] if function else []
        return [argument.arg for argument in [*function.args.posonlyargs, *function.args.args]]

    @property
    def kept(self):
        """What a class keeps in `self`, as expressions."""
        stored = [node for node in ast.walk(self.tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)]
        return list(dict.fromkeys(ast.unparse(node) for node in stored))

    def build(self, tree=None, **names):
        """The answer that a tree makes, in a copy of the names around it, of which some may be other ones."""
        tree = tree or self.tree
        around = {**self.names, **names, "_torch": torch}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(ast.fix_missing_locations(ast.Module([tree], [])), "<another way to write it>", "exec", dont_inherit=True), around)
        return around[tree.name]


def definition(answer):
    """The Definition of a function or a class, or None where there is no source to read."""
    try:
        functions = [value for value in vars(answer).values() if inspect.isfunction(value)] if inspect.isclass(answer) else [inspect.unwrap(answer)]
        code = functions[0].__code__
        kind = ast.ClassDef if inspect.isclass(answer) else ast.FunctionDef
        name = answer.__name__ if inspect.isclass(answer) else code.co_name
        lines = "".join(linecache.getlines(code.co_filename))
        found = [node for node in ast.walk(ast.parse(lines)) if isinstance(node, kind) and node.name == name and _holds(node, code.co_firstlineno)]
        return Definition(_bare(found[-1]), _around(functions))
    except Exception:  # it was not written in Python, or not where it could be read
        return None


def _bare(tree):
    """Without decorators, which may do more than decorate, but for those that cut the graph."""
    tree.decorator_list = [each for each in tree.decorator_list if "no_grad" in ast.unparse(each) or "inference_mode" in ast.unparse(each)]
    return tree


def _holds(node, line):
    if isinstance(node, ast.FunctionDef):
        return line == min([node.lineno, *(each.lineno for each in node.decorator_list)])
    return node.lineno <= line <= node.end_lineno


def _around(functions):
    names = dict(functions[0].__globals__)
    for function in functions:
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
            if name != "__class__":
                names[name] = cell.cell_contents
    return names


def places(tree, wanted):
    """The places of all nodes that are wanted, as `changed` takes them."""
    return [place for place, node in enumerate(ast.walk(tree)) if wanted(node)]


def changed(tree, changes):
    """A copy of the tree. changes: {place: function of the node there -> the node, or the list of statements, in its place}."""
    tree = copy.deepcopy(tree)
    nodes = list(ast.walk(tree))
    return _Change({id(nodes[place]): make for place, make in changes.items()}).visit(tree)


class _Change(ast.NodeTransformer):
    def __init__(self, makes):
        self.makes = makes

    def visit(self, node):
        make = self.makes.get(id(node))
        node = self.generic_visit(node)
        return make(node) if make else node

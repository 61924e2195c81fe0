"""A package that is not there costs its own import and what uses it, and no more: the rest of the cell runs. Inside the sandbox."""

import ast
import re

MOST = 50
"""How many statements of one cell may be left out."""
NOTE = "(left out: {what}. The rest of the cell goes on.)\n"
NO_NAME = re.compile(r"cannot import name '(\w+)'")


class Imports:
    """What a session could not import. lost: the names that are not there for it; left_out: the packages, each once."""

    def __init__(self, namespace):
        self.namespace, self.lost, self.left_out = namespace, set(), []

    def without(self, source, error):
        """(what is left to run of a cell, a note on what is not), or None where the error is no import's.

        source: the cell as Python; error: what it raised. What has run before is left out too: it has run.
        """
        line = self._line(error)
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        if isinstance(error, ImportError):
            return self._without_import(source, tree, line, error)
        if isinstance(error, NameError) and error.name in self.lost:
            statement = next((each for each in tree.body if _covers(each, line)), None)
            return statement and (_rest(source, statement, statement, "pass"), NOTE.format(what=f"line {line}, which uses `{error.name}`"))
        return None

    def _without_import(self, source, tree, line, error):
        places = [(top, node) for top in tree.body if _covers(top, line) for node in ast.walk(top) if isinstance(node, (ast.Import, ast.ImportFrom))]
        found = next(((top, node) for top, node in places if _covers(node, line)), None)
        if found is None:
            return None
        top, node = found
        kept = _others(node, error)
        gone = [alias for alias in node.names if alias not in kept]
        self.lost.update((alias.asname or alias.name).split(".")[0] for alias in gone)
        unknown = NO_NAME.match(str(error))
        name = _short(f"{unknown[1]} of {error.name}" if unknown else error.name or error)
        self.left_out += [name] if name not in self.left_out else []
        why = f"there is no {name} while a notebook is graded" if isinstance(error, ModuleNotFoundError) else _short(error)
        what = f"`{_short(ast.unparse(_like(node, gone)))}`: {why}"
        return _rest(source, top, node, ast.unparse(_like(node, kept)) if kept else "pass"), NOTE.format(what=what)

    def _line(self, error):
        """The line of the cell itself where it went wrong."""
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_globals is self.namespace:
                return trace.tb_lineno
            trace = trace.tb_next
        return 0


def _others(node, error):
    """The names of an import that are not what failed."""
    if isinstance(node, ast.Import):
        missing = (error.name or "").split(".")[0]
        return [alias for alias in node.names if missing and alias.name.split(".")[0] != missing]
    unknown = NO_NAME.match(str(error))
    return [alias for alias in node.names if unknown and alias.name != unknown[1]]


def _like(node, names):
    return ast.Import(names) if isinstance(node, ast.Import) else ast.ImportFrom(node.module, names, node.level)


def _covers(node, line):
    return min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))]) <= line <= node.end_lineno


def _rest(source, top, node, instead):
    """A cell from the statement `top` on, with something else in the place of a node in it. Lines keep their numbers."""
    lines = source.encode().split(b"\n")
    first, last = node.lineno - 1, node.end_lineno - 1
    before, after = lines[first][: node.col_offset], lines[last][node.end_col_offset :]
    lines[first : last + 1] = [before + instead.encode() + after, *[b""] * (last - first)]
    start = min([top.lineno, *(each.lineno for each in getattr(top, "decorator_list", ()))]) - 1
    if node is top:  # what stands before it on the same line has run
        lines[first] = lines[first][node.col_offset :]
        if start < first:
            lines[start:first] = [b""] * (first - start)
    elif top.col_offset and start == top.lineno - 1:
        lines[start] = lines[start][top.col_offset :]
    return b"\n".join([b"pass", *[b""] * (start - 1)][:start] + lines[start:]).decode()  # IPython drops empty lines at the beginning


def _short(text):
    return " ".join(str(text).split())[:100]

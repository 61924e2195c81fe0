"""The student's other lessons that a notebook calls with %run. They lie beside it, without what is graded in them."""

import re

import nbformat

CALL = re.compile(r"^[ \t]*%run[ \t][^\n]*?([^/\s'\"]+)\.ipynb['\"]?[ \t]*$", re.MULTILINE)


def run_by(lesson, notebooks):
    """{file name: bytes} of the lessons that this one calls, and that these call in turn; never the lesson itself.

    notebooks: {lesson: cells as a job has them}, in which a graded cell has no source.
    """
    found, todo = {}, [lesson]
    while todo:
        for name in _called(notebooks[todo.pop()]):
            if name in notebooks and name != lesson and name not in found:
                found[name] = _open_cells(notebooks[name])
                todo.append(name)
    return {f"{name}.ipynb": data for name, data in sorted(found.items())}


def _called(cells):
    return [name for cell in cells if cell["type"] == "code" and not cell.get("call") and "%run" in cell["source"] for name in CALL.findall(cell["source"])]


def _open_cells(cells):
    sources = [cell["source"] for cell in cells if cell["type"] == "code" and not cell.get("call")]
    made = [nbformat.v4.new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(sources)]
    return nbformat.writes(nbformat.v4.new_notebook(cells=made)).encode()

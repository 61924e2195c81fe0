"""Nothing in a student's notebook runs in the browser of whoever grades, or reads feedback."""

from html import escape

from jinja2 import pass_context
from nbgrader.preprocessors import NbGraderPreprocessor

from course.grading.intake import clean, markup

NAMES = ("student", "last_name", "first_name", "notebook_path", "notebook_id", "assignment_id")


def _in_its_place(page):
    """HTML that draws nothing outside of its cell, whatever its styles say. The card of laws gets back its style element, the one of which we know that it is ours."""
    rule = ""
    if "hidden-state-laws" in page:
        from course.laws.one_page import STYLE as rule  # with it comes PyTorch, which takes a second

    return f'<div style="contain:layout paint;overflow:auto">{rule}{page}</div>' if rule or " style=" in page else page


class CleanNotebook(NbGraderPreprocessor):
    """Takes out of a notebook what a browser would run. In both chains of Autograde: what goes into autograded/ is clean."""

    def preprocess(self, nb, resources):
        gone = clean.notebook(nb)
        if gone:
            self.log.warning("What a browser would run or fetch was taken out of %s", f"{len(gone)} cells" if len(gone) > 1 else "a cell")
        return nb, resources


class CleanPage(NbGraderPreprocessor):
    """The last step before a page is written, in feedback and in Formgrader: also what came into autograded/ by another way is clean."""

    def preprocess(self, nb, resources):
        clean.notebook(nb)
        for name in NAMES:
            if isinstance(resources.get(name), str):
                resources[name] = escape(resources[name])
        for output in (output for cell in nb.cells for output in cell.get("outputs", [])):
            if "text/html" in output.get("data", {}):
                output.data["text/html"] = _in_its_place(output.data["text/html"])
        return nb, resources


@pass_context
def markdown2html(context, source):
    """nbconvert's filter of this name, cleaned: of cells, of outputs, and of the comments of whoever grades."""
    return _in_its_place(markup.page(source, context.get("cell", {}).get("attachments")))

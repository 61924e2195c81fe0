"""Nothing in a student's notebook runs in the browser of whoever grades, or reads feedback."""

from html import escape

from jinja2 import pass_context
from nbgrader.preprocessors import NbGraderPreprocessor

from course.grading.intake import clean, markup

NAMES = ("student", "last_name", "first_name", "notebook_path", "notebook_id", "assignment_id")
# Whatever a style in a cell says, it is drawn within that cell. The last rule is that of course.laws.one_page.
CSS = """
div.output_subarea, div.text_cell_render, div.input_area { contain: layout paint; }
.hidden-state-laws td:last-child { font-family: monospace; }
"""


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
        inlining = resources.setdefault("inlining", {})
        inlining["css"] = [*(css for css in inlining.get("css", []) if css != CSS), CSS]
        return nb, resources


@pass_context
def markdown2html(context, source):
    """nbconvert's filter of this name, cleaned: of cells, of outputs, and of the comments of whoever grades."""
    return markup.page(source, context.get("cell", {}).get("attachments"))

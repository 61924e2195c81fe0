"""Is there something to read in a cell that is graded by hand? What was only emptied or moved about is not."""

import re

ADDED = re.compile(r"This cell \(id:.*?\) was missing from the submission\. It was added back by nbgrader\.")


def written(notebook, given):
    """The grade ids of the cells in which the student has written. given: {grade_id: the text as it was released} of those graded by hand."""
    found = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source for cell in notebook.cells}
    return {name for name, text in given.items() if name in found and _adds(found[name], text)}


def _adds(text, given):
    mine, theirs = (" ".join(each.split()) for each in (ADDED.sub("", text), given))
    return any(sign.isalnum() for sign in mine.replace(theirs, "", 1)) if theirs else any(sign.isalnum() for sign in mine)

"""Is a function the one that its cell shows? A cell with a SyntaxError defines nothing, and the function from before goes on being judged."""

import inspect
import re
import sys


def get_ipython():
    """IPython's session, or None. Where no session has loaded IPython, it is not loaded to be asked."""
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


def stale(written):
    """A sentence if the cell with `def <written>` or `class <written>` that was run last has a SyntaxError; else ""."""
    session = get_ipython()
    for cell in reversed(session.user_ns.get("In", []) if session else []):
        found = re.search(rf"^(def|class)\s+{re.escape(written)}\b", cell, flags=re.MULTILINE)
        if not found:
            continue
        try:
            compile(session.transform_cell(cell), "<cell>", "exec")
        except SyntaxError as error:
            what = "class" if found[1] == "class" else "function"
            return f"Note: the cell with `{found[1]} {written}` that you ran last has a SyntaxError in line {error.lineno}, so this is about the {what} from before."
        return ""
    return ""


def written_name(exercise, name):
    """What a learner writes for an exercise: the function of its name, or the class of a Break section."""
    shipped = getattr(exercise, "shipped", None)
    return shipped.__name__ if inspect.isclass(shipped) else name

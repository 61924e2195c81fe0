"""Why a check found nothing to look at where something was written: a cell that did not run, another name, another place.

All is found out from the texts of the cells and from what they raised. It is told, and earns nothing.
"""

import difflib
import re
import textwrap
from dataclasses import dataclass

LONGEST, WIDTH = 100_000, 76
ALIKE = 0.75
"""How much two names have in common, of 1, where one may be the other misspelt."""
PLACE = re.compile(r" \(.*, line (\d+)\)$", re.DOTALL)
DEFINED = re.compile(r"^(def|class)[ \t]+(\w+)[ \t]*(?:\(([^()]{0,500})\))?", re.MULTILINE)
RUN = re.compile(r"^[ \t]*%run[ \t]+(?:-\S+[ \t]+)*['\"]?([^'\"\n]{1,100}?)['\"]?[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Reason:
    """outcome: "raised" or "not found"; what: for the student, after the name of the exercise; said: the same in short, for a table;
    mistake: what to count in a class."""

    outcome: str
    what: str
    said: str
    mistake: str

    def text(self, label):
        """The whole report, as `checks.report` writes one."""
        paragraphs = [
            f"{self.outcome.upper()}  {label}",
            "",
            *(textwrap.fill(part, WIDTH, initial_indent="  ", subsequent_indent="  ") for part in self.what.split("\n")),
        ]
        return "\n".join(paragraphs)


def find(cells, errors, place, call, takes=(), missing=False):
    """The Reason why the graded cell at `place` found nothing to ask, or None where nothing was written.

    cells: those of a job; errors: {place: {"ename", "evalue"}} of the cells that raised; takes: the arguments of the function that is asked for; missing: whether there is nothing of its name.
    """
    notebook = _Notebook(cells, errors, place, call)
    return notebook.raised() or notebook.below() or notebook.renamed(takes) or notebook.in_a_file() or (notebook.raised_nearby() if missing else None)


class _Notebook:
    def __init__(self, cells, errors, place, call):
        self.errors, self.place, self.name = errors, place, call["variable"]
        self.sources = {number: cell["source"][:LONGEST] for number, cell in enumerate(cells) if cell["type"] == "code" and not cell.get("call")}
        calls = {number: cell["call"] for number, cell in enumerate(cells) if cell.get("call")}
        self.others = {each["variable"] for each in calls.values()} - {self.name}
        self.since = max((number for number in calls if number < place), default=-1)
        self.here = re.compile(rf"^[ \t]*(?:(?:async[ \t]+)?(?:def|class)[ \t]+{self.name}\b|{self.name}[ \t]*(?::[^=\n]*)?=(?!=))", re.MULTILINE)

    def raised(self):
        """A cell above that should define it has not run to its end."""
        for number in reversed([*self._above()]):
            if number in self.errors and self.here.search(self.sources[number]):
                return self._of_an_error(number)
        return None

    def raised_nearby(self):
        """A cell above did not run, and what it was to define cannot be told. A lesson's own cells raise too, where nothing was attempted."""
        near = [number for number in self._above() if number > self.since and number in self.errors]
        return self._of_an_error(near[-1]) if near else None

    def _of_an_error(self, number):
        error = said_of(self.errors[number])
        file = RUN.search(self.sources[number])
        if file and "not found" in error:
            what = f"{_cell(number)} runs {file[1]}, and there is no such file. Hand it in beside the notebook, or copy what is in it into the cell."
            return Reason("raised", what, f"%run {file[1]}: no such file", "%run of a file that was not handed in")
        what = f"{_cell(number)}, above, stopped with an error, so `{self.name}` is not what is written there.\n{error}\n"
        return Reason("raised", f"{what}Mend it, then run the whole notebook from the top.", error, said_of(self.errors[number], line=False))

    def below(self):
        """It is written, but where the check has not come by yet."""
        for number in sorted(self.sources):
            if number > self.place and self.here.search(self.sources[number]):
                what = f"`{self.name}` is written in {_cell(number, False)}, below this check. A check looks at what stands above it: write it in its own cell, above."
                return Reason("not found", what, f"it stands below its check, in cell {number + 1}", "written below the check")
        return None

    def renamed(self, takes):
        """Something that could be it has another name."""
        for number in sorted(self.sources, key=lambda number: (number < self.since, abs(number - self.place))):
            for kind, name, arguments in DEFINED.findall(self.sources[number]):
                if name != self.name and name not in self.others and self._could_be(kind, name, arguments, takes):
                    what = f"{_cell(number)} defines `{name}`. If this is your `{self.name}`, give it that name: the check asks for no other."
                    return Reason("not found", what, f"it is called {name}, in cell {number + 1}", "the function has another name")
        return None

    def _could_be(self, kind, name, arguments, takes):
        if (kind == "class") != self.name[:1].isupper() or not takes:
            return False
        mine = [re.split(r"[:=]", each)[0].strip(" *\t\n") for each in arguments.split(",")]
        alike = difflib.SequenceMatcher(None, name.lower().replace("_", ""), self.name.lower().replace("_", "")).ratio() >= ALIKE
        return alike or (kind == "def" and mine == [*takes])

    def in_a_file(self):
        """It is looked for in another file."""
        for number in self._above():
            if number > self.since and (file := RUN.search(self.sources[number])):
                if number in self.errors:
                    return self._of_an_error(number)
                what = f"{_cell(number)} runs {file[1]}, and nothing there is called `{self.name}`."
                return Reason("not found", what, f"it is not in {file[1]}", "not in the file that %run names")
        return None

    def _above(self):
        return (number for number in sorted(self.sources) if number < self.place)


def said_of(error, line=True):
    """An error in one line, without the name that a cell has for Python. line: whether to say in which line of the cell."""
    place, text = PLACE.search(error["evalue"]), PLACE.sub("", error["evalue"])
    text += f" in line {place[1]}" if place and line else ""
    text += ". Is a bracket or a quote not closed?" if "incomplete input" in text else ""
    return textwrap.shorten(f"{error['ename']}: {text}" if text else error["ename"], 150, placeholder=" …")


def _cell(number, opening=True):
    return f"{'Cell' if opening else 'cell'} {number + 1} of the notebook"

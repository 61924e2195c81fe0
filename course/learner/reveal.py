"""Predict before you look: a guess first, then what comes out, and why another guess tempts."""

import html
import textwrap

from course.checks import report
from course.checks.attempt import is_attempted

from .sealed import ANY, FORMS, as_typed, canonical, card, question


class Reveal:
    """A guess and what is said of it; shows itself as text or, with a picture, as HTML."""

    def __init__(self, text, picture=None):
        self.text, self.picture = text, picture

    def __repr__(self):
        return self.text

    def _repr_html_(self):
        text = f"<p>{html.escape(self.text).replace(chr(10), '<br>')}</p>"
        return text + (self.picture._repr_html_() if self.picture is not None else "")


def reveal(lesson, guess, picture=None):
    """What comes out, beside the guess that a lesson's Predict asks for; nothing before there is a guess.

    Right: why it is. Wrong: why that guess tempts, where it is a likely one, and what comes out. picture: a Picture to show below.
    Raises ValueError for an unknown lesson. Nothing is graded or noted.
    """
    asked = question(lesson, "predict")
    form = FORMS[asked["kind"]]
    if not is_attempted(guess):
        return Reveal("not attempted yet: put your guess in place of None, and run this cell again")
    text = canonical(guess, asked["kind"], asked["digits"])
    if text is None:
        return Reveal(f"A guess here is {form}. Change yours, and run this cell again.")
    found, truth = (card(asked["variants"][0], lesson, "predict", each) for each in (text, ANY))
    said = f"You said {as_typed(guess, text)}."
    if found is not None and found[0]:
        words = [f"{said} That is right.", found[1]]
    else:
        words = [said if found is None else f"{said} {found[1]}", truth[1]]
    return Reveal("\n".join(textwrap.fill(line, report.WIDTH) for line in words), picture)

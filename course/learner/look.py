"""Look again: what an explorer shows, found with the sliders, typed, and answered at once. Nothing is graded or noted."""

import textwrap

from course.checks import report
from course.checks.attempt import is_attempted

from .sealed import FORMS, as_typed, canonical, card, question


def look(lesson, number, answer=None):
    """Say whether what was seen in a lesson is what can be seen there, and why. Ungraded: as often as you like.

    answer: a letter, a number or a list, as the lesson asks for. Raises ValueError for an unknown lesson or number.
    """
    place = f"look {number}"
    asked = question(lesson, place)
    form = FORMS[asked["kind"]]
    if not is_attempted(answer):
        print(f"not attempted yet: type {form}, in place of None, and run this cell again")
        return
    text = canonical(answer, asked["kind"], asked["digits"])
    if text is None:
        print(f"The answer here is {form}. Type it so, and run this cell again.")
        return
    right, why = card(asked["variants"][0], lesson, place, text) or (False, asked["otherwise"] or "Go back to the sliders and look once more.")
    print(f"{as_typed(answer, text)}: {'yes.' if right else 'not what can be seen.'}")
    print(textwrap.fill(why, report.WIDTH))

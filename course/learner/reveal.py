"""Predict before you look: a guess first, then the picture or the number."""

import html

from course.checks.attempt import is_attempted


class Reveal:
    """A guess beside what really comes out; shows itself as text or, with a picture, as HTML."""

    def __init__(self, guess, shown, words):
        self.guess, self.shown, self.words = guess, shown, words

    def __repr__(self):
        if not is_attempted(self.guess):
            return "not attempted yet: put your guess in the cell above, run it, then run this cell again"
        return f"You said: {self.guess}\n{self.words}"

    def _repr_html_(self):
        text = f"<p>{html.escape(repr(self)).replace(chr(10), '<br>')}</p>"
        if is_attempted(self.guess) and self.shown is not None:
            return text + self.shown._repr_html_()
        return text


def reveal(guess, words, picture=None):
    """Show `words` and a Picture beside the reader's guess, but only once there is a guess."""
    return Reveal(guess, picture, words)

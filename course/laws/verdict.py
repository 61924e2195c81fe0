"""What a law found, and the three ways in which it finds nothing."""

import textwrap
from dataclasses import dataclass

WIDTH = 88
NOT_ATTEMPTED = "not attempted yet"
NAN = float("nan")


class ModuleRaised(Exception):
    """An error of the module's own."""


class BreaksPromise(Exception):
    """What comes out has not the axes that went in. The text says which."""


class DoesNotApply(Exception):
    """The law says nothing of such a module. The text is the reason."""


class CannotAsk(Exception):
    """Something that the law needs is not there. The text says what, and what to do about it."""


@dataclass(frozen=True)
class Verdict:
    """What a law found. False where the law is broken or could not be asked; prints as a sentence.

    law: its name; holds: True, False, or None where the law does not apply; sentence: what was compared and what came out;
    difference: the largest absolute difference found, in the units of the output; asked: False where the law got nowhere.
    """

    law: str
    holds: bool | None
    sentence: str
    difference: float = 0.0
    asked: bool = True

    def __bool__(self):
        return self.holds is not False

    @property
    def word(self):
        if not self.asked:
            return "cannot be asked"
        return {True: "holds", False: "is BROKEN", None: "does not apply"}[self.holds]

    def __repr__(self):
        if self.sentence == NOT_ATTEMPTED:
            return f"{self.law}: {NOT_ATTEMPTED}"
        return textwrap.fill(f"{self.law} {self.word}: {self.sentence}", WIDTH, subsequent_indent="  ")

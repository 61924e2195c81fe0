"""A module for the laws: how it is made, and what they are to say of it."""

from dataclasses import dataclass
from typing import Any

from course import laws

NAMES = [law.__name__.replace("_", " ").replace("last valid", "last-valid") for law in laws.ALL]
HEAD = "last-valid"
ONE_WAY = "step chunk last-valid"
LEAK = "zero resume"


@dataclass(frozen=True)
class Kind:
    make: Any
    broken: str = ""
    silent: str = ""

    @property
    def expected(self):
        """{law: True, False or None}."""
        short = {name: name.removesuffix(" law") for name in NAMES}
        return {name: False if short[name] in self.broken.split() else None if short[name] in self.silent.split() else True for name in NAMES}

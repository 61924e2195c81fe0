"""All kinds of slips.

A kind is a function: a Definition and what is Seen of a case go in, and pairs (cause, changed tree) come out. None of these is a right
answer by itself: which of them makes every case come out right, `search` finds out, and only then is its cause said.
"""

import itertools
from dataclasses import dataclass
from typing import Any

from .loops import early_return, lost_sum, moved, not_added, standing_still
from .names import captured, shifted, signature, sizes
from .order import order, other_name, steps_off
from .shapes import axes, indices, lists, not_made, operators, reductions, several, turned
from .statements import brackets, cut, signs, steps, unassigned

SAY_MORE = (unassigned, lost_sum, early_return, captured, signature)
"""These say more than a known mistake does, which knows the numbers alone and not the code."""
SURE = (operators, turned, not_made, brackets, steps, axes, several, cut, lists, standing_still, sizes, shifted, indices, order, reductions, steps_off)
"""These say more than the words of an error do. Those first that are told the most surely."""
WEAK = (moved, not_added, signs, other_name)
"""These say something where nothing else does."""


@dataclass
class Seen:
    """args: the arguments of the case; kinds: what was returned, and what was in it; learns, graded: does a gradient have to come through, to an input?"""

    args: dict[str, Any]
    kinds: set[str]
    learns: bool
    graded: bool


def changes(found, seen, finding):
    """All pairs (cause, tree) that say more than the Finding's own cause."""
    kinds = SAY_MORE if finding.certain else SAY_MORE + SURE if finding.cause else SAY_MORE + SURE + WEAK
    return itertools.chain.from_iterable(kind(found, seen) for kind in kinds)

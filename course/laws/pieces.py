"""The step law and the chunk law: in pieces, with the state carried, as in one run."""

from .comparing import Comparison, rounded
from .law import law, require_no_future


@law
def step_law(asked):
    """Cell by cell == the whole layer at once: the outputs of T calls with one step each are those of one call.

    Arguments and result as in `zero_law`.
    """
    require_no_future(asked)
    compare = Comparison(asked, "step law")
    for x in asked.draws():
        verdict = _in_pieces(asked, compare, x, range(1, asked.num_steps(x)), "all steps at once and one step at a time")
        if verdict is not None:
            return verdict
    return compare.holds()


@law
def chunk_law(asked):
    """Run in pieces with the state carried == run whole. The pieces have at least two steps.

    Arguments and result as in `zero_law`; x needs at least four steps.
    """
    require_no_future(asked)
    compare = Comparison(asked, "chunk law")
    for x in asked.draws(least_steps=4):
        steps = asked.num_steps(x)
        for cuts in ([steps // 2], [2, steps // 2 + 1])[: 1 + (steps >= 8)]:
            verdict = _in_pieces(asked, compare, x, cuts, "the whole sequence and two pieces with the state carried over")
            if verdict is not None:
                return verdict
    return compare.holds()


def _in_pieces(asked, compare, x, cuts, what):
    """A Verdict where the outputs of x, cut before these steps, are not those of one call; None where they are."""
    start, ends = asked.empty(x), [0, *cuts, asked.num_steps(x)]
    whole = asked.run(x, start)[0]
    asked.disturb(x)
    return compare.same(whole, _joined(asked, x, start, ends), what, lambda seed: _joined(asked, rounded(x, seed), start, ends, seed))


def _joined(asked, x, state, ends, seed=0):
    """The outputs of pieces that end before these steps, with the state carried over; seed: it is rounded otherwise each time."""
    pieces = []
    for begin, end in zip(ends, ends[1:]):
        output, state = asked.run(asked.steps(x, begin, end), state)
        pieces.append(output)
        state = rounded(state, seed)
    return asked.join(pieces)

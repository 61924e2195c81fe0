"""The last-valid law: h_n is the output at each row's last real step."""

import math

import torch

from . import trees
from .comparing import Comparison, rounded
from .law import law, require_rows
from .verdict import DoesNotApply, Verdict

BOTH_ENDS = (
    "h_n of a bidirectional layer has two ends; what holds instead, and it does here: its forward half is the output at the last real step, "
    "its backward half the output at step 1"
)
COMES_AFTER = "the output is not the state: something comes after it, as a head does"


@law
def last_valid_law(asked):
    """h_n == the output at each row's last real step: row i is stopped i steps before the end.

    Looks at the last layer's h, of an LSTM too. Where the outputs are something else than the state, it does not apply.
    Arguments and result as in `zero_law`.
    """
    if asked.bidirectional:
        return _both_ends(asked)
    if asked.axes.output_steps is None:
        raise DoesNotApply("the module answers once for a sequence, not at each step")
    if any(axis is not None for axis in asked.axes.grows):
        raise DoesNotApply("the state holds all steps, not the last one")
    compare, what = Comparison(asked, "last-valid law"), "h_n and the output at each row's last real step"
    for x in asked.draws():
        verdict = _last_outputs(asked, compare, x, what)
        if verdict is None:
            continue
        if verdict.holds is None:
            require_rows(asked)
            raise DoesNotApply(COMES_AFTER)
        if math.isnan(verdict.difference):
            return verdict
        if _states_by_steps(asked, x) is None:
            raise DoesNotApply(COMES_AFTER)
        return verdict
    return compare.holds()


def _last_outputs(asked, compare, x, what):
    """None where the last layer's h is the output; a Verdict of False where it differs, of None where the two have other shapes."""
    steps, start = asked.num_steps(x), asked.empty(x)
    outputs = asked.run(x, start)[0]
    ends, states = [], []
    for row in range(asked.batch_of(x)):
        length, which = max(steps - row, 1), torch.tensor([row])
        state = asked.run(asked.steps(x, 0, length), start)[1]
        end = asked.take(outputs, which).select(asked.axes.output_steps, length - 1)
        h = _top(asked, state, which, end)
        if h is None:
            return Verdict("last-valid law", None, "")
        states.append(h)
        ends.append(end)
    return compare.same(torch.cat(states), torch.cat(ends), what, lambda seed: asked.run(rounded(x, seed), start)[0])


def _top(asked, state, which, end):
    """The last layer's h of one row, as it would stand in the output; None where no tensor of the state can be it."""
    features, parts = end.shape[1:], [(part, axis) for part, axis in zip(trees.tensors(asked.rows_of(state, which)), asked.axes.rows) if axis is not None]
    for part, axis in parts:
        row = part.select(axis, 0)
        if row.dim() >= len(features) and row.shape[row.dim() - len(features) :] == features:
            return row.reshape(-1, *features)[-1:]
    return None


def _states_by_steps(asked, x):
    """None where the state after a run is the one that single steps come to; a Verdict where it is another."""
    start = state = asked.empty(x)
    whole = asked.run(x, start)[1]
    asked.disturb(x)
    for t in range(asked.num_steps(x)):
        state = asked.run(asked.steps(x, t, t + 1), state)[1]
    for place, (one, other) in enumerate(zip(trees.tensors(whole), trees.tensors(state))):
        if not one.is_floating_point():
            continue

        def again(seed, place=place):
            return trees.tensors(asked.run(rounded(x, seed), start)[1])[place]

        verdict = Comparison(asked, "last-valid law").same(one, other, "the state of a run and the state after its last step", again)
        if verdict is not None:
            return verdict
    return None


def _both_ends(asked):
    """What holds of two directions in place of the law, if it does."""
    compare = Comparison(asked, "last-valid law")
    for x in asked.draws():
        outputs, state = asked.run(x, asked.empty(x))
        h, half, time = trees.tensors(state)[0], outputs.shape[-1] // 2, asked.time_axis
        if h.dim() < 3 or h.shape[-1] != half:
            raise DoesNotApply(COMES_AFTER)
        h = h.flatten(0, -3)
        ends = torch.cat([outputs.select(time, -1)[..., :half], outputs.select(time, 0)[..., half:]], -1)
        verdict = compare.same(torch.cat([h[-2], h[-1]], -1), ends, "h_n and, forward, the output at the last step, backward, that at step 1")
        if verdict is not None:
            return verdict
    raise DoesNotApply(BOTH_ENDS)

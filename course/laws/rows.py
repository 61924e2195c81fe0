"""The row law and the reset law: a row of the batch is alone with its state."""

import torch

from . import trees
from .comparing import Comparison, rounded
from .law import law, require_rows
from .verdict import CannotAsk, DoesNotApply, Verdict

GROWS = "the state grows with each step, so one row of it cannot be emptied while the others go on"
COUNTS = "the state counts the steps of all rows at once, so one row of it cannot begin anew"


@law
def row_law(asked):
    """Permuting the batch permutes the outputs, and a change in one row, or in its state, never changes another.

    Asked from a state of zeros, and from one that is different in every row. Arguments and result as in `zero_law`;
    x needs at least two rows.
    """
    compare = Comparison(asked, "row law")
    for x in asked.draws(least_rows=2):
        for state, other in ((asked.empty(x), asked.empty(x)), (asked.made(x), asked.made(x, 8))):
            verdict = _rows_apart(asked, compare, x, state, other)
            if verdict is not None:
                return verdict
    return compare.holds()


def _rows_apart(asked, compare, x, state, other):
    """other: the state of which row 0 is taken, when row 0 of x is changed."""
    if asked.axes.output_rows is None:
        raise CannotAsk("no axis of the outputs follows the batch: with another batch they have the same shape")
    rows = torch.arange(asked.batch_of(x))
    output = asked.run(x, state)[0]

    def again(seed):
        return asked.run(rounded(x, seed), rounded(state, seed))[0]

    changed = _row_from(asked, x, asked.unrelated(x, 5))
    found = asked.run(changed, asked.with_row(state, 0, other))[0]
    verdict = compare.same(asked.take(found, rows[1:]), asked.take(output, rows[1:]), "the other rows before and after row 0 was changed", again)
    if verdict is not None:
        return Verdict("row law", False, f"rows change each other: {verdict.sentence}", verdict.difference)
    said = compare.said
    for order in (rows.roll(1), rows[:1] if asked.axes.only_batch is None else rows):
        if asked.given is not None and len(order) < len(rows):
            continue
        permuted = asked.run(asked.rows(x, order), asked.rows_of(state, order))[0]
        what = "a batch and the same batch permuted" if len(order) == len(rows) else "a row in its batch and alone"
        verdict = compare.same(asked.take(output, order), permuted, what, again)
        if verdict is not None:
            return verdict
    compare.said = said


def _row_from(asked, x, other):
    """x with row 0 of another input in place of its own."""
    here = torch.tensor([0])
    rows = iter(trees.tensors(other))

    def put(part):
        row = next(rows).index_select(asked.batch_axis, here.to(part.device))
        return part.index_copy(asked.batch_axis, here.to(part.device), row)

    return trees.change(x, put)


@law
def reset_law(asked):
    """Resetting row i leaves the other rows as they were, and row i goes on as from a state of zeros.

    The first part of x makes a state, in which one row is then set to zero; the rest is run from it.
    Arguments and result as in `chunk_law`; x needs at least two rows.
    """
    compare = Comparison(asked, "reset law")
    if any(axis is not None for axis in asked.axes.grows):
        raise DoesNotApply(GROWS)
    for number, x in enumerate(asked.draws(least_steps=4, least_rows=2)):
        verdict = _one_row_anew(asked, compare, x, number % asked.batch_of(x))
        if verdict is not None:
            return verdict
    return compare.holds()


def _one_row_anew(asked, compare, x, row):
    half, zeros = asked.num_steps(x) // 2, asked.empty(x)
    state = asked.run(asked.steps(x, 0, half), zeros)[1]
    rest, rows = asked.steps(x, half, asked.num_steps(x)), torch.arange(asked.batch_of(x))
    reset = asked.run(rest, asked.with_row(state, row, zeros))[0]
    require_rows(asked)
    for which, other, what in (
        (rows[rows != row], state, f"the other rows with and without a reset of row {row}"),
        (rows[rows == row], zeros, f"row {row} after its reset and after a start from zeros"),
    ):
        found = asked.take(asked.run(rest, other)[0], which)
        verdict = compare.same(asked.take(reset, which), found, what, lambda seed: asked.run(rounded(rest, seed), rounded(state, seed))[0])
        if verdict is not None:
            if trees.numbers(state) or any(not part.is_floating_point() for part in trees.tensors(state)):
                raise DoesNotApply(COUNTS)
            return verdict
    compare.said = compare.said.replace(f"row {row} ", "row 0 ")

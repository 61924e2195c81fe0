"""The laws of hidden state: eight statements that hold for every recurrent module that is written right.

Each law takes a module with the call of `nn.RNN`, `nn.GRU` and `nn.LSTM`,

    output, state = module(x)            # no state given
    output, state = module(x, state)     # a state given: a tensor, or any tree of tensors

or what `laws.on` makes of a module with another call, and says in words whether the law holds for it. Laws look at the module
as it is used for prediction: in eval mode, which is put back afterwards. Weights are never changed. A law is asked of a module
that has already run, with several batches and lengths, and compares relative to the scale and the dtype of what it compares.

    >>> laws.zero_law(nn.RNN(5, 4))
    zero law holds: the outputs without a state and with a state of zeros agree to 1e-05
"""

import io
import math
from contextlib import suppress
from functools import wraps

import torch
from torch import nn

from . import trees
from .adapters import NotYet, On
from .asking import Asked, as_for_prediction
from .causes import because, learned_start, random_inside
from .comparing import TOLERANCE, Comparison, rounded
from .copies import kept, kept_with_graph
from .gradients import cut_inside
from .verdict import NAN, NOT_ATTEMPTED, BreaksPromise, CannotAsk, DoesNotApply, ModuleRaised, Verdict

__all__ = ["ALL", "TOLERANCE", "Verdict", "check_all"]
READS_THE_FUTURE = "a bidirectional layer reads the sequence from its end too, so what it says of a step depends on the steps after it"
BOTH_ENDS = (
    "h_n of a bidirectional layer has two ends; what holds instead, and it does here: its forward half is the output at the last real step, "
    "its backward half the output at step 1"
)
NO_PROMISE = "this model is asked to take (B, T, F) and to say so, and it does not say batch_first = True: put it back, and let the layers inside keep the word"
GROWS = "the state grows with each step, so one row of it cannot be emptied while the others go on"
COUNTS = "the state counts the steps of all rows at once, so one row of it cannot begin anew"
COMES_AFTER = "the output is not the state: something comes after it, as a head does"
SILENTLY = "a call without a state and the same call of what was restored"
NO_ROWS = "no axis of the state follows the batch: with more rows in x, it has no more rows"


def _law(test):
    """Turn a test(asked) -> Verdict into a law: inputs drawn, eval mode, errors put into words."""
    name = test.__name__.replace("_", " ").replace("last valid", "last-valid")

    def answered(asked):
        try:
            asked.require_module()
            verdict = test(asked)
            return because(verdict, random_inside(asked)) if verdict.holds is False and verdict.difference > 0 else verdict
        except NotYet:
            return Verdict(name, False, NOT_ATTEMPTED, NAN)
        except DoesNotApply as reason:
            return Verdict(name, None, str(reason), NAN)
        except (ModuleRaised, BreaksPromise) as error:
            return Verdict(name, False, str(error), NAN)
        except CannotAsk as reason:
            return Verdict(name, False, str(reason), NAN, asked=False)
        except Exception as error:
            return Verdict(name, False, f"the law itself got stuck, with {type(error).__name__}: {error}", NAN, asked=False)

    @wraps(test)
    def law(module, x=None, *, input_size=None, batch_first=None):
        asked = Asked(module, x, input_size, batch_first)
        with as_for_prediction(asked.module), torch.no_grad():
            return answered(asked)

    law.answered = answered
    return law


@_law
def zero_law(asked):
    """No state given == a state of zeros given, before other calls and after.

    module: any recurrent module, or what `on` made of one; x: (T, B, F) as the module takes it, drawn several times if left out.
    input_size, batch_first: as in `check_all`. Returns a Verdict; never raises.
    """
    compare = Comparison(asked, "zero law")
    if not asked.silent:
        raise DoesNotApply("the module is given a state at every call")
    for x in asked.draws():
        verdict = _silent_and_spoken(asked, compare, x)
        if verdict is None:
            with suppress(ModuleRaised):  # a single step may be too little for it
                verdict = _silent_and_spoken(asked, compare, asked.steps(x, 0, 1))
        if verdict is not None:
            return verdict
    if asked.given is None and asked.axes.refused is not None:
        raise ModuleRaised(f"{asked.axes.refused}; a size is fixed inside, or something is kept from the batch before")
    return compare.holds()


def _silent_and_spoken(asked, compare, x):
    """A Verdict where a call without a state is not one from zeros, now or after other calls; None where it is."""
    for seed in (1, 2):
        asked.disturb(x, seed)
    before, zeros = asked.run(x)[0], asked.empty(x)
    spoken = asked.run(x, zeros)[0]
    asked.disturb(x, 3)
    after = asked.run(x)[0]

    def again(seed):
        return asked.run(rounded(x, seed), zeros)[0]

    verdicts = [compare.same(silent, spoken, "the outputs without a state and with a state of zeros", again) for silent in (before, after)]
    if not any(verdict is not None for verdict in verdicts):
        return None
    verdict = max((one for one in verdicts if one is not None), key=lambda one: one.difference)
    if compare.same(before, after, "", again) is not None and random_inside(asked) is None:
        names = kept(asked)
        return because(verdict, f"the module keeps something from call to call{_in(names)}, and a call without a state goes on from it")
    learned = learned_start(asked, x, zeros)
    if learned:
        raise DoesNotApply(f"the start is learned ({learned}), so a call without a state is not one from zeros")
    return verdict


@_law
def step_law(asked):
    """Cell by cell == the whole layer at once: the outputs of T calls with one step each are those of one call.

    Arguments and result as in `zero_law`.
    """
    _require_no_future(asked)
    compare = Comparison(asked, "step law")
    for x in asked.draws():
        verdict = _in_pieces(asked, compare, x, range(1, asked.num_steps(x)), "all steps at once and one step at a time")
        if verdict is not None:
            return verdict
    return compare.holds()


@_law
def chunk_law(asked):
    """Run in pieces with the state carried == run whole. The pieces have at least two steps.

    Arguments and result as in `zero_law`; x needs at least four steps.
    """
    _require_no_future(asked)
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
    start = state = asked.empty(x)
    whole, pieces, ends = asked.run(x, start)[0], [], [0, *cuts, asked.num_steps(x)]
    asked.disturb(x)
    for begin, end in zip(ends, ends[1:]):
        output, state = asked.run(asked.steps(x, begin, end), state)
        pieces.append(output)
    return compare.same(whole, asked.join(pieces), what, lambda seed: asked.run(rounded(x, seed), start)[0])


@_law
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


def _require_rows(asked):
    """Raise BreaksPromise where nothing in the state has a row for each sequence."""
    if all(axis is None for axis in asked.axes.rows):
        raise BreaksPromise(NO_ROWS)


def _row_from(asked, x, other):
    """x with row 0 of another input in place of its own."""
    here = torch.tensor([0])
    rows = iter(trees.tensors(other))

    def put(part):
        row = next(rows).index_select(asked.batch_axis, here.to(part.device))
        return part.index_copy(asked.batch_axis, here.to(part.device), row)

    return trees.change(x, put)


@_law
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
    _require_rows(asked)
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


@_law
def cut_law(asked):
    """Detach keeps the value and stops the gradient; a clone keeps both; a reset drops both.

    The first part of x makes a state; the rest is run from that state, cloned, then detached, then reset to zeros.
    The slopes that autograd gives are compared with those of the numbers, in eval and in training mode.
    Arguments and result as in `chunk_law`.
    """
    compare = Comparison(asked, "cut law")
    for x in asked.draws(least_steps=4)[:2]:
        verdict = _three_ways(asked, compare, x)
        if verdict is not None:
            return verdict
    said = compare.said
    cut = cut_inside(asked)
    if cut is not None:
        where, how_much = cut
        begins = "the gradient does not pass through a cloned state" if how_much == 0 else "the gradient knows only a part of what the state does"
        rest = "it" if how_much == 0 else "the rest"
        return Verdict("cut law", False, f"{begins}{where}: something in the run cuts {rest}, as detach does", NAN)
    _require_used(asked)
    compare.said = said
    return compare.holds()


def _three_ways(asked, compare, x):
    """A Verdict where a gradient passes through a detached or reset state, or where detaching changes numbers; else None."""
    half = asked.num_steps(x) // 2
    with torch.enable_grad():
        x, start = _leaves(x), _leaves(asked.empty(x))
        state = asked.run(asked.steps(x, 0, half), start)[1]
        rest = asked.steps(x, half, asked.num_steps(x))
        ways = {"cloned": state, "detached": trees.change(state, torch.detach), "reset": _zeros_of(asked, x)}
        runs = {name: asked.run(rest, one)[0] for name, one in ways.items()}
        for name in ("detached", "reset"):
            size = _reach(asked, runs[name], x, start, half)
            if size > 0:
                return Verdict("cut law", False, f"a gradient of {size:.2g} passes through a {name} state", size)

    def again(seed):
        return asked.run(rounded(rest, seed), rounded(ways["detached"], seed))[0]

    return compare.same(runs["cloned"].detach(), runs["detached"].detach(), "the runs from a cloned and from a detached state", again)


def _zeros_of(asked, x):
    return trees.change(asked.empty(x), torch.detach)


def _leaves(tree):
    return trees.change(tree, lambda part: part.detach().clone().requires_grad_(part.is_floating_point()))


def _reach(asked, output, x, start, half):
    """How strongly `output` depends on the first steps of x and on the state before them: the largest absolute gradient."""
    if not output.requires_grad:
        return 0.0
    leaves = [part for part in (*trees.tensors(x), *trees.tensors(start)) if part.requires_grad]
    gradients = torch.autograd.grad(output.sum(), leaves, allow_unused=True) if leaves else []
    found = [
        asked.steps(one, 0, half) if number < len(trees.tensors(x)) and leaves[0].dim() > 1 else one for number, one in enumerate(gradients) if one is not None
    ]
    return max((one.abs().max().item() for one in found if one.numel()), default=0.0)


def _require_used(asked):
    """Raise what is to be said where no state changes anything: of inputs as they are drawn, and of quiet ones, which saturate nothing."""
    outputs = []
    for seed, drawn in enumerate(asked.draws()):
        made, empty = asked.made(drawn, 30 + seed), asked.empty(drawn)
        for x in (drawn, trees.change(drawn, _quiet)):
            plain, *others = [asked.run(x, state)[0] for state in (empty, made, trees.change(made, _positive))]
            if not all(torch.equal(plain, other) for other in others):
                return
            outputs.append(plain)
    if all(output.min() == output.max() for output in outputs):
        raise DoesNotApply("the outputs are one number, whatever goes in: all units are dead")
    raise BreaksPromise("resetting the state changes nothing: the state is not used")


def _quiet(part):
    return part * 1e-3 if part.is_floating_point() else part


def _positive(part):
    return part if not part.is_floating_point() else torch.rand(part.shape, generator=torch.Generator().manual_seed(1)).to(part)


@_law
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
            _require_rows(asked)
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
    parts = [(part, axis) for part, axis in zip(trees.tensors(asked.rows_of(state, which)), asked.axes.rows) if axis is not None]
    for part, axis in parts:
        row = part.select(axis, 0)
        features = end.shape[1:] if asked.batch_axis < asked.time_axis or asked.axes.output_rows == 0 else end.shape[1:]
        if row.shape[row.dim() - len(features) :] == features and row.dim() >= len(features):
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


@_law
def resume_law(asked):
    """Save, restore, continue == never interrupted: the rest of x, from what was saved after its first part.

    Saved are the state and, of an nn.Module, its state_dict, as `torch.save` writes them; they are restored into a copy of the module
    that was made before the runs. A call without a state must give the same too. Arguments and result as in `chunk_law`.
    """
    compare, fresh = Comparison(asked, "resume law"), asked.fresh
    for x in asked.draws(least_steps=4)[:2]:
        half = asked.num_steps(x) // 2
        state = asked.run(asked.steps(x, 0, half), asked.empty(x))[1]
        rest = asked.steps(x, half, asked.num_steps(x))
        for start, what in ((None, SILENTLY), (state, "the run that went on and the one that was restored")):
            verdict = None if start is None and not asked.silent else _resumed(asked, compare, fresh, rest, start, what)
            if verdict is not None:
                return because(verdict, _kept(asked))
    return compare.holds()


def _resumed(asked, compare, fresh, x, state, what):
    """A Verdict where a call of the module is another in what was restored from it, into `fresh`; None where it is the same."""

    def again(seed):
        return asked.run(rounded(x, seed), rounded(state, seed))[0]

    went_on = asked.run(x, state)[0]
    parts = _restored(asked.module, fresh, trees.tensors(state))
    restored = asked.run(x, None if state is None else trees.with_tensors(state, parts), fresh)[0]
    return compare.same(went_on, restored, what, None if state is None else again)


def _kept(asked):
    """What a module that was restored has lost, in words; None where that is not known."""
    if random_inside(asked) is not None:
        return None
    names = kept_with_graph(asked)
    if names:
        return f"the module keeps a tensor, with its graph, from an earlier call{_in(names)}"
    names = kept(asked)
    return f"the module keeps something from call to call{_in(names)}, and it is not in what was saved" if names else None


def _restored(module, fresh, parts):
    """Write a module's weights and these tensors as to a file, read them again, the weights into another module. Returns the tensors."""
    file = io.BytesIO()
    torch.save({"state": parts, "weights": module.state_dict() if isinstance(module, nn.Module) else {}}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=False)
    if isinstance(module, nn.Module):
        try:
            fresh.load_state_dict(saved["weights"])
        except RuntimeError as error:
            raise ModuleRaised(f"what was saved cannot be restored: {error}") from error
        fresh.eval()
    return saved["state"]


ALL = (zero_law, step_law, chunk_law, row_law, reset_law, cut_law, last_valid_law, resume_law)


def check_all(module, x=None, *, input_size=None, batch_first=None):
    """Every law in turn: a list of Verdicts; of a module that no law can be asked of, one that says why.

    module, x: as in `zero_law`. input_size: how many features x has, where nothing in the module says it.
    batch_first: True asks for a module that takes (B, T, F) and says so; left out, the module is taken at its word.
    """
    if batch_first and not isinstance(module, On) and getattr(module, "batch_first", None) is not True and not isinstance(module, type):
        return [Verdict("promise", False, NO_PROMISE, NAN)]
    asked = Asked(module, x, input_size, batch_first)
    with as_for_prediction(asked.module), torch.no_grad():
        with suppress(CannotAsk):
            asked.fresh  # noqa: B018 -- made before the module has run; the resume law says it, where it cannot be made
        verdicts = [law.answered(asked) for law in ALL]
    return _once(verdicts)


def _once(verdicts):
    """One cause, one sentence: where all laws say the same, it is said once."""
    one = verdicts[0]
    if len({verdict.sentence for verdict in verdicts}) > 1 or one.holds is None or one.sentence == NOT_ATTEMPTED:
        return verdicts
    if one.asked:
        return [Verdict("promise" if one.sentence.startswith("your outputs") else "every law", False, one.sentence, NAN)]
    return [Verdict("a law", False, one.sentence, NAN, asked=False)]


def _require_no_future(asked):
    if asked.bidirectional:
        raise DoesNotApply(READS_THE_FUTURE)


def _in(names):
    return f" (in {', '.join(names[:3])})" if names else ""

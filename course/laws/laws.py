"""The laws of hidden state: eight statements that hold for every recurrent module that is written right.

Each law takes a module with the call of `nn.RNN`, `nn.GRU` and `nn.LSTM`,

    output, state = module(x)            # no state given
    output, state = module(x, state)     # a state given: a tensor, or a tuple of tensors

and says in words whether the law holds for it. Laws look at the module as it is used for
prediction: in eval mode, which is put back afterwards. Weights are never changed.

    >>> laws.zero_law(nn.RNN(5, 4))
    zero law holds: the outputs without a state and with a state of zeros agree to 1e-05
"""

import copy
import io
import textwrap
from dataclasses import dataclass, replace
from functools import wraps

import torch
from torch import nn

from .adapters import NotYet
from .asking import Asked, CannotAsk, DoesNotApply, ModuleRaised, each, eval_mode, random_input, rows_of, unequal_like, with_row, zeros_like

TOLERANCE = 1e-5
WIDTH = 88
NOT_ATTEMPTED = "not attempted yet"
NAN = float("nan")
READS_THE_FUTURE = "a bidirectional layer reads the sequence from its end too, so what it says of a step depends on the steps after it"
BOTH_ENDS = (
    "h_n of a bidirectional layer has two ends; what holds instead, and it does here: its forward half is the output at the last real step, "
    "its backward half the output at step 1"
)
NO_PROMISE = "this model is asked to take (B, T, F) and to say so, and it does not say batch_first = True: put it back, and let the layers inside keep the word"


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


def _law(test):
    """Turn a test(asked, x) -> Verdict into a law: default input, eval mode, errors put into words."""
    name = test.__name__.replace("_", " ").replace("last valid", "last-valid")

    @wraps(test)
    def law(module, x=None, *, input_size=None, batch_first=None):
        with eval_mode(module):
            try:
                x = random_input(module, input_size=input_size, batch_first=batch_first) if x is None else x
                return test(Asked(module, batch_first), x)
            except NotYet:
                return Verdict(name, False, NOT_ATTEMPTED, NAN)
            except DoesNotApply as reason:
                return Verdict(name, None, str(reason), NAN)
            except ModuleRaised as error:
                return Verdict(name, False, str(error), NAN)
            except CannotAsk as reason:
                return Verdict(name, False, str(reason), NAN, asked=False)
            except Exception as error:
                return Verdict(name, False, f"the law itself got stuck, with {type(error).__name__}: {error}", NAN, asked=False)

    return law


@_law
def zero_law(asked, x):
    """No state given == a state of zeros given.

    module: any recurrent module; x: (T, B, F) as the module takes it, drawn at random if left out.
    input_size, batch_first: as in `check_all`. Returns a Verdict; never raises.
    """
    silent, state = asked.run(x)
    spoken, _ = asked.run(x, zeros_like(state))
    return _compare("zero law", silent, spoken, "the outputs without a state and with a state of zeros")


@_law
def step_law(asked, x):
    """Cell by cell == the whole layer at once: the outputs of T calls with one step each are those of one call.

    Arguments and result as in `zero_law`.
    """
    _require_no_future(asked)
    whole, state = asked.run(x, asked.zero_state(x))
    state, pieces = zeros_like(state), []
    for t in range(asked.num_steps(x)):
        output, state = asked.run(asked.steps(x, t, t + 1), state)
        pieces.append(output)
    return _compare("step law", whole, asked.join(pieces), "all steps at once and one step at a time")


@_law
def chunk_law(asked, x):
    """Run in pieces with the state carried == run whole. The pieces have at least two steps.

    Arguments and result as in `zero_law`; x needs at least four steps.
    """
    _require_no_future(asked)
    steps = asked.num_steps(x)
    if steps < 4:
        raise CannotAsk(f"the chunk law needs at least 4 time steps, this input has {steps}")
    zeros = asked.zero_state(x)
    whole, _ = asked.run(x, zeros)
    first, state = asked.run(asked.steps(x, 0, steps // 2), zeros)
    second, _ = asked.run(asked.steps(x, steps // 2, steps), state)
    joined = asked.join([first, second])
    return _compare("chunk law", whole, joined, "the whole sequence and two pieces with the state carried over")


@_law
def row_law(asked, x):
    """Permuting the batch permutes the outputs, and a change in one row, or in its state, never changes another.

    Asked from a state of zeros, and from one that is different in every row. Arguments and result as in `zero_law`;
    x needs at least two rows.
    """
    rows, zeros = asked.rows(x), asked.zero_state(x)
    verdict = _rows_apart(asked, x, rows, zeros, 0)
    unequal = unequal_like(zeros, len(rows))
    return verdict if not verdict or unequal is None else _rows_apart(asked, x, rows, unequal, 0.25)


def _rows_apart(asked, x, rows, state, changed_to):
    """changed_to: what row 0 of the state is changed to, when row 0 of x is changed."""
    output, order, first = asked.run(x, state)[0], rows.roll(1), rows[:1]
    changed, _ = asked.run(x.index_add(asked.batch_axis, first, torch.ones_like(asked.take(x, first))), with_row(state, first, changed_to))
    apart = _compare("row law", asked.take(output, rows[1:]), asked.take(changed, rows[1:]), "the other rows before and after row 0 was changed")
    if not apart:
        return replace(apart, sentence=f"rows change each other: {apart.sentence}")
    permuted, _ = asked.run(asked.take(x, order), rows_of(state, order))
    in_order = _compare("row law", asked.take(output, order), permuted, "a batch and the same batch permuted")
    return in_order if not in_order else apart


@_law
def cut_law(asked, x):
    """Detach keeps the value and stops the gradient; a clone keeps both; a reset drops both.

    The first half of x makes a state; the second half is run from that state, cloned, then
    detached, then reset to zeros. Arguments and result as in `chunk_law`.
    """
    with torch.enable_grad():
        x = x.detach().clone().requires_grad_()
        half = asked.num_steps(x) // 2
        _, state = asked.run(asked.steps(x, 0, half), asked.zero_state(x))
        runs = {
            name: asked.run(asked.steps(x, half, 2 * half), each(change, state))[0]
            for name, change in (("clone", torch.clone), ("detach", torch.detach), ("reset", torch.zeros_like))
        }
        reach = {name: _reach(asked, run, x, half) for name, run in runs.items()}
    if reach["clone"] == 0:
        return Verdict("cut law", False, "the gradient does not pass through a cloned state: something in the run cuts it, as detach does", NAN)
    if reach["detach"] > 0 or reach["reset"] > 0:
        where = "detached" if reach["detach"] > 0 else "reset"
        size = max(reach["detach"], reach["reset"])
        return Verdict("cut law", False, f"a gradient of {size:.2g} passes through a {where} state", size)
    kept = _compare("cut law", runs["clone"], runs["detach"], "the runs from a cloned and from a detached state")
    if not kept:
        return kept
    if torch.allclose(runs["clone"], runs["reset"], atol=TOLERANCE):
        return Verdict("cut law", False, "resetting the state changes nothing: the state is not used")
    return kept


@_law
def reset_law(asked, x):
    """Resetting row i leaves the other rows as they were, and row i goes on as from a state of zeros.

    The first half of x makes a state, in which row 0 is then set to zero; the second half is run from it.
    Arguments and result as in `chunk_law`; x needs at least two rows.
    """
    rows, half = asked.rows(x), asked.num_steps(x) // 2
    _, state = asked.run(asked.steps(x, 0, half), asked.zero_state(x))
    rest = asked.steps(x, half, 2 * half)
    reset, _ = asked.run(rest, with_row(state, rows[:1], 0))
    for which, other, what in (
        (rows[1:], state, "the other rows with and without a reset of row 0"),
        (rows[:1], zeros_like(state), "row 0 after its reset and after a start from zeros"),
    ):
        verdict = _compare("reset law", asked.take(reset, which), asked.take(asked.run(rest, other)[0], which), what)
        if not verdict:
            return verdict
    return verdict


@_law
def last_valid_law(asked, x):
    """h_n == the output at each row's last real step: row i is stopped i steps before the end.

    Looks at the last layer's h, of an LSTM too. Arguments and result as in `zero_law`.
    """
    if asked.bidirectional:
        return _both_ends(asked, x)
    axis, steps = asked.batch_axis, asked.num_steps(x)
    outputs, _ = asked.run(x, asked.zero_state(x))
    ends, states = [], []
    for row in range(x.shape[axis]):
        length = max(steps - row, 1)
        shorter = asked.steps(x, 0, length)
        _, state = asked.run(shorter, asked.zero_state(shorter))
        states.append((state[0] if isinstance(state, tuple) else state).flatten(0, -3)[-1, row])
        ends.append(outputs.select(axis, row)[length - 1])
    return _compare("last-valid law", torch.stack(states), torch.stack(ends), "h_n and the output at each row's last real step")


def _both_ends(asked, x):
    """What holds of two directions in place of the law, if it does."""
    outputs, state = asked.run(x, asked.zero_state(x))
    h, half, time = (state[0] if isinstance(state, tuple) else state).flatten(0, -3), outputs.shape[-1] // 2, 1 - asked.batch_axis
    ends = torch.cat([outputs.select(time, -1)[..., :half], outputs.select(time, 0)[..., half:]], -1)
    verdict = _compare("last-valid law", torch.cat([h[-2], h[-1]], -1), ends, "h_n and, forward, the output at the last step, backward, that at step 1")
    if not verdict:
        return verdict
    raise DoesNotApply(BOTH_ENDS)


@_law
def resume_law(asked, x):
    """Save, restore, continue == never interrupted: the second half of x, from what was saved after the first.

    Saved are the state and, of an nn.Module, its state_dict, as `torch.save` writes them; they are restored into a copy
    of the module that was made before the run. Arguments and result as in `chunk_law`.
    """
    module = asked.module
    another, half, file = Asked(copy.deepcopy(module), asked.batch_axis == 0), asked.num_steps(x) // 2, io.BytesIO()
    _, state = asked.run(asked.steps(x, 0, half), asked.zero_state(x))
    torch.save({"state": state, "weights": module.state_dict() if isinstance(module, nn.Module) else {}}, file)
    file.seek(0)
    saved = torch.load(file)
    if isinstance(module, nn.Module):
        another.module.load_state_dict(saved["weights"])
    rest = asked.steps(x, half, 2 * half)
    return _compare("resume law", asked.run(rest, state)[0], another.run(rest, saved["state"])[0], "the run that went on and the one that was restored")


ALL = (zero_law, step_law, chunk_law, row_law, reset_law, cut_law, last_valid_law, resume_law)


def check_all(module, x=None, *, input_size=None, batch_first=None):
    """Every law in turn: a list of Verdicts; of a module that no law can be asked of, one that says why.

    module, x: as in `zero_law`. input_size: how many features x has, where nothing in the module says it.
    batch_first: True asks for a module that takes (B, T, F) and says so; left out, the module is taken at its word.
    """
    if batch_first and getattr(module, "batch_first", None) is not True:
        return [Verdict("promise", False, NO_PROMISE, NAN)]
    verdicts = [law(module, x, input_size=input_size, batch_first=batch_first) for law in ALL]
    if not any(verdict.asked for verdict in verdicts) and len({verdict.sentence for verdict in verdicts}) == 1:
        return [Verdict("a law", False, verdicts[0].sentence, NAN, asked=False)]
    return verdicts


def _require_no_future(asked):
    if asked.bidirectional:
        raise DoesNotApply(READS_THE_FUTURE)


def _reach(asked, output, x, half):
    """How strongly `output` depends on the first half of x: the largest absolute gradient."""
    if not output.requires_grad:
        return 0.0
    (gradient,) = torch.autograd.grad(output.sum(), x, allow_unused=True)
    return 0.0 if gradient is None else asked.steps(gradient, 0, half).abs().max().item()


def _compare(law, one, other, what):
    if one.shape != other.shape:
        return Verdict(law, False, f"{what} give shapes {tuple(one.shape)} and {tuple(other.shape)}", NAN)
    gap = (one - other).abs().max().item()
    holds = gap <= TOLERANCE
    found = f"agree to {TOLERANCE:g}" if holds else f"differ by up to {gap:.2g}"
    return Verdict(law, holds, f"{what} {found}", gap)

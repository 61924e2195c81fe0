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
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps

import torch
from torch import nn

from .adapters import NotYet

TOLERANCE = 1e-5
NUM_STEPS, BATCH = 7, 3
WIDTH = 88
NOT_ATTEMPTED = "not attempted yet"


@dataclass(frozen=True)
class Verdict:
    """What a law found. True where the law holds; prints as a sentence.

    law: its name; holds: bool; sentence: what was compared and what came out;
    difference: the largest absolute difference found, in the units of the output.
    """

    law: str
    holds: bool
    sentence: str
    difference: float = 0.0

    def __bool__(self):
        return self.holds

    def __repr__(self):
        if self.sentence == NOT_ATTEMPTED:
            return f"{self.law}: {NOT_ATTEMPTED}"
        whole = f"{self.law} {'holds' if self.holds else 'is BROKEN'}: {self.sentence}"
        return textwrap.fill(whole, WIDTH, subsequent_indent="  ")


def _law(test):
    """Turn a test(module, x) -> Verdict into a law: default input, eval mode, errors put into words."""
    name = test.__name__.replace("_", " ").replace("last valid", "last-valid")

    @wraps(test)
    def law(module, x=None):
        with _eval_mode(module):
            try:
                return test(module, random_input(module) if x is None else x)
            except NotYet:
                return Verdict(name, False, NOT_ATTEMPTED, float("nan"))
            except Exception as error:
                return Verdict(name, False, f"the module raised {type(error).__name__}: {error}", float("nan"))

    return law


@_law
def zero_law(module, x):
    """No state given == a state of zeros given.

    module: any recurrent module; x: (T, B, F) as the module takes it, drawn at random if left out.
    Returns a Verdict; never raises.
    """
    silent, state = module(x)
    spoken, _ = module(x, _zeros_like(state))
    return _compare("zero law", silent, spoken, "the outputs without a state and with a state of zeros")


@_law
def step_law(module, x):
    """Cell by cell == the whole layer at once: the outputs of T calls with one step each are those of one call.

    Arguments and result as in `zero_law`.
    """
    whole, state = module(x, _zero_state(module, x))
    state, pieces = _zeros_like(state), []
    for t in range(_num_steps(module, x)):
        output, state = module(_steps(module, x, t, t + 1), state)
        pieces.append(output)
    return _compare("step law", whole, _join(module, pieces), "all steps at once and one step at a time")


@_law
def chunk_law(module, x):
    """Run in pieces with the state carried == run whole. The pieces have at least two steps.

    Arguments and result as in `zero_law`; x needs at least four steps.
    """
    steps = _num_steps(module, x)
    if steps < 4:
        raise ValueError(f"the chunk law needs at least 4 time steps, this input has {steps}")
    zeros = _zero_state(module, x)
    whole, _ = module(x, zeros)
    first, state = module(_steps(module, x, 0, steps // 2), zeros)
    second, _ = module(_steps(module, x, steps // 2, steps), state)
    joined = _join(module, [first, second])
    return _compare("chunk law", whole, joined, "the whole sequence and two pieces with the state carried over")


@_law
def row_law(module, x):
    """Permuting the batch permutes the outputs, and a change in one row never changes another.

    Arguments and result as in `zero_law`; x needs at least two rows.
    """
    axis = _batch_axis(module)
    rows = x.shape[axis]
    if rows < 2:
        raise ValueError("the row law needs a batch of at least 2")
    zeros = _zero_state(module, x)
    output, _ = module(x, zeros)
    order = torch.arange(rows, device=x.device).roll(1)
    permuted, _ = module(x.index_select(axis, order), zeros)
    verdict = _compare("row law", output.index_select(axis, order), permuted, "a batch and the same batch permuted")
    if not verdict:
        return verdict
    changed = x.clone()
    changed.select(axis, 0).add_(1)
    others = torch.arange(1, rows, device=x.device)
    disturbed, _ = module(changed, zeros)
    return _compare(
        "row law",
        output.index_select(axis, others),
        disturbed.index_select(axis, others),
        "the other rows before and after row 0 was changed",
    )


@_law
def cut_law(module, x):
    """Detach keeps the value and stops the gradient; a clone keeps both; a reset drops both.

    The first half of x makes a state; the second half is run from that state, cloned, then
    detached, then reset to zeros. Arguments and result as in `chunk_law`.
    """
    with torch.enable_grad():
        x = x.detach().clone().requires_grad_()
        half = _num_steps(module, x) // 2
        _, state = module(_steps(module, x, 0, half), _zero_state(module, x))
        runs = {
            name: module(_steps(module, x, half, 2 * half), _each(change, state))[0]
            for name, change in (("clone", torch.clone), ("detach", torch.detach), ("reset", torch.zeros_like))
        }
        reach = {name: _reach(module, run, x, half) for name, run in runs.items()}
    if reach["clone"] == 0:
        return Verdict("cut law", False, "the gradient does not pass through a cloned state: something in the run cuts it, as detach does", float("nan"))
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
def reset_law(module, x):
    """Resetting row i leaves the other rows as they were, and row i goes on as from a state of zeros.

    The first half of x makes a state, in which row 0 is then set to zero; the second half is run from it.
    Arguments and result as in `chunk_law`; x needs at least two rows.
    """
    axis, half = _batch_axis(module), _num_steps(module, x) // 2
    if x.shape[axis] < 2:
        raise ValueError("the reset law needs a batch of at least 2")
    _, state = module(_steps(module, x, 0, half), _zero_state(module, x))
    rest, rows = _steps(module, x, half, 2 * half), torch.arange(x.shape[axis], device=x.device)
    reset, _ = module(rest, _each(lambda part: part.index_fill(-2, rows[:1], 0), state))
    for which, other, what in (
        (rows[1:], state, "the other rows with and without a reset of row 0"),
        (rows[:1], _zeros_like(state), "row 0 after its reset and after a start from zeros"),
    ):
        verdict = _compare("reset law", reset.index_select(axis, which), module(rest, other)[0].index_select(axis, which), what)
        if not verdict:
            return verdict
    return verdict


@_law
def last_valid_law(module, x):
    """h_n == the output at each row's last real step: row i is stopped i steps before the end.

    Looks at the last layer's h, of an LSTM too. Arguments and result as in `zero_law`.
    """
    axis, steps = _batch_axis(module), _num_steps(module, x)
    outputs, _ = module(x, _zero_state(module, x))
    ends, states = [], []
    for row in range(x.shape[axis]):
        length = max(steps - row, 1)
        shorter = _steps(module, x, 0, length)
        _, state = module(shorter, _zero_state(module, shorter))
        states.append((state[0] if isinstance(state, tuple) else state).flatten(0, -3)[-1, row])
        ends.append(outputs.select(axis, row)[length - 1])
    return _compare("last-valid law", torch.stack(states), torch.stack(ends), "h_n and the output at each row's last real step")


@_law
def resume_law(module, x):
    """Save, restore, continue == never interrupted: the second half of x, from what was saved after the first.

    Saved are the state and, of an nn.Module, its state_dict, as `torch.save` writes them; they are restored into a copy
    of the module that was made before the run. Arguments and result as in `chunk_law`.
    """
    another, half, file = copy.deepcopy(module), _num_steps(module, x) // 2, io.BytesIO()
    _, state = module(_steps(module, x, 0, half), _zero_state(module, x))
    torch.save({"state": state, "weights": module.state_dict() if isinstance(module, nn.Module) else {}}, file)
    file.seek(0)
    saved = torch.load(file)
    if isinstance(another, nn.Module):
        another.load_state_dict(saved["weights"])
    rest = _steps(module, x, half, 2 * half)
    return _compare("resume law", module(rest, state)[0], another(rest, saved["state"])[0], "the run that went on and the one that was restored")


ALL = (zero_law, step_law, chunk_law, row_law, reset_law, cut_law, last_valid_law, resume_law)


def check_all(module, x=None):
    """Every law in turn: a list of Verdicts. Arguments as in `zero_law`."""
    return [law(module, x) for law in ALL]


def random_input(module, num_steps=NUM_STEPS, batch=BATCH):
    """A random sequence for a module: (T, B, F) or (B, T, F), with its dtype and device, always the same."""
    parameter = next(iter(module.parameters()), torch.zeros(())) if isinstance(module, nn.Module) else torch.zeros(())
    size = getattr(module, "input_size", None)
    if size is None:
        raise ValueError("this module has no input_size: give the law an x, shaped (T, B, F)")
    shape = (batch, num_steps, size) if _batch_axis(module) == 0 else (num_steps, batch, size)
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    return x.to(dtype=parameter.dtype, device=parameter.device)


@contextmanager
def _eval_mode(module):
    parts = list(module.modules()) if isinstance(module, nn.Module) else []
    modes = [part.training for part in parts]
    try:
        for part in parts:
            part.training = False
        yield
    finally:
        for part, mode in zip(parts, modes):
            part.training = mode


def _batch_axis(module):
    return 0 if getattr(module, "batch_first", False) else 1


def _num_steps(module, x):
    return x.shape[1 - _batch_axis(module)]


def _steps(module, x, start, stop):
    return x.narrow(1 - _batch_axis(module), start, stop - start)


def _join(module, pieces):
    return torch.cat(pieces, dim=1 - _batch_axis(module))


def _each(change, state):
    return tuple(change(part) for part in state) if isinstance(state, tuple) else change(state)


def _zeros_like(state):
    return _each(torch.zeros_like, state)


@torch.no_grad()
def _zero_state(module, x):
    """Zeros shaped as the state that the module returns: what they look like is the module's own affair."""
    return _zeros_like(module(x)[1])


def _reach(module, output, x, half):
    """How strongly `output` depends on the first half of x: the largest absolute gradient."""
    if not output.requires_grad:
        return 0.0
    (gradient,) = torch.autograd.grad(output.sum(), x, allow_unused=True)
    return 0.0 if gradient is None else _steps(module, gradient, 0, half).abs().max().item()


def _compare(law, one, other, what):
    if one.shape != other.shape:
        return Verdict(law, False, f"{what} give shapes {tuple(one.shape)} and {tuple(other.shape)}", float("nan"))
    gap = (one - other).abs().max().item()
    holds = gap <= TOLERANCE
    found = f"agree to {TOLERANCE:g}" if holds else f"differ by up to {gap:.2g}"
    return Verdict(law, holds, f"{what} {found}", gap)

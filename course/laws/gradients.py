"""Does the gradient say what the numbers do? Where a graph is cut, a result moves and its gradient does not know of it.

A state, or one early step, is moved a little to both sides, and what every later output does is measured: the slope by numbers.
Autograd is then asked for the same slope. The outputs are weighed so that each of them, near or far, counts as one.
"""

import torch
from torch import nn

from . import trees
from .comparing import rounded
from .copies import another
from .inputs import seeded
from .verdict import CannotAsk, ModuleRaised

DOUBLE = dict(step=1e-5, certain=1e3, share=0.98, needed=1)
SINGLE = dict(step=5e-3, certain=50, share=0.9, needed=2)
"""step: how far to move, by the size of what is moved; certain: a slope counts where it is that many roundings;
share: how much of it autograd has to know; needed: in how many draws it must be missing."""
BENT = 0.02
"""By what share two slopes may differ, of which one is measured at half the distance: beyond it the result is bent there, and has no slope to measure."""


def cut_inside(asked):
    """(in which mode, how much is left, is it the returned state alone) of a gradient that is cut in a call; None where nothing is cut."""
    for training in (False, True):
        module, level = _precise(asked, training)
        if module is None:
            continue
        inputs = asked.draws(least_steps=4)
        inputs = inputs[1:2] if training and len(inputs) > 1 else [*inputs[1:2], *inputs[-1:]]
        shares = [share for draw, x in enumerate(inputs) for share in _shares(asked, module, level, x, draw)]
        short = [(share, of_state) for share, of_state in shares if share < level["share"]]
        if len(short) >= level["needed"]:
            return ", in training mode" if training else "", max(abs(share) for share, _ in short), all(of_state for _, of_state in short)
    return None


def _precise(asked, training):
    """(a module to move, how precise it is): a copy in double precision, where there can be one; (None, …) where there is none for this mode."""
    module = asked.module
    try:
        copied = another(asked.on)
    except CannotAsk:
        return (None if training else module), SINGLE
    if not isinstance(copied, nn.Module):
        return (None if training else copied), SINGLE
    copied.train(training)
    for wanted, level in ((torch.float64, DOUBLE), (None, SINGLE)):
        try:
            precise = another(asked.on).train(training).to(wanted) if wanted else copied
            with torch.no_grad():
                x = asked.draws()[0]
                found = asked.run(_as(x, wanted), _as(asked.empty(x), wanted), precise)
            if wanted is None or all(part.dtype == wanted for part in trees.tensors(found) if part.is_floating_point()):
                return precise, level
        except ModuleRaised:
            continue
    return None, SINGLE


def _shares(asked, module, level, x, draw):
    """What autograd knows, from 0 to 1, of each slope that the numbers have: for the state, for an early step, one in the middle and the last."""
    wanted = torch.float64 if level is DOUBLE else None
    x, state = _as(x, wanted), _as(asked.made(x, 20 + draw), wanted)
    for place in range(len(trees.tensors(state))):
        yield from _share(asked, module, level, x, state, ("state", place), draw)
    for step in (0, asked.num_steps(x) // 2, asked.num_steps(x) - 1):
        yield from _share(asked, module, level, x, state, ("step", step), draw)


def _share(asked, module, level, x, state, where, draw):
    """[(share, is it the state's)] of one slope; [] where the numbers have none."""
    target = trees.tensors(state)[where[1]] if where[0] == "state" else trees.tensors(x)[0]
    if not target.is_floating_point() or not target.numel() or target.dtype in (torch.bfloat16, torch.float16):
        return []
    direction = torch.randn(target.shape, generator=torch.Generator().manual_seed(draw)).to(target)
    if where[0] == "step":
        only = torch.zeros_like(target)
        only.narrow(asked.time_axis, where[1], 1).fill_(1)
        direction = direction * only
    size = target.abs().max().item() or 1.0

    def results(moved):
        parts = trees.tensors(state if where[0] == "state" else x)
        parts[where[1] if where[0] == "state" else 0] = moved
        moved_tree = trees.with_tensors(state if where[0] == "state" else x, parts)
        with torch.random.fork_rng([]):
            seeded(draw)
            output, after = asked.run(*((x, moved_tree) if where[0] == "state" else (moved_tree, state)), module)
        return _groups(asked, output, after)

    step = level["step"] * size
    with torch.no_grad():
        up, down = results(target + step * direction), results(target - step * direction)
        nearer = results(target + step / 2 * direction), results(target - step / 2 * direction)
        noise = results(rounded(target, 1 + draw))
    with torch.enable_grad():
        leaf = target.detach().clone().requires_grad_()
        return _known(results(leaf), (up, down, *nearer, noise), leaf, direction, step, level)


def _known(found, moved, leaf, direction, step, level):
    """[(share of what autograd knows, is it the state's)]: one of all outputs together, one of each tensor in the state after them."""
    shares = [(_of_a_group(list(zip(*group)), leaf, direction, step, level), number > 0) for number, group in enumerate(zip(found, *moved))]
    return [share for share in shares if share[0] is not None]


def _of_a_group(pieces, leaf, direction, step, level):
    draws, total, count = torch.Generator().manual_seed(0), 0.0, 0
    for piece, above, below, near_above, near_below, otherwise in pieces:
        weights = torch.randn(piece.shape, generator=draws).to(piece)
        slope = (weights * (above - below)).sum().item() / (2 * step)
        rounding = torch.finfo(piece.dtype).eps * (weights * piece.detach()).abs().sum().item()
        blur = max(rounding, (weights * (piece.detach() - otherwise)).abs().sum().item()) / step  # a run may make much of one rounding
        nearer = (weights * (near_above - near_below)).sum().item() / step
        if not abs(slope) > level["certain"] * blur or abs(slope - nearer) > BENT * abs(slope):
            continue
        total, count = total + (weights * piece).sum() / slope, count + 1
    if not count:
        return None
    if not (isinstance(total, torch.Tensor) and total.requires_grad):
        return 0.0
    (gradient,) = torch.autograd.grad(total, leaf, allow_unused=True, retain_graph=True)
    return 0.0 if gradient is None else (gradient * direction).sum().item() / count


def _groups(asked, output, after):
    """[the steps of the output], and [each tensor of the state after it]."""
    axis = asked.axes.output_steps
    steps = [output] if axis is None else list(output.unbind(axis))
    return [[part for part in group if part.is_floating_point() and part.numel()] for group in (steps, *([part] for part in trees.tensors(after)))]


def _as(tree, dtype):
    return tree if dtype is None else trees.change(tree, lambda part: part.to(dtype) if part.is_floating_point() else part)

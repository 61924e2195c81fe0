"""The cut law: detach keeps the value and stops the gradient."""

import torch

from . import trees
from .comparing import Comparison, rounded
from .gradients import cut_inside
from .law import law
from .verdict import NAN, BreaksPromise, DoesNotApply, Verdict


@law
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

"""Why a law is broken, where that can be tried: something random inside, a start that lies in the module."""

from dataclasses import replace

import torch
from torch import nn

from .copies import another
from .inputs import seeded
from .verdict import CannotAsk

RANDOM = "the same call gives other numbers each time: something random is inside, a start, or a dropout that does not ask for self.training"


def because(verdict, cause):
    """The verdict with its cause in the same sentence, where there is one that it does not yet name."""
    return verdict if cause is None or cause in verdict.sentence else replace(verdict, sentence=f"{verdict.sentence}: {cause}")


def random_inside(asked):
    """The sentence, where calls differ that differ in PyTorch's random numbers alone; else None."""
    x = asked.draws()[0]
    for state in (asked.made(x), None) if asked.silent else (asked.made(x),):
        one, again, other = (_seeded(asked, x, state, seed) for seed in (1, 1, 2))
        if torch.equal(one, again) and not torch.equal(one, other):
            return RANDOM
    return None


def _seeded(asked, x, state, seed):
    seeded(seed)
    return asked.run(x, state)[0]


def start_inside(asked, x, zeros):
    """(name, whether it is learned) of a parameter or buffer that moves a call without a state and none with one; None where there is none."""
    if not isinstance(asked.module, nn.Module):
        return None
    try:
        module = another(asked.on)
    except CannotAsk:
        return None
    learned = {name for name, part in module.named_parameters() if part.requires_grad}
    named = {name: part for name, part in (*module.named_parameters(), *module.named_buffers()) if part.is_floating_point() and part.is_leaf}
    for part in named.values():
        part.requires_grad_()
    silent, spoken = (_moving(asked, module, list(named.values()), x, state) for state in (None, zeros))
    return next(((name, name in learned) for name, by_silence, by_zeros in zip(named, silent, spoken) if by_silence and not by_zeros), None)


def _moving(asked, module, parts, x, state):
    """For each tensor, whether the output's graph has it."""
    with torch.enable_grad():
        output = asked.run(x, state, module)[0]
        if not output.requires_grad or not parts:
            return [False] * len(parts)
        return [gradient is not None for gradient in torch.autograd.grad(output.sum(), parts, allow_unused=True)]

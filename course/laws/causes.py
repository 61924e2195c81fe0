"""Why a law is broken, where that can be tried: something random inside, a start that is learned."""

from dataclasses import replace

import torch
from torch import nn

from .inputs import seeded

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


def learned_start(asked, x, zeros):
    """The name of a parameter that moves a call without a state and none with one; None where there is none."""
    if not isinstance(asked.module, nn.Module):
        return None
    named = {name: part for name, part in asked.module.named_parameters() if part.requires_grad}
    silent, spoken = (_moving(asked, list(named.values()), x, state) for state in (None, zeros))
    return next((name for name, by_silence, by_zeros in zip(named, silent, spoken) if by_silence and not by_zeros), None)


def _moving(asked, parameters, x, state):
    """For each parameter, whether the output's graph has it."""
    with torch.enable_grad():
        output = asked.run(x, state)[0]
        if not output.requires_grad or not parameters:
            return [False] * len(parameters)
        return [gradient is not None for gradient in torch.autograd.grad(output.sum(), parameters, allow_unused=True)]

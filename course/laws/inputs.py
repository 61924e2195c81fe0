"""The inputs that a law draws: numbers for a layer that reads numbers, tokens for one that begins with an embedding, or what `on` says."""

import torch
from torch import nn

from . import trees
from .verdict import CannotAsk

NUM_STEPS, BATCH = 7, 3
SIZES = ((3, 7), (5, 12), (2, 13), (1, 40))
"""The batches and steps of what is drawn: more steps than a count that somebody might have built in, and a batch that is no other size."""
NO_SIZE = "nothing in this module says its input_size, how many features it reads: say laws.check_all(module, input_size=5), with its number for 5"


def drawn(asked, batch, steps, seed):
    """An input of this batch and so many steps, for an `Asked`; the same numbers for the same seed."""
    if asked.given is not None:
        return _like(asked, asked.given, batch, steps, seed)
    inputs = asked.on.inputs
    if isinstance(inputs, torch.Tensor):
        return _like(asked, inputs, batch, steps, seed)
    if inputs is not None:
        with torch.random.fork_rng([]):
            seeded(seed)
            return inputs(batch, steps)
    return random_input(asked.module, steps, batch, asked.input_size, asked.batch_axis == 0, seed)


def seeded(seed):
    """Set PyTorch's random numbers, of the devices that are in use: torch.manual_seed speaks to all others too, which takes longer than a run."""
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)


def random_input(module, num_steps=NUM_STEPS, batch=BATCH, input_size=None, batch_first=None, seed=0):
    """A random sequence for a module: (T, B, F) or (B, T, F), with its dtype and device, always the same for a seed.

    For a module that begins with an embedding: tokens, (T, B) or (B, T). Raises CannotAsk where nothing says how many features there are.
    """
    first = promise(module) if batch_first is None else batch_first
    shape, draws = (batch, num_steps) if first else (num_steps, batch), torch.Generator().manual_seed(seed)
    parameter = next((one for one in _parameters(module) if one.is_floating_point()), torch.zeros(()))
    layer, size = _reads(module) if input_size is None else (None, input_size)
    if isinstance(layer, nn.Embedding):
        return torch.randint(size, shape, generator=draws).to(parameter.device)
    if size is None:
        raise CannotAsk(NO_SIZE)
    return torch.randn(*shape, size, generator=draws).to(dtype=parameter.dtype, device=parameter.device)


def promise(module):
    """Whether a module takes (B, T, F): its own word, or that of the first recurrent layer in it."""
    return next((part.batch_first for part in parts_of(module) if isinstance(getattr(part, "batch_first", None), bool)), False)


def _like(asked, x, batch, steps, seed):
    """So many rows and steps of x, repeated where it has fewer; for another seed, other numbers of its kind."""
    draws = torch.Generator().manual_seed(seed)

    def shaped(part):
        for axis, size in ((asked.batch_axis, batch), (asked.time_axis, steps)):
            part = part.index_select(axis, torch.arange(size, device=part.device) % part.shape[axis])
        if seed == 0:
            return part
        order = torch.randperm(part.numel(), generator=draws)
        mixed = part.flatten()[order.to(part.device)].view_as(part)
        if not part.is_floating_point():
            return mixed
        return mixed + 0.5 * torch.randn(part.shape, generator=draws).to(part) * part.std(unbiased=False)

    return trees.change(x, shaped)


def reads(module):
    """How many features a module reads; None where nothing says it, or where it reads tokens."""
    layer, size = _reads(module)
    return None if isinstance(layer, nn.Embedding) else size


def _reads(module):
    """(layer, how many features): the module's own word, or the first layer in it that knows."""
    for part in parts_of(module):
        if isinstance(part, nn.Embedding):
            return part, part.num_embeddings
        size = part.in_features if isinstance(part, nn.Linear) else getattr(part, "input_size", None)
        if isinstance(size, int):
            return part, size
    return None, None


def parts_of(module):
    """The module itself, then those in it."""
    return list(module.modules()) if isinstance(module, nn.Module) else [module]


def _parameters(module):
    return module.parameters() if isinstance(module, nn.Module) else ()

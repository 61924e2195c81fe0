"""A small task that needs memory: which way did a sequence point, before it was asked?

Three classes. Class c points at the angle 120° * c, in features 0 and 1, at every step but the last. Features 2 and 3
are noise. The last step shows noise alone, and a flag in feature 4: now say the class. Whoever has kept nothing can
only guess, which costs ln 3 = 1.0986.
"""

import math
from dataclasses import dataclass

import torch

NUM_STEPS, NUM_FEATURES, NUM_CLASSES = 10, 5, 3
NOISE = 0.4
GUESSING = math.log(NUM_CLASSES)


@dataclass(frozen=True)
class Task:
    """Sequences with their classes. x: (T, N, F) float32; y: (N,) int64; the same for the test set."""

    x: torch.Tensor
    y: torch.Tensor
    x_test: torch.Tensor
    y_test: torch.Tensor
    seed: int

    def batches(self, epoch=0, size=10):
        """The training set as a list of batches (x (T, B, F), y (B,)), in an order of its own for every epoch."""
        order = torch.randperm(len(self.y), generator=generator(self.seed, 1 + epoch))
        return [(self.x[:, rows], self.y[rows]) for rows in order.split(size)]


def pointing(seed=0, sequences=300, tests=1000):
    """The task, drawn from `seed`: the same seed gives the same numbers."""
    draws = generator(seed, 0)
    x, y = _draw(draws, sequences)
    return Task(x, y, *_draw(draws, tests), seed)


def _draw(draws, count):
    y = torch.randint(NUM_CLASSES, (count,), generator=draws)
    x = torch.zeros(NUM_STEPS, count, NUM_FEATURES)
    x[:, :, :4] = NOISE * torch.randn(NUM_STEPS, count, 4, generator=draws)
    x[:-1, :, :2] += direction(y)
    x[-1, :, 4] = 1
    return x, y


def direction(y):
    """Where the classes y (N,) point, in features 0 and 1: (N, 2)."""
    angle = 2 * math.pi / NUM_CLASSES * y
    return torch.stack([angle.cos(), angle.sin()], dim=-1)


def generator(seed, draw):
    """Random numbers for one purpose: draw 0 is the data, 1 and more the order of the batches, `training.WEIGHTS` the first weights."""
    return torch.Generator().manual_seed(1000 * seed + draw)

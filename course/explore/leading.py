"""Which class leads, in words: one of them, several that are level, or nobody where a number is nan."""

from itertools import combinations

import torch

from .explorer import Table

LEVEL = 1e-5
"""Numbers that differ by less, relative to the largest where that is above 1, are level: they differ in rounding alone."""


def leading(axes, values, names, verb="leads"):
    """A Table (axes) that says in a sentence who has the largest of `values` (…, classes): "clover leads", "clover and linden are level"."""
    groups = [group for size in range(1, len(names) + 1) for group in combinations(range(len(names)), size)]
    top = values.amax(-1, keepdim=True)
    among = values >= top - LEVEL * top.abs().clamp(min=1)
    patterns = torch.tensor([[c in group for c in range(len(names))] for group in groups])
    found = (among.unsqueeze(-2) == patterns).all(-1).float().argmax(-1)
    found[values.isnan().any(-1)] = len(groups)
    return Table(axes, found, 0, (*(_said([names[c] for c in group], verb) for group in groups), "nobody can be named, for nan is no number"))


def _said(group, verb):
    return f"{group[0]} {verb}" if len(group) == 1 else f"{', '.join(group[:-1])} and {group[-1]} are level"

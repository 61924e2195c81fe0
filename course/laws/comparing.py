"""When two results agree: relative to the scale of what is compared, to its dtype, and to what rounding alone does to this module."""

import torch

from . import trees
from .verdict import NAN, DoesNotApply, Verdict

TOLERANCE = 1e-5
COARSE = {torch.bfloat16: 5e-2, torch.float16: 1e-2}
ROUNDINGS = {torch.bfloat16: 8, torch.float16: 8}
FAST_MATMUL = 5e-3
"""What TF32 leaves of a float32: ten bits."""


class Comparison:
    """Collects what a law compares, draw by draw: the worst stays.

    asked: the `Asked`; law: its name.
    """

    def __init__(self, asked, law):
        self.asked, self.law, self.worst = asked, law, 0.0
        self.said = None

    def same(self, one, other, what, run=None):
        """None where two tensors agree, else a Verdict. run: a function of a shift, which runs the module again to see what rounding does."""
        if one.shape != other.shape:
            return Verdict(self.law, False, f"{what} give shapes {tuple(one.shape)} and {tuple(other.shape)}", NAN)
        gap = _largest(one - other) if one.numel() else 0.0
        allowed = self.tolerance(one) * max(_largest(one), _largest(other)) if one.numel() else 0.0
        self.said = f"{what} agree to {self.tolerance(one):g}"
        if gap <= allowed or (run is not None and gap <= max(allowed, self._by_rounding(run, one))):
            self.worst = max(self.worst, gap)
            return None
        return Verdict(self.law, False, f"{what} differ by up to {gap:.2g}", gap)

    def holds(self):
        return Verdict(self.law, True, self.said, self.worst)

    def tolerance(self, part):
        if part.is_cuda and part.dtype == torch.float32 and torch.backends.cuda.matmul.allow_tf32:
            return FAST_MATMUL
        return COARSE.get(part.dtype, TOLERANCE)

    def _by_rounding(self, run, like):
        """How far the result of a run moves when its input is rounded otherwise: nothing, where a run is not even equal to itself."""
        if not like.is_floating_point():
            return 0.0
        with torch.no_grad():
            one, again = run(0), run(0)
            if not torch.equal(one, again):
                return 0.0
            moved = max(_largest(one - run(seed)) for seed in (1, 2))
        allowed = ROUNDINGS.get(like.dtype, 30) * moved
        if allowed > 0.5 * _largest(one) > 0:
            raise DoesNotApply(f"rounding of the input alone moves the outputs by up to {moved:.2g}: there is nothing that could be compared")
        return allowed


def rounded(tree, seed):
    """The tree with its floating numbers moved by one rounding, up or down; for seed 0 as they are."""
    if seed == 0:
        return tree
    draws = torch.Generator().manual_seed(seed)

    def moved(part):
        if not part.is_floating_point():
            return part
        return part * (1 + torch.finfo(part.dtype).eps * torch.randn(part.shape, generator=draws).sign().to(part))

    return trees.change(tree, moved)


def _largest(part):
    return part.detach().abs().max().item() if part.numel() else 0.0

"""On the meta device there are no values. Whoever asks for one there gets that of a tensor of zeros: to look at a tensor is never a mistake."""

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

from .case import MIXED

COMPARING = {"allclose", "equal"}
"""What says yes or no of two tensors, wherever they are."""
COPYING = {"cpu", "to", "numpy", "tensor", "as_tensor", "type"}
"""What may give a tensor on another device, and is asked to."""
MOST = 20_000
"""How often an answer may look. A loop that waits for a value to change would go on for ever."""


class NoValues(Exception):
    """The answer needs values to go on, and there are none."""


class Looking(TorchFunctionMode):
    """While it is on, what fails on meta tensors and works with zeros of their shapes gives what zeros give. `looked`: how often that was so."""

    def __init__(self):
        super().__init__()
        self.looked = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        try:
            return func(*args, **kwargs)
        except (RuntimeError, TypeError, NotImplementedError, BufferError) as error:
            return self._with_zeros(func, args, kwargs, error)

    def _with_zeros(self, func, args, kwargs, error):
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        name = getattr(func, "__name__", "")
        if not any(map(_is_meta, tensors)) or not (all(map(_is_meta, tensors)) or name in COMPARING):
            raise error
        try:
            value = func(*tree_map(_zeros, args), **tree_map(_zeros, kwargs))
        except Exception:  # it is no missing value that it fails for
            raise error from None
        self.looked += 1
        if self.looked > MOST or (name not in COPYING and any(isinstance(leaf, torch.Tensor) for leaf in tree_leaves(value))):
            raise NoValues("the values of a tensor on meta decide what comes next") from error
        return value

    def excuses(self, error):
        """Is an error not the learner's, because made-up values led to it? Tensors of two devices in one operation are, whatever was looked at."""
        return self.looked > 0 and isinstance(error, Exception) and not any(words in str(error) for words in MIXED)


def _is_meta(tensor):
    return tensor.device.type == "meta"


def _zeros(value):
    return torch.zeros(value.shape, dtype=value.dtype) if isinstance(value, torch.Tensor) and _is_meta(value) else value

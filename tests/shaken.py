"""A processor that adds up in another order, for test_second_kernel.py: run in a notebook's kernel when it starts.

Every float32 that comes out of a sum, a product of matrices, or a function like tanh becomes the float32 above or below
it. The same call gives the same numbers again, as on any machine. What has a short binary form, as 0, 1 or 0.5, is exact
on every machine, and stays; so does what IEEE 754 leaves no choice about: one addition, one multiplication.
"""

import os

import torch
from torch.utils._python_dispatch import TorchDispatchMode

SHAKEN = {
    "addmm",
    "addmv",
    "baddbmm",
    "bmm",
    "dot",
    "mm",
    "mv",
    "sum",
    "mean",
    "var",
    "std",
    "norm",
    "linalg_vector_norm",
    "logsumexp",
    "tanh",
    "tanh_",
    "sigmoid",
    "sigmoid_",
    "exp",
    "log",
    "cos",
    "sin",
    "pow",
    "_softmax",
    "_log_softmax",
    "tanh_backward",
    "_softmax_backward_data",
    "_log_softmax_backward_data",
    "addcdiv_",
    "addcmul_",
    "lerp",
    "lerp_",
}
SEED = int(os.environ.get("SHAKEN", "1"))


class Shaken(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        if func.overloadpacket.__name__ in SHAKEN:
            for tensor in made if isinstance(made, (tuple, list)) else (made,):
                if isinstance(tensor, torch.Tensor) and tensor.dtype == torch.float32 and tensor.device.type == "cpu":
                    shake(tensor)
        return made


@torch.no_grad()
def shake(tensor):
    """Change the last digit of each number, up or down as its digits and its place say."""
    bits = tensor.contiguous().view(torch.int32).long()
    places = torch.arange(bits.numel()).reshape(bits.shape)
    up = ((bits + 31 * places + SEED) * 2654435761 >> 20) & 1
    neighbours = (bits + 2 * up - 1).int().view(torch.float32)
    tensor.copy_(torch.where(bits & 0xFFF == 0, tensor, neighbours))


Shaken().__enter__()

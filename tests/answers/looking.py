"""Ways to look at a tensor, put around right answers of every exercise: none of them is a mistake. Each of them is given one tensor."""

import logging
import math

import matplotlib

matplotlib.use("Agg")

import numpy as np
import torch
from matplotlib import pyplot as plt


def sum_is_zero(t):
    assert t.sum() == 0 or t.sum() != 0


def prints_an_item(t):
    print(t.sum().item(), f"{t.sum():.3f}", f"{t}")


def prints_lists(t):
    print(t.tolist(), t.detach().cpu().tolist())


def through_numpy(t):
    print(t.detach().cpu().numpy().shape, np.asarray(t.detach()).mean(), np.array([float(v) for v in t.flatten()]).sum())


def asks(t):
    if (t != 0).any():
        print("not all are zero")
    if not torch.isfinite(t).all():
        print("not all are finite")
    while t.abs().max() < -1:
        pass


def as_numbers(t):
    return int(t.sum() > 0), float(t.flatten()[0]), bool(t.sum() == 0), complex(t.flatten()[0]), t.flatten()[0].is_nonzero(), math.isnan(t.flatten()[0])


def repr_and_hash(t):
    return repr(t), str(t), hash(t), {t: 1}, hash(t.sum().item()), t.shape, t.device, t.dtype, t.stride(), t.data_ptr()


def logs(t):
    logging.getLogger("mine").warning("the sum is %s, %.3f", t.sum(), t.sum())
    logging.getLogger("mine").debug("%r", t)


def plots(t):
    figure = plt.figure()
    plt.plot(t.detach().flatten())
    plt.imshow(t.detach().reshape(1, -1))
    plt.close(figure)


def compares(t):
    return torch.equal(t, t), torch.allclose(t, torch.zeros_like(t)), torch.testing.assert_close(t, t, equal_nan=True), 0.0 in t


def sorts(t):
    return sorted(t.flatten()), max(t.flatten()), min(t.flatten()), sum(t.flatten()), list(range(int(t.numel() > 0)))


def keeps_a_copy(t, kept=[]):
    kept.append(t.detach().clone())
    kept.append(t.detach().cpu())
    del kept[:-4]


def counts(t):
    return t.nonzero(), t.unique(), t[t > 0]


def anomalies(t):
    torch.autograd.set_detect_anomaly(True)


def asserts_its_rows(t):
    assert np.isfinite(t.detach().numpy()).all() or True
    assert t.detach().norm() >= 0, t.detach().norm().item()


LOOKS = [
    sum_is_zero,
    prints_an_item,
    prints_lists,
    through_numpy,
    asks,
    as_numbers,
    repr_and_hash,
    logs,
    plots,
    compares,
    sorts,
    keeps_a_copy,
    counts,
    anomalies,
    asserts_its_rows,
]


def tensors(value):
    """All floating-point tensors in a value."""
    if isinstance(value, torch.Tensor):
        return [value] if value.is_floating_point() else []
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [tensor for item in items for tensor in tensors(item)]


def looking(right, look):
    """The right answer, which looks at all it is given before it begins and at all it has made when it is done. Of a class, at each of its calls."""

    def answer(*args):
        for tensor in tensors(args):
            look(tensor)
        value = right(*args)
        for tensor in tensors(value):
            look(tensor)
        return looking(value, look) if callable(value) and not isinstance(value, torch.nn.Module) else value

    return answer


def inside_detect_anomaly(right):
    def answer(*args):
        with torch.autograd.detect_anomaly():
            return right(*args)

    return answer

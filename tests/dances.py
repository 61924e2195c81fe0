"""What `explore.meet` should show, made again by hand: a dance, the network that reads it, the places nearest to it."""

from functools import cache

import torch

from course import training


@cache
def model():
    return training.fit(epochs=20, show=False).model


def nearest(angle):
    """The places at the smallest angle from this one, as the numbers of their sectors."""
    away = [min(abs(angle - place), 360 - abs(angle - place)) for place in (0, 120, 240)]
    return [place for place, degrees in enumerate(away) if degrees == min(away)]


def dance(v):
    """One dance, made again by hand: (10, 5)."""
    x = torch.zeros(10, 5)
    x[:, :4] = v["noise"] * torch.randn(10, 4, generator=torch.Generator().manual_seed(27))
    angle = torch.tensor(v["angle"] * torch.pi / 180)
    x[:9, 0] += angle.cos()
    x[:9, 1] += angle.sin()
    x[9, 4] = 1
    return x


def expected_meet(v):
    """For test_explore.py, which compares every explorer with PyTorch."""
    x, step = dance(v), int(v["step"])
    with torch.no_grad():
        probs = model()(x[:step, None])[0].softmax(-1)
    return {"glances": x[:, :2], "probs": probs, "leader": probs.argmax(), "chance": probs.max(), "nearest": torch.tensor(int(v["angle"] // 10))}

"""The first page: a trained network reads a bee's dance, before anything of it is explained."""

from functools import cache

import torch

from course.explore import views
from course.explore.explorer import Explorer, Scene, Slider, Table
from course.networks import tasks, training
from course.pictures.drawing import INK, arrow, blank, in_one_style, picture_of
from course.pictures.learning import CURVES
from course.pictures.story import CLASSES

GLANCES = tasks.NUM_STEPS
ANGLE = Slider("angle", "dance, °", 0, 350, 10, 120)
NOISE = Slider("noise", "noise", 0, 1, 0.1, 0.4)
STEP = Slider("step", "glance", 1, GLANCES, 1, 1)
EPOCHS = 20
"""So many that the network is as good as sure."""
CHANCES = 27
"""The seed of the noise: with it the first glance at linden looks like clover, and the second does not."""


def meet():
    """A trained network reads a dance of ten glances: after each it says where the flowers are. Sliders for the dance, its noise and the glance."""
    x = _dances()
    probs = _after_each_glance(x)
    leader, chance = probs.argmax(-1), probs.amax(-1)
    names, start = ("angle", "noise", "step"), (ANGLE.position(ANGLE.start), NOISE.position(NOISE.start))
    nearest = tuple(_nearest(angle) for angle in ANGLE.values)
    return Explorer(
        Scene(
            title="Explorer: a network reads a dance",
            controls=[STEP, ANGLE, NOISE],
            tables={
                "glances": Table(("angle", "noise", "glance", "xy"), x[..., :2]),
                "probs": Table((*names, "class"), probs),
                "leader": Table(names, leader, 0, CLASSES),
                "chance": Table(names, chance),
                "nearest": Table(("angle",), torch.arange(len(nearest)), 0, nearest),
            },
            views=[
                views.map("Glance {step} of the dance", ("glance", "glances"), "glance", "xy", "class", "leader", "step"),
                views.bars("What the network says after glance {step}", [("probability", "probs")], "class", limits=(0, 1), palette="probs"),
            ],
            words="After glance {step}: {leader} {chance}. She dances toward {angle}°, and nearest to that is {nearest}.",
            picture=_picture(x[start][:, :2], int(STEP.start), probs[start][STEP.position(STEP.start)]),
            axes={
                "class": ("place", list(CLASSES)),
                "glance": ("glance", [str(i + 1) for i in range(GLANCES)]),
                "xy": ("to the", ["east", "north"]),
            },
            note=lambda: f"East is 0°, north 90°. Glances 1 to {GLANCES - 1} see the dance. At glance {GLANCES} it is over, and a sister asks: where?",
        )
    )


def _dances():
    """What the sensors give (angles, noises, T, F): a dance at every angle, with the same chances, larger or smaller."""
    angle = torch.deg2rad(torch.tensor(ANGLE.values))
    x = torch.zeros(len(ANGLE.values), len(NOISE.values), GLANCES, tasks.NUM_FEATURES)
    x[..., :4] = torch.tensor(NOISE.values)[:, None, None] * torch.randn(GLANCES, 4, generator=torch.Generator().manual_seed(CHANCES))
    x[..., :-1, :2] += torch.stack([angle.cos(), angle.sin()], dim=-1)[:, None, None]
    x[..., -1, 4] = 1
    return x


@torch.no_grad()
def _after_each_glance(x):
    """The three probabilities after every glance (angles, noises, T, C)."""
    model = _network()
    return model.out(model.rnn(x.flatten(0, 1).transpose(0, 1))[0]).softmax(-1).transpose(0, 1).unflatten(0, x.shape[:2])


@cache
def _network():
    return training.fit(epochs=EPOCHS, show=False).model


def _nearest(angle):
    """The place nearest to an angle; two where it lies in the middle between them."""
    turn = 360 // len(CLASSES)
    away = [abs((int(angle) - turn * c + 180) % 360 - 180) for c in range(len(CLASSES))]
    return " or ".join(name for name, degrees in zip(CLASSES, away) if degrees == min(away))


@in_one_style
def _picture(glances, step, probs):
    """The map at one glance, and what the network says then."""
    fig, ax = blank(4.4, 3.4, (-2.9, 2.9), (-2.6, 2.4))
    ax.set_aspect("equal")
    said = int(probs.argmax())
    for c, (name, (east, north)) in enumerate(zip(CLASSES, (2.1 * tasks.direction(torch.arange(len(CLASSES)))).tolist())):
        ax.plot(east, north, CURVES[c][2], color=CURVES[c][0], markersize=9, fillstyle="full" if c == said else "none")
        ax.text(east, north + (0.3 if north > 0.5 else -0.6), f"{name} {probs[c]:.2f}", ha="center", weight="bold" if c == said else "normal")
    ax.plot(*glances[: step - 1].T.double().round(decimals=3).tolist(), ".", color=INK, alpha=0.6)
    arrow(ax, (0, 0), glances[step - 1].double().round(decimals=3).tolist())
    ax.text(0.1, -0.45, "hive")
    return picture_of(fig, f"A map with the hive and three places. At glance {step} an arrow shows where the bee points; the network says {CLASSES[said]}.")

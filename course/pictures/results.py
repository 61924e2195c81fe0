"""Pictures of what comes out: logits, probabilities, a whole prediction."""

import textwrap

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .drawing import FAINT, GROUND, INK, INPUT, LOGITS, PROBS, STATE, WEIGHT, arrow, blank, in_one_style, listed, number_cell, numbers, picture_of, placed
from .story import class_names

MOST = 8
"""Numbers of one layer that a picture of a prediction holds."""


@in_one_style
def output(trace, t=-1, row=0):
    """How the output layer makes logits: each unit's share W_out[c, u] * h[u], the bias, and their sum."""
    h, logits = trace.states[t, row], trace.logits[t, row]
    shares = (trace.W_out * h).tolist()
    classes, units = trace.W_out.shape
    names = class_names(classes)
    fig, ax = blank(9, 0.55 * classes + 1.6, xlim=(-1.6, 1.25 * (units + 2) + 1), ylim=(classes + 0.2, -1.9))
    heads = [f"unit {u}\nh = {value:.2f}" for u, value in enumerate(h.tolist())] + ["bias", "logit"]
    for i, head in enumerate(heads):
        ax.text(1.25 * i + 0.55 + 0.4 * (i > units), -0.75, head, ha="center", va="center")
    for c in range(classes):
        ax.text(-0.2, c + 0.5, names[c], ha="right", va="center")
        for u in range(units):
            number_cell(ax, 1.25 * u, c, 1.1, shares[c][u], STATE)
        number_cell(ax, 1.25 * units, c, 1.1, trace.b_out[c].item(), WEIGHT)
        ax.text(1.25 * (units + 1) + 0.1, c + 0.5, "=", ha="center", va="center", size=13)
        ax.add_patch(Rectangle((1.25 * (units + 1) + 0.4, c + 0.06), 1.1, 0.88, facecolor="#c8eadd", edgecolor=LOGITS, linewidth=2))
        ax.text(1.25 * (units + 1) + 0.95, c + 0.5, f"{logits[c]:.2f}", ha="center", va="center", weight="bold")
    return picture_of(
        fig,
        (
            f"Each class adds up its weighted shares of the state {numbers(h)} and its bias. "
            f"The logits are {numbers(logits)}; the largest is that of {names[logits.argmax()]}."
        ),
    )


@in_one_style
def probabilities(logits):
    """Logits (C,) as bars, and the probabilities that softmax makes of them beside it."""
    logits = logits.detach().float()
    probs = logits.softmax(-1)
    names = class_names(len(logits))
    fig = Figure(figsize=(8, 0.5 * len(names) + 1.1), layout="constrained", facecolor=GROUND)
    left, right = fig.subplots(1, 2)
    _bars(left, names, logits.tolist(), LOGITS, "//", "logits", 2)
    _bars(right, names, probs.tolist(), PROBS, "..", "probabilities", 3)
    right.set_xlim(0, 1.25)
    return picture_of(fig, f"The logits {numbers(logits)} of {', '.join(names)} become the probabilities {numbers(probs, 3)}, which sum to 1.")


@in_one_style
def prediction(layers):
    """The layers of one prediction as columns of numbers: [(name, values (size,))], from the input to the probabilities.

    The first is drawn as input, the last two as logits and probabilities, those between as states. Of a long layer the
    first numbers are drawn.
    """
    lines = [min(len(values), MOST) for _, values in layers]
    tallest = max(lines) + any(len(values) > MOST for _, values in layers)
    kinds = [INPUT, *[STATE] * (len(layers) - 3), LOGITS, PROBS]
    left = _left_edges(kinds)
    fig, ax = blank(0.93 * (left[-1] + 1.9), 0.42 * tallest + 1.3, xlim=(-0.2, left[-1] + 1.8), ylim=(tallest + 0.2, -1.7))
    for i, ((name, values), kind, x) in enumerate(zip(layers, kinds, left)):
        ax.text(x + 0.7, -1, f"{i + 1}  {textwrap.fill(name, 15)}", ha="center", va="center", size=10)
        ax.text(x + 0.7, -0.25, f"(1, {len(values)})", ha="center", va="center", color=FAINT, size=9)
        for row, value in enumerate(values.tolist()[:MOST]):
            _cell_of_kind(ax, x, row, value, kind)
        if len(values) > MOST:
            ax.text(x + 0.7, MOST + 0.5, f"… {len(values) - MOST} more", ha="center", va="center")
        if i:
            middle = 0.5 * min(lines[i - 1 : i + 1])
            join = _handed_on if kind is kinds[i - 1] else arrow
            join(ax, (left[i - 1] + 1.48, middle), (x - 0.06, middle))
    parts = ", ".join(f"{name} {listed(values.tolist()[:MOST])}" for name, values in layers)
    return picture_of(fig, f"One prediction in {len(layers)} layers: {parts}. The state is handed on from step to step.")


def _left_edges(kinds):
    """Where each column begins: with room between two states for the steps that lie between them."""
    edges = [0]
    for before, kind in zip(kinds, kinds[1:]):
        edges.append(edges[-1] + (4.4 if kind is before else 2))
    return edges


def _handed_on(ax, start, end):
    """From one state to a later one: the steps between them, each handing its state to the next."""
    (x, y), (last, _) = start, end
    width = (last - x) / 4
    for i in range(4):
        arrow(ax, (x + i * width + (0.34 if i else 0), y), (x + (i + 1) * width, y))
        if i:
            ax.add_patch(Rectangle((x + i * width, y - 0.3), 0.34, 0.6, facecolor="white", edgecolor=INK, linewidth=0.8))
    ax.text((x + last) / 2 + 0.1, y - 0.75, "step by step", ha="center", va="center", color=FAINT, size=9)


def _bars(ax, names, values, colour, hatch, title, digits):
    ax.set_facecolor(GROUND)
    drawn = placed(values)
    ax.barh(names, drawn, color=colour, hatch=hatch, edgecolor="white")
    ax.invert_yaxis()
    ax.set_title(title, size=10)
    ax.spines[["top", "right", "bottom"]].set_visible(False)
    ax.set_xticks([])
    ax.tick_params(length=0)
    low, high = min(0.0, *drawn), max(0.0, *drawn)
    ax.set_xlim(low, high + 0.25 * (high - low or 1))
    for i, value in enumerate(values):
        ax.text(max(drawn[i], 0) + 0.02 * (high - low or 1), i, f"{value:.{digits}f}", va="center")


def _cell_of_kind(ax, x, y, value, kind):
    """A number in a cell, filled by its colour map, or framed by its one colour."""
    if not isinstance(kind, str):
        number_cell(ax, x, y, 1.4, value, kind, digits=3)
        return
    ax.add_patch(Rectangle((x, y + 0.06), 1.4, 0.88, facecolor="white", edgecolor=kind, linewidth=2))
    ax.text(x + 0.7, y + 0.5, f"{value:.3f}", ha="center", va="center")

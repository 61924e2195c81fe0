"""The network unrolled in time: the same cell at every step, and the arrow by which its state goes on."""

from matplotlib.patches import FancyBboxPatch

from .drawing import FAINT, INK, STATE, arrow, blank, in_one_style, number_cell, numbers, picture_of
from .story import CLASSES

STEPS = 10
WAYS = {
    "carried": "the state goes on, and the gradient comes back the same way",
    "detached": "the numbers go on, the gradient is cut at the double bar",
    "reset": "the state ends there, and the next step starts from zeros",
    "no memory": "one step alone is read",
}
CUT = "#c04e00"
CELL, ARROW = 0.62, (0.62, 1.0)
"""How wide a cell is, and from where to where an arrow runs; a step is 1 wide."""


@in_one_style
def unrolled(way="carried", cut=None, trace=None, row=0):
    """Time steps side by side, ten or those of a trace: an input from below into each cell, and a state from each cell to the next.

    way: "carried", "detached", "reset" or "no memory", as lesson 7 has them, or a list of these, drawn one below the other.
    cut: the one step, from 2 on, before which the state is detached or reset; left out, before each.
    trace: a Trace, whose states are written above the cells; row: which sequence of its batch. Raises ValueError for another way or step.
    """
    ways = [way] if isinstance(way, str) else list(way)
    if not set(ways) <= set(WAYS):
        raise ValueError(f"way is one of {', '.join(WAYS)}, or a list of these; not {way!r}")
    states = None if trace is None else trace.states[:, row].tolist()
    steps = len(states) if states else STEPS
    if cut is not None and cut not in range(2, steps + 1):
        raise ValueError(f"cut is a step from 2 to {steps}; not {cut!r}")
    tall = 1.75 + (0.36 * len(states[0]) if states else 0) + 0.35 * (len(ways) > 1)
    fig, ax = blank(0.75 * (steps + 2.6), 0.72 * tall * len(ways), xlim=(-1.15, steps + 1.5), ylim=(-tall * len(ways) + 0.2, 0.2))
    for line, each in enumerate(ways):
        _one_way(ax, -tall * line, each, cut, steps, states, titled=len(ways) > 1)
    said = "; ".join(f"{each}: {WAYS[each]}" for each in ways) + "."
    parts = [f"The same cell at {steps} time steps. At each it reads an input and the state of the step before."]
    parts += [said[0].upper() + said[1:]] if ways != ["carried"] else []
    parts += [f"This happens before step {cut} alone."] if cut else []
    parts += [f"After step 1 the state is {numbers(trace.states[0, row])}, after step {steps} {numbers(trace.states[-1, row])}."] if states else []
    return picture_of(fig, " ".join(parts))


def _one_way(ax, top, way, cut, steps, states, titled):
    if titled:
        ax.text(-1.1, top, f"{way}: {WAYS[way]}", ha="left", va="center", size=10)
        top -= 0.4
    if states:
        for step, state in enumerate(states):
            for unit, value in enumerate(state):
                number_cell(ax, step - 0.06, top - 0.36 * (unit + 1), 0.74, value, STATE, height=0.36)
        top -= 0.36 * len(states[0]) + 0.1
    middle = top - 0.45
    ax.text(-0.75, middle, "zeros", ha="center", va="center", size=9, color=FAINT)
    for step in range(1, steps + 1):
        read = way != "no memory" or step == steps
        ink = INK if read else "#c8ccd1"
        ax.add_patch(FancyBboxPatch((step - 1, middle - 0.25), CELL, 0.5, boxstyle="round,pad=0.02", edgecolor=ink, facecolor="white", linewidth=1))
        ax.text(step - 1 + CELL / 2, middle, str(step), ha="center", va="center", color=ink)
        if read:
            arrow(ax, (step - 1 + CELL / 2, middle - 0.72), (step - 1 + CELL / 2, middle - 0.3))
        if read:
            _into(ax, step, middle, way, cut in (None, step))
    ax.text(-1.1, middle - 0.66, "inputs", ha="left", va="center", size=9, color=FAINT)
    arrow(ax, (steps - 1 + CELL + 0.02, middle), (steps + 0.12, middle))
    ax.text(steps + 0.18, middle, " or\n".join((", ".join(CLASSES[:-1]), CLASSES[-1])) + "?", ha="left", va="center", size=9)


def _into(ax, step, middle, way, here):
    """The arrow by which a state comes into the cell of this step."""
    start, end = step - 2 + ARROW[0] + 0.03, step - 2 + ARROW[1] - 0.03
    if way == "no memory":
        ax.text(end - 0.1, middle + 0.02, "0", ha="center", va="center", size=9, color=CUT, weight="bold")
    elif way == "reset" and here and step > 1:
        ax.plot([start - 0.01, start + 0.08], [middle, middle], color=INK, linewidth=1.2)
        _bar(ax, start + 0.09, middle)
        ax.text(end - 0.1, middle + 0.02, "0", ha="center", va="center", size=9, color=CUT, weight="bold")
    else:
        arrow(ax, (start, middle), (end, middle))
        if way == "detached" and here and step > 1:
            _bar(ax, start + 0.1, middle)
            _bar(ax, start + 0.17, middle)


def _bar(ax, x, middle):
    ax.plot([x, x], [middle - 0.2, middle + 0.2], color=CUT, linewidth=1.8)


@in_one_style
def two_layers(steps=3):
    """Two layers, one above the other, over a few steps: each state goes up as an input, and right to the next step."""
    fig, ax = blank(7.5, 3, xlim=(-1.6, 2 * steps + 0.6), ylim=(-0.75, 2.75))
    for layer in range(2):
        y = 1.4 * layer + 0.35
        ax.text(-1.5, y, f"h[{layer}] = 0", ha="left", va="center")
        arrow(ax, (-0.65, y), (-0.08, y))
        for step in range(steps):
            x = 2 * step
            ax.add_patch(FancyBboxPatch((x, y - 0.3), 1, 0.6, boxstyle="round,pad=0.03", edgecolor=INK, facecolor="white", linewidth=1))
            ax.text(x + 0.5, y, f"cells[{layer}]", ha="center", va="center")
            arrow(ax, (x + 0.5, y - 0.98 if layer else y - 0.8), (x + 0.5, y - 0.38))
            arrow(ax, (x + 1.06, y), (x + 1.92, y))
            ax.text(x + 1.48, y + 0.18, f"h[{layer}]", ha="center", va="center", size=9)
    for step in range(steps):
        ax.text(2 * step + 0.5, -0.62, f"x[{step}]", ha="center", va="center")
        arrow(ax, (2 * step + 0.5, 2.13), (2 * step + 0.5, 2.5))
        ax.text(2 * step + 0.72, 2.5, "output", ha="left", va="center", size=9, color=FAINT)
    return picture_of(
        fig,
        f"Two layers over {steps} steps. At each step the new state h[0] of the lower cell goes up as the input of the upper cell, and both states go on to the next step.",
    )

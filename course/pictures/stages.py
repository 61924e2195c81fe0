"""Pictures of a network's stages, from the sequence to the probabilities."""

import textwrap

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from .drawing import (
    FAINT,
    GROUND,
    INK,
    INPUT,
    LOGITS,
    PROBS,
    STATE,
    WEIGHT,
    arrow,
    blank,
    grid,
    in_one_style,
    listed,
    number_cell,
    numbers,
    picture_of,
)

STAGES = (
    ("input\nsequence", "(T, B, F)"),
    ("zero\nstate", "(1, B, H)"),
    ("cell\nstep", "(B, H)"),
    ("carry\nover time", "(T, B, H)"),
    ("output\nlayer", "(B, C)"),
    ("softmax", "(B, C)"),
)
MOST = 8
"""Numbers of one layer that a picture of a prediction holds."""


@in_one_style
def pipeline(here):
    """The six stages from sequence to probabilities, with stage `here` (1 to 6) marked."""
    if not 1 <= here <= len(STAGES):
        raise ValueError(f"the pipeline has stages 1 to {len(STAGES)}, not {here}")
    fig, ax = blank(9, 1.7, xlim=(0, 6), ylim=(0, 1.1))
    for i, (name, shape) in enumerate(STAGES, start=1):
        current = i == here
        ax.add_patch(
            FancyBboxPatch(
                (i - 0.93, 0.2),
                0.72,
                0.6,
                boxstyle="round,pad=0.03",
                edgecolor=INK,
                facecolor="#ffe9a8" if current else "white",
                linewidth=2.4 if current else 0.8,
            )
        )
        ax.text(i - 0.57, 0.57, f"{i}  {name}", ha="center", va="center", weight="bold" if current else "normal")
        ax.text(i - 0.57, 0.28, shape, ha="center", va="center", color=FAINT, size=9)
        if current:
            ax.text(i - 0.57, 0.98, "you are here", ha="center", va="center", size=9)
        if i < len(STAGES):
            arrow(ax, (i - 0.17, 0.5), (i + 0.03, 0.5))
    name = STAGES[here - 1][0].replace("\n", " ")
    return picture_of(fig, f"The pipeline has six stages. You are at stage {here} of 6: {name}.")


@in_one_style
def sequence(x, row=0, mark=None):
    """One sequence of a batch as a grid: time to the right, features downwards.

    x: (T, B, F); row: which sequence of the batch; mark: a step (from 1) to put a frame around.
    """
    values = x[:, row].detach()
    steps, features = values.shape
    fig, ax = blank(0.75 * steps + 1.6, 0.42 * features + 1.1)
    grid(ax, values.T, INPUT, column="time step", line="feature")
    if mark is not None:
        ax.add_patch(Rectangle((mark - 1.5, -0.5), 1, features, fill=False, linewidth=3, edgecolor=INK))
    ends = f"It starts with {numbers(values[0])} and ends with {numbers(values[-1])}."
    marked = "" if mark is None else f" Step {mark} is framed."
    return picture_of(fig, f"A sequence of {steps} time steps with {features} features each. {ends}{marked}")


@in_one_style
def tensor_block(sizes):
    """The shape of a tensor with three axes, drawn as sheets of cells with every axis named.

    sizes: three names with their sizes, in the order of the tensor's axes, as
    {"time": 10, "batch": 1, "features": 5}. The first axis counts sheets, the second lines, the third columns.
    """
    (sheets_name, sheets), (lines_name, lines), (columns_name, columns) = sizes.items()
    shift = 0.45
    width, height = columns + shift * (sheets - 1), lines + shift * (sheets - 1)
    fig, ax = blank(0.42 * width + 3.4, 0.42 * height + 1.4, xlim=(-0.5, width + 6), ylim=(-1.6, height + 0.6))
    ax.set_aspect("equal")
    for sheet in reversed(range(sheets)):
        for line in range(lines):
            for column in range(columns):
                corner = (column + shift * sheet, lines - 1 - line + shift * sheet)
                ax.add_patch(Rectangle(corner, 1, 1, facecolor="white" if sheet else "#d6e6f2", edgecolor=INK, linewidth=0.8))
    ax.text(columns / 2, -0.7, f"{columns_name}: {columns}", ha="center", va="center")
    ax.text(width + 0.4, height - lines / 2, f"{lines_name}: {lines}", va="center")
    ax.text(columns + shift * (sheets - 1) / 2 + 0.6, shift * (sheets - 1) / 2 - 0.1, f"{sheets_name}: {sheets}", va="center")
    shape = ", ".join(str(size) for size in sizes.values())
    axes = ", ".join(f"{name} {size}" for name, size in sizes.items())
    return picture_of(fig, f"A block of shape ({shape}): {axes}. The first axis counts the sheets.")


@in_one_style
def cell(trace, t=0, row=0):
    """The inside of one step with its numbers: input part, state part, their sum, tanh, new state.

    trace: a Trace; t: the step, counted from 0; row: which sequence of the batch.
    """
    columns = (
        ("state before\nh", trace.before(t)[row], STATE),
        ("state part\nW_hh h + b_hh", trace.state_part[t, row], STATE),
        ("input part\nW_ih x + b_ih", trace.input_part[t, row], STATE),
        ("sum", trace.total[t, row], STATE),
        ("tanh(sum)\nnew state h'", trace.states[t, row], STATE),
    )
    signs = ("→", "+", "=", "→")
    units = len(columns[0][1])
    fig, ax = blank(9, 0.5 * units + 1.5, xlim=(-0.3, 9.9), ylim=(units + 0.3, -1.6))
    for i, (name, values, cmap) in enumerate(columns):
        ax.text(2 * i + 0.7, -0.75, name, ha="center", va="center", size=10)
        for unit, value in enumerate(values.tolist()):
            number_cell(ax, 2 * i, unit, 1.4, value, cmap, digits=3)
        if i < len(signs):
            ax.text(2 * i + 1.7, units / 2, signs[i], ha="center", va="center", size=16)
    return picture_of(
        fig,
        (
            f"Step {t + 1}: the input part {numbers(trace.input_part[t, row], 3)} plus the state part "
            f"{numbers(trace.state_part[t, row], 3)} goes through tanh and becomes the new state "
            f"{numbers(trace.states[t, row], 3)}."
        ),
    )


@in_one_style
def states(trace, row=0):
    """The state over time: a grid with one line for each hidden unit and one column for each step."""
    values = trace.states[:, row]
    steps, units = values.shape
    fig, ax = blank(0.75 * steps + 1.6, 0.42 * units + 1.1)
    grid(ax, values.T, STATE, column="time step", line="hidden unit")
    return picture_of(
        fig, (f"The state of {units} hidden units over {steps} time steps: {numbers(values[0])} after step 1, {numbers(values[-1])} after step {steps}.")
    )


@in_one_style
def reach(difference, gradient):
    """How far one changed input moves the state at each step, and how much each input moves the last state.

    difference, gradient: (T,) each; both are drawn as bars over the steps.
    """
    fig = Figure(figsize=(8, 2.2), layout="constrained", facecolor=GROUND)
    for ax, values, title in zip(fig.subplots(1, 2), (difference, gradient), ("the difference at each step", "the gradient at each input")):
        ax.set_facecolor(GROUND)
        ax.bar(range(1, len(values) + 1), values.tolist(), color=STATE(1.0), hatch="//", edgecolor="white")
        ax.set_xticks(range(1, len(values) + 1))
        ax.set_title(title, size=10)
        ax.spines[["top", "right"]].set_visible(False)
    return picture_of(fig, f"Over {len(difference)} steps the difference is {numbers(difference)}, and the gradient {numbers(gradient)}.")


@in_one_style
def output(trace, t=-1, row=0):
    """How the output layer makes logits: each unit's share W_out[c, u] * h[u], the bias, and their sum."""
    h, logits = trace.states[t, row], trace.logits[t, row]
    shares = (trace.W_out * h).tolist()
    classes, units = trace.W_out.shape
    fig, ax = blank(9, 0.55 * classes + 1.6, xlim=(-1.6, 1.25 * (units + 2) + 1), ylim=(classes + 0.2, -1.9))
    heads = [f"unit {u}\nh = {value:.2f}" for u, value in enumerate(h.tolist())] + ["bias", "logit"]
    for i, head in enumerate(heads):
        ax.text(1.25 * i + 0.55 + 0.4 * (i > units), -0.75, head, ha="center", va="center")
    for c in range(classes):
        ax.text(-0.2, c + 0.5, f"class {c}", ha="right", va="center")
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
            f"The logits are {numbers(logits)}; the largest is class {int(logits.argmax())}."
        ),
    )


@in_one_style
def probabilities(logits):
    """Logits (C,) as bars, and the probabilities that softmax makes of them beside it."""
    logits = logits.detach().float()
    probs = logits.softmax(-1)
    names = [f"class {c}" for c in range(len(logits))]
    fig = Figure(figsize=(8, 0.5 * len(names) + 1.1), layout="constrained", facecolor=GROUND)
    left, right = fig.subplots(1, 2)
    _bars(left, names, logits.tolist(), LOGITS, "//", "logits", 2)
    _bars(right, names, probs.tolist(), PROBS, "..", "probabilities", 3)
    right.set_xlim(0, 1.25)
    return picture_of(fig, f"The logits {numbers(logits)} become the probabilities {numbers(probs, 3)}, which sum to 1.")


@in_one_style
def prediction(layers):
    """The layers of one prediction as columns of numbers: [(name, values (size,))], from the input to the probabilities.

    The first is drawn as input, the last two as logits and probabilities, those between as states. Of a long layer the
    first numbers are drawn.
    """
    lines = [min(len(values), MOST) for _, values in layers]
    tallest = max(lines) + any(len(values) > MOST for _, values in layers)
    fig, ax = blank(1.85 * len(layers), 0.42 * tallest + 1.3, xlim=(-0.2, 2 * len(layers) - 0.2), ylim=(tallest + 0.2, -1.7))
    kinds = [INPUT, *[STATE] * (len(layers) - 3), LOGITS, PROBS]
    for i, ((name, values), kind) in enumerate(zip(layers, kinds)):
        ax.text(2 * i + 0.7, -1, f"{i + 1}  {textwrap.fill(name, 15)}", ha="center", va="center", size=10)
        ax.text(2 * i + 0.7, -0.25, f"(1, {len(values)})", ha="center", va="center", color=FAINT, size=9)
        for row, value in enumerate(values.tolist()[:MOST]):
            _cell_of_kind(ax, 2 * i, row, value, kind)
        if len(values) > MOST:
            ax.text(2 * i + 0.7, MOST + 0.5, f"… {len(values) - MOST} more", ha="center", va="center")
        if i:
            middle = 0.5 * min(lines[i - 1 : i + 1])
            arrow(ax, (2 * i - 0.52, middle), (2 * i - 0.06, middle))
    parts = ", ".join(f"{name} {listed(values.tolist()[:MOST])}" for name, values in layers)
    return picture_of(fig, f"One prediction in {len(layers)} layers: {parts}.")


def _bars(ax, names, values, colour, hatch, title, digits):
    ax.set_facecolor(GROUND)
    ax.barh(names, values, color=colour, hatch=hatch, edgecolor="white")
    ax.invert_yaxis()
    ax.set_title(title, size=10)
    ax.spines[["top", "right", "bottom"]].set_visible(False)
    ax.set_xticks([])
    ax.tick_params(length=0)
    low, high = min(0.0, *values), max(0.0, *values)
    ax.set_xlim(low, high + 0.25 * (high - low or 1))
    for i, value in enumerate(values):
        ax.text(max(value, 0) + 0.02 * (high - low or 1), i, f"{value:.{digits}f}", va="center")


def _cell_of_kind(ax, x, y, value, kind):
    """A number in a cell, filled by its colour map, or framed by its one colour."""
    if not isinstance(kind, str):
        number_cell(ax, x, y, 1.4, value, kind, digits=3)
        return
    ax.add_patch(Rectangle((x, y + 0.06), 1.4, 0.88, facecolor="white", edgecolor=kind, linewidth=2))
    ax.text(x + 0.7, y + 0.5, f"{value:.3f}", ha="center", va="center")

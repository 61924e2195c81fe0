"""Pictures of the way from the sequence to the probabilities, and of what goes in."""

from matplotlib.patches import FancyBboxPatch, Rectangle

from .drawing import FAINT, INK, INPUT, arrow, blank, grid, in_one_style, numbers, picture_of
from .story import feature_names

STAGES = (  # name, what comes out of it in the worked example, where its box stands
    ("input\nsequence", "10 × 5 numbers", (0, 1)),
    ("zero\nstate", "4 zeros", (0, 0)),
    ("cell\nstep", "4 numbers", (1.25, 0.5)),
    ("carry\nover time", "10 × 4 numbers", (2.5, 0.5)),
    ("output\nlayer", "3 scores", (3.75, 0.5)),
    ("softmax", "3 shares of 1", (5, 0.5)),
)
ARROWS = ((0, 2), (1, 2), (2, 3), (3, 4), (4, 5))
WIDE, HIGH = 0.95, 0.6
"""The size of a stage's box."""


@in_one_style
def pipeline(here):
    """The six stages from sequence to probabilities, with stage `here` (1 to 6) marked."""
    if not 1 <= here <= len(STAGES):
        raise ValueError(f"the pipeline has stages 1 to {len(STAGES)}, not {here}")
    fig, ax = blank(9, 2.3, xlim=(-0.1, 6.05), ylim=(-0.12, 1.95))
    for i, (name, size, (x, y)) in enumerate(STAGES, start=1):
        current = i == here
        face, line = ("#ffe9a8", 2.4) if current else ("white", 0.8)
        ax.add_patch(FancyBboxPatch((x, y), WIDE, HIGH, boxstyle="round,pad=0.03", edgecolor=INK, facecolor=face, linewidth=line))
        ax.text(x + WIDE / 2, y + 0.39, f"{i}  {name}", ha="center", va="center", weight="bold" if current else "normal")
        ax.text(x + WIDE / 2, y + 0.08, size, ha="center", va="center", color=FAINT, size=9)
        if current:
            ax.text(x + WIDE / 2, y + 0.74, "you are here", ha="center", va="center", size=9)
    for start, end in ARROWS:
        (x, y), (to_x, to_y) = STAGES[start][2], STAGES[end][2]
        arrow(ax, (x + WIDE + 0.05, y + HIGH / 2), (to_x - 0.05, to_y + HIGH / 2 + 0.2 * (y - to_y)))
    name = STAGES[here - 1][0].replace("\n", " ")
    return picture_of(fig, f"The pipeline has six stages: input and zero state go into the cell, and on from there. You are at stage {here} of 6: {name}.")


@in_one_style
def sequence(x, row=0, mark=None):
    """One sequence of a batch as a grid: time to the right, features downwards.

    x: (T, B, F); row: which sequence of the batch; mark: a step (from 1) to put a frame around.
    """
    values = x[:, row].detach()
    steps, features = values.shape
    fig, ax = blank(0.75 * steps + 1.6, 0.42 * features + 1.1)
    grid(ax, values.T, INPUT, column="time step", line="feature")
    ax.set_yticks(range(features), feature_names(features))
    if mark is not None:
        ax.add_patch(Rectangle((mark - 1.5, -0.5), 1, features, fill=False, linewidth=3, edgecolor=INK))
    ends = f"It starts with {numbers(values[0])} and ends with {numbers(values[-1])}."
    marked = "" if mark is None else f" Step {mark} is framed."
    return picture_of(fig, f"A sequence of {steps} time steps with {features} features each. {ends}{marked}")


@in_one_style
def tensor_block(sizes):
    """The shape of a tensor with three axes, drawn as sheets of boxes with every axis named.

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

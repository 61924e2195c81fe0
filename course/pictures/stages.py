"""Pictures of the way from the sequence to the probabilities, and of what goes in."""

from matplotlib.patches import FancyBboxPatch, Rectangle

from .drawing import FAINT, INK, INPUT, arrow, blank, grid, in_one_style, numbers, picture_of

STAGES = (
    ("input\nsequence", "(T, B, F)"),
    ("zero\nstate", "(1, B, H)"),
    ("cell\nstep", "(B, H)"),
    ("carry\nover time", "(T, B, H)"),
    ("output\nlayer", "(B, C)"),
    ("softmax", "(B, C)"),
)


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

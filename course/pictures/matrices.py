"""Pictures of which of two lists meet."""

import textwrap

from .drawing import STATE, blank, grid, in_one_style, picture_of


@in_one_style
def broken_laws(sizes, bugs, names):
    """Which law sees which bug. sizes: (bugs, laws), the difference that a law found, 0 where it holds."""
    fig, ax = blank(9, 0.42 * len(names) + 1)
    grid(ax, sizes.T, STATE, column="", line="", text=lambda size: f"{size:.2g}" if size else "holds")
    ax.set_xticks(range(len(bugs)), [textwrap.fill(bug, 14) for bug in bugs])
    ax.set_yticks(range(len(names)), names)
    broken = (f"{bug} breaks {', '.join(name for name, size in zip(names, row) if size > 0)}" for bug, row in zip(bugs, sizes.tolist()))
    return picture_of(fig, f"Differences that {len(names)} laws find for {len(bugs)} bugs: {'; '.join(broken)}.")

"""Pictures of what goes on inside: one step of the cell, the state over time, how far an input reaches."""

from matplotlib.figure import Figure

from .drawing import GROUND, STATE, blank, grid, in_one_style, number_cell, numbers, picture_of, placed


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
        ax.bar(range(1, len(values) + 1), placed(values.tolist()), color=STATE(1.0), hatch="//", edgecolor="white")
        ax.set_xticks(range(1, len(values) + 1))
        ax.set_title(title, size=10)
        ax.spines[["top", "right"]].set_visible(False)
    return picture_of(fig, f"Over {len(difference)} steps the difference is {numbers(difference)}, and the gradient {numbers(gradient)}.")

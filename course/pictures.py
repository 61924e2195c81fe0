"""Pictures of a network's stages. Pure functions: numbers in, a `Picture` (SVG with alt text) out.

One colour for one thing, in every lesson: blue for input, purple and orange for positive and negative
state (always from -1 to 1), green for logits, pink for probabilities. Every value is
also written as a number, so that nothing is told by colour alone. The ground is
opaque and near white: it reads the same in a light and in a dark notebook.
"""

import base64
import html
import io
import textwrap
from dataclasses import dataclass, is_dataclass
from functools import wraps

from matplotlib import style
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle

GROUND, INK, FAINT = "#fcfcfa", "#1f2328", "#6e7781"
COLOURS = {  # at the lower limit, at zero, at the upper limit
    "input": ("#767676", "#ffffff", "#0072b2"),
    "state": ("#b35806", "#ffffff", "#542788"),
    "weight": ("#767676", "#ffffff", "#9a8a5c"),
}
INPUT, STATE, WEIGHT = (LinearSegmentedColormap.from_list(name, stops) for name, stops in COLOURS.items())
LOGITS, PROBS = "#009e73", "#cc79a7"
LIMITS = (-1.0, 1.0)
MOST_DRAWN = 100
PLACES, SEEN = 3, 1e-3
"""What is drawn is put to thousandths, less than can be seen, so that a drawing is the same where last digits differ."""
_drawn = {}
MOST = 8
"""Numbers of one layer that a picture of a prediction holds."""
CURVES = (("#0072b2", "-", "o"), ("#c04e00", (0, (6, 3)), "s"), ("#00795a", (0, (1, 1.5)), "^"), ("#a8487f", (0, (7, 2, 1, 2)), "D"))
"""Colour, dashes and mark of the first curve or class, the second, …"""

STAGES = (
    ("input\nsequence", "(T, B, F)"),
    ("zero\nstate", "(1, B, H)"),
    ("cell\nstep", "(B, H)"),
    ("carry\nover time", "(T, B, H)"),
    ("output\nlayer", "(B, C)"),
    ("softmax", "(B, C)"),
)

STYLE = {
    "svg.hashsalt": "hidden state",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


@dataclass(frozen=True)
class Picture:
    """A drawing that a notebook shows as an image with alt text.

    svg: the drawing; alt: what a reader who cannot see it should know, as one or two sentences.
    """

    svg: str
    alt: str

    def _repr_html_(self):
        data = base64.b64encode(self.svg.encode()).decode()
        return f'<img alt="{html.escape(self.alt)}" style="max-width:100%" src="data:image/svg+xml;base64,{data}">'

    def __repr__(self):
        return f"Picture: {self.alt}"


def _in_one_style(draw):
    """Draw in the course's style, whatever the learner has set up in Matplotlib; the same picture again is not drawn again."""
    @wraps(draw)
    def drawn(*args, **kwargs):
        key = draw.__name__, _frozen(args), _frozen(kwargs)
        if key not in _drawn:
            with style.context(["default", STYLE]):
                picture = draw(*args, **kwargs)
            if len(_drawn) == MOST_DRAWN:
                _drawn.clear()
            _drawn[key] = picture
        return _drawn[key]
    return drawn


def _frozen(value):
    """A value that can be a key: the same for tensors, traces and lists of the same numbers."""
    if hasattr(value, "detach"):
        return str(value.dtype), tuple(value.shape), value.detach().cpu().numpy().tobytes()
    if is_dataclass(value):
        return type(value).__name__, _frozen(vars(value))
    if isinstance(value, dict):
        return tuple((name, _frozen(item)) for name, item in value.items())
    return tuple(map(_frozen, value)) if isinstance(value, (list, tuple)) else value


@_in_one_style
def pipeline(here):
    """The six stages from sequence to probabilities, with stage `here` (1 to 6) marked."""
    if not 1 <= here <= len(STAGES):
        raise ValueError(f"the pipeline has stages 1 to {len(STAGES)}, not {here}")
    fig, ax = _blank(9, 1.7, xlim=(0, 6), ylim=(0, 1.1))
    for i, (name, shape) in enumerate(STAGES, start=1):
        current = i == here
        ax.add_patch(FancyBboxPatch(
            (i - 0.93, 0.2), 0.72, 0.6, boxstyle="round,pad=0.03", edgecolor=INK,
            facecolor="#ffe9a8" if current else "white", linewidth=2.4 if current else 0.8,
        ))
        ax.text(i - 0.57, 0.57, f"{i}  {name}", ha="center", va="center", weight="bold" if current else "normal")
        ax.text(i - 0.57, 0.28, shape, ha="center", va="center", color=FAINT, size=9)
        if current:
            ax.text(i - 0.57, 0.98, "you are here", ha="center", va="center", size=9)
        if i < len(STAGES):
            _arrow(ax, (i - 0.17, 0.5), (i + 0.03, 0.5))
    name = STAGES[here - 1][0].replace("\n", " ")
    return _picture(fig, f"The pipeline has six stages. You are at stage {here} of 6: {name}.")


@_in_one_style
def sequence(x, row=0, mark=None):
    """One sequence of a batch as a grid: time to the right, features downwards.

    x: (T, B, F); row: which sequence of the batch; mark: a step (from 1) to put a frame around.
    """
    values = x[:, row].detach()
    steps, features = values.shape
    fig, ax = _blank(0.75 * steps + 1.6, 0.42 * features + 1.1)
    _grid(ax, values.T, INPUT, column="time step", line="feature")
    if mark is not None:
        ax.add_patch(Rectangle((mark - 1.5, -0.5), 1, features, fill=False, linewidth=3, edgecolor=INK))
    ends = f"It starts with {_numbers(values[0])} and ends with {_numbers(values[-1])}."
    marked = "" if mark is None else f" Step {mark} is framed."
    return _picture(fig, f"A sequence of {steps} time steps with {features} features each. {ends}{marked}")


@_in_one_style
def tensor_block(sizes):
    """The shape of a tensor with three axes, drawn as sheets of cells with every axis named.

    sizes: three names with their sizes, in the order of the tensor's axes, as
    {"time": 10, "batch": 1, "features": 5}. The first axis counts sheets, the second lines, the third columns.
    """
    (sheets_name, sheets), (lines_name, lines), (columns_name, columns) = sizes.items()
    shift = 0.45
    width, height = columns + shift * (sheets - 1), lines + shift * (sheets - 1)
    fig, ax = _blank(0.42 * width + 3.4, 0.42 * height + 1.4, xlim=(-0.5, width + 6), ylim=(-1.6, height + 0.6))
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
    return _picture(fig, f"A block of shape ({shape}): {axes}. The first axis counts the sheets.")


@_in_one_style
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
    fig, ax = _blank(9, 0.5 * units + 1.5, xlim=(-0.3, 9.9), ylim=(units + 0.3, -1.6))
    for i, (name, values, cmap) in enumerate(columns):
        ax.text(2 * i + 0.7, -0.75, name, ha="center", va="center", size=10)
        for unit, value in enumerate(values.tolist()):
            _cell(ax, 2 * i, unit, 1.4, value, cmap, digits=3)
        if i < len(signs):
            ax.text(2 * i + 1.7, units / 2, signs[i], ha="center", va="center", size=16)
    return _picture(fig, (
        f"Step {t + 1}: the input part {_numbers(trace.input_part[t, row], 3)} plus the state part "
        f"{_numbers(trace.state_part[t, row], 3)} goes through tanh and becomes the new state "
        f"{_numbers(trace.states[t, row], 3)}."
    ))


@_in_one_style
def states(trace, row=0):
    """The state over time: a grid with one line for each hidden unit and one column for each step."""
    values = trace.states[:, row]
    steps, units = values.shape
    fig, ax = _blank(0.75 * steps + 1.6, 0.42 * units + 1.1)
    _grid(ax, values.T, STATE, column="time step", line="hidden unit")
    return _picture(fig, (
        f"The state of {units} hidden units over {steps} time steps: {_numbers(values[0])} after step 1, "
        f"{_numbers(values[-1])} after step {steps}."
    ))


@_in_one_style
def reach(difference, gradient):
    """How far one changed input moves the state at each step, and how much each input moves the last state.

    difference, gradient: (T,) each; both are drawn as bars over the steps.
    """
    fig = Figure(figsize=(8, 2.2), layout="constrained", facecolor=GROUND)
    for ax, values, title in zip(fig.subplots(1, 2), (difference, gradient), ("the difference at each step", "the gradient at each input")):
        ax.set_facecolor(GROUND)
        ax.bar(range(1, len(values) + 1), _placed(values.tolist()), color=STATE(1.0), hatch="//", edgecolor="white")
        ax.set_xticks(range(1, len(values) + 1))
        ax.set_title(title, size=10)
        ax.spines[["top", "right"]].set_visible(False)
    return _picture(fig, f"Over {len(difference)} steps the difference is {_numbers(difference)}, and the gradient {_numbers(gradient)}.")


@_in_one_style
def output(trace, t=-1, row=0):
    """How the output layer makes logits: each unit's share W_out[c, u] * h[u], the bias, and their sum."""
    h, logits = trace.states[t, row], trace.logits[t, row]
    shares = (trace.W_out * h).tolist()
    classes, units = trace.W_out.shape
    fig, ax = _blank(9, 0.55 * classes + 1.6, xlim=(-1.6, 1.25 * (units + 2) + 1), ylim=(classes + 0.2, -1.9))
    heads = [f"unit {u}\nh = {value:.2f}" for u, value in enumerate(h.tolist())] + ["bias", "logit"]
    for i, head in enumerate(heads):
        ax.text(1.25 * i + 0.55 + 0.4 * (i > units), -0.75, head, ha="center", va="center")
    for c in range(classes):
        ax.text(-0.2, c + 0.5, f"class {c}", ha="right", va="center")
        for u in range(units):
            _cell(ax, 1.25 * u, c, 1.1, shares[c][u], STATE)
        _cell(ax, 1.25 * units, c, 1.1, trace.b_out[c].item(), WEIGHT)
        ax.text(1.25 * (units + 1) + 0.1, c + 0.5, "=", ha="center", va="center", size=13)
        ax.add_patch(Rectangle((1.25 * (units + 1) + 0.4, c + 0.06), 1.1, 0.88, facecolor="#c8eadd", edgecolor=LOGITS, linewidth=2))
        ax.text(1.25 * (units + 1) + 0.95, c + 0.5, f"{logits[c]:.2f}", ha="center", va="center", weight="bold")
    return _picture(fig, (
        f"Each class adds up its weighted shares of the state {_numbers(h)} and its bias. "
        f"The logits are {_numbers(logits)}; the largest is class {int(logits.argmax())}."
    ))


@_in_one_style
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
    return _picture(fig, f"The logits {_numbers(logits)} become the probabilities {_numbers(probs, 3)}, which sum to 1.")


@_in_one_style
def training(losses, accuracies, guessing):
    """Loss and accuracy over the epochs, each a list of numbers, with a line where guessing stands.

    guessing: the loss of one who gives every class the same probability.
    """
    fig, (left, right) = _curves(len(losses))
    _curve(left, losses, 0, "loss")
    _curve(right, accuracies, 0, "accuracy")
    _guess(left, guessing)
    return _picture(fig, (
        f"Over {len(losses)} epochs the loss goes {_listed(losses)}, where guessing costs {guessing:.2f}, "
        f"and the accuracy {_listed(accuracies)}."
    ))


@_in_one_style
def ways(curves, guessing):
    """Several trainings in one picture: {name: (losses, accuracies)}, told apart by dashes, marks and their names."""
    fig, axes = _curves(max(len(losses) for losses, _ in curves.values()), height=3.2)
    for ax, column in zip(axes, (0, 1)):
        for i, (name, rows) in enumerate(curves.items()):
            _curve(ax, rows[column], i, name, wide=3.6 - 0.7 * i)      # a curve that lies on an earlier one leaves its edges to be seen
    axes[0].axhline(guessing, color=FAINT, linewidth=1, label=f"guessing: {guessing:.2f}", zorder=0)
    axes[0].set_ylim(bottom=0)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", frameon=False, handlelength=4)
    ends = "; ".join(f"{name} {losses[-1]:.2f} and {accuracies[-1]:.2f}" for name, (losses, accuracies) in curves.items())
    return _picture(fig, f"Loss and accuracy end so: {ends}. Guessing costs {guessing:.2f}.{_same(curves)}")


@_in_one_style
def points(places, classes, words):
    """A mark for each of N states on a map, zero in the middle. places: (N, 2); classes: (N,), each with its shape and colour; words: what it shows."""
    fig, ax = _blank(5, 3.8)
    places = places.double().round(decimals=PLACES)
    limit = 1.1 * places.abs().max().item()
    ax.set(aspect="equal", xlim=(-limit, limit), ylim=(-limit, limit))
    for c in sorted(set(classes.tolist())):
        x, y = places[classes == c].T.tolist()
        ax.scatter(x, y, s=36, c=CURVES[c][0], marker=CURVES[c][2], edgecolors=INK, linewidths=0.5, label=f"class {c}")
    ax.set_xlabel("first axis")
    ax.set_ylabel("second axis")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False)
    return _picture(fig, f"{len(classes)} states as marks on a map. {words}")


@_in_one_style
def probabilities_over_time(probs):
    """The probability of each class after each step. probs: (T, C)."""
    fig = Figure(figsize=(6.5, 2.6), layout="constrained", facecolor=GROUND)
    ax = fig.subplots()
    for c, values in enumerate(probs.T.tolist()):
        _curve(ax, values, c, f"class {c}")
    ax.set_xticks(range(1, len(probs) + 1))
    ax.set_ylim(-0.03, 1.03)
    ax.set_xlabel("step")
    ax.set_title("probability", size=10)
    ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False, handlelength=4)
    last = probs[-1]
    return _picture(fig, f"The probabilities after step 1 are {_numbers(probs[0])}, after step {len(probs)} {_numbers(last)}: class {int(last.argmax())}.")


@_in_one_style
def prediction(layers):
    """The layers of one prediction as columns of numbers: [(name, values (size,))], from the input to the probabilities.

    The first is drawn as input, the last two as logits and probabilities, those between as states. Of a long layer the
    first numbers are drawn.
    """
    lines = [min(len(values), MOST) for _, values in layers]
    tallest = max(lines) + any(len(values) > MOST for _, values in layers)
    fig, ax = _blank(1.85 * len(layers), 0.42 * tallest + 1.3, xlim=(-0.2, 2 * len(layers) - 0.2), ylim=(tallest + 0.2, -1.7))
    kinds = [INPUT, *[STATE] * (len(layers) - 3), LOGITS, PROBS]
    for i, ((name, values), kind) in enumerate(zip(layers, kinds)):
        ax.text(2 * i + 0.7, -1, f"{i + 1}  {textwrap.fill(name, 15)}", ha="center", va="center", size=10)
        ax.text(2 * i + 0.7, -0.25, f"(1, {len(values)})", ha="center", va="center", color=FAINT, size=9)
        for row, value in enumerate(values.tolist()[:MOST]):
            _number_cell(ax, 2 * i, row, value, kind)
        if len(values) > MOST:
            ax.text(2 * i + 0.7, MOST + 0.5, f"… {len(values) - MOST} more", ha="center", va="center")
        if i:
            middle = 0.5 * min(lines[i - 1:i + 1])
            _arrow(ax, (2 * i - 0.52, middle), (2 * i - 0.06, middle))
    parts = ", ".join(f"{name} {_listed(values.tolist()[:MOST])}" for name, values in layers)
    return _picture(fig, f"One prediction in {len(layers)} layers: {parts}.")


@_in_one_style
def broken_laws(sizes, bugs, names):
    """Which law sees which bug. sizes: (bugs, laws), the difference that a law found, 0 where it holds."""
    fig, ax = _blank(9, 0.42 * len(names) + 1)
    _grid(ax, sizes.T, STATE, column="", line="", text=lambda size: f"{size:.2g}" if size else "holds")
    ax.set_xticks(range(len(bugs)), [textwrap.fill(bug, 14) for bug in bugs])
    ax.set_yticks(range(len(names)), names)
    broken = (
        f"{bug} breaks {', '.join(name for name, size in zip(names, row) if size > 0)}" for bug, row in zip(bugs, sizes.tolist())
    )
    return _picture(fig, f"Differences that {len(names)} laws find for {len(bugs)} bugs: {'; '.join(broken)}.")


def _blank(width, height, xlim=None, ylim=None):
    fig = Figure(figsize=(width, height), layout="constrained", facecolor=GROUND)
    ax = fig.add_subplot()
    ax.set_facecolor(GROUND)
    if xlim:
        ax.set_xlim(*xlim)
        ax.set_ylim(*ylim)
        ax.axis("off")
    return fig, ax


def _grid(ax, values, cmap, column, line, text="{:.2f}".format):
    lines, columns = values.shape
    ax.imshow(values.numpy(), cmap=cmap, vmin=LIMITS[0], vmax=LIMITS[1], aspect="auto")
    for i in range(lines):
        for j in range(columns):
            value = values[i, j].item()
            ax.text(j, i, text(value), ha="center", va="center", color=_ink_on(cmap, value), size=9)
    ax.set_xticks(range(columns), [str(j + 1) for j in range(columns)])
    ax.set_yticks(range(lines), [str(i) for i in range(lines)])
    ax.tick_params(length=0)
    ax.set_xlabel(column)
    ax.set_ylabel(line)


def _cell(ax, x, y, width, value, cmap, digits=2):
    ax.add_patch(Rectangle((x, y + 0.06), width, 0.88, facecolor=cmap(_position(value)), edgecolor=FAINT, linewidth=0.8))
    ax.text(x + width / 2, y + 0.5, f"{value:.{digits}f}", ha="center", va="center", color=_ink_on(cmap, value))


def _bars(ax, names, values, colour, hatch, title, digits):
    ax.set_facecolor(GROUND)
    placed = _placed(values)
    ax.barh(names, placed, color=colour, hatch=hatch, edgecolor="white")
    ax.invert_yaxis()
    ax.set_title(title, size=10)
    ax.spines[["top", "right", "bottom"]].set_visible(False)
    ax.set_xticks([])
    ax.tick_params(length=0)
    low, high = min(0.0, *placed), max(0.0, *placed)
    ax.set_xlim(low, high + 0.25 * (high - low or 1))
    for i, value in enumerate(values):
        ax.text(max(placed[i], 0) + 0.02 * (high - low or 1), i, f"{value:.{digits}f}", va="center")


def _curves(count, height=2.6):
    """Two axes over the epochs: loss and accuracy."""
    fig = Figure(figsize=(8, height), layout="constrained", facecolor=GROUND)
    axes = fig.subplots(1, 2)
    for ax, title in zip(axes, ("loss", "accuracy")):
        ax.set_title(title, size=10)
        ax.set_xticks(range(1, count + 1))
        ax.set_xlabel("epoch")
    axes[1].set_ylim(0, 1.05)
    return fig, axes


def _same(curves):
    """Which curves lie on each other, in a sentence. Their last digits may differ: sums come out in another order."""
    groups = []
    for name, (losses, accuracies) in curves.items():
        numbers = [*losses, *accuracies]
        group = next((group for group in groups if _agree(group[0], numbers)), None)
        if group:
            group[1].append(name)
        else:
            groups.append((numbers, [name]))
    return "".join(f" {' and '.join(names)} are the same curve." for _, names in groups if len(names) > 1)


def _agree(one, other):
    return len(one) == len(other) and all(abs(a - b) < SEEN for a, b in zip(one, other))


def _curve(ax, values, i, name, wide=2):
    colour, dashes, mark = CURVES[i % len(CURVES)]
    ax.set_facecolor(GROUND)
    ax.spines[["top", "right"]].set_visible(False)
    ax.plot(range(1, len(values) + 1), _placed(values), color=colour, linestyle=dashes, marker=mark, markersize=2.5 + 1.7 * wide, linewidth=wide, label=name)


def _guess(ax, guessing):
    ax.axhline(guessing, color=FAINT, linewidth=1)
    ax.set_ylim(0, max(1.15 * guessing, ax.get_ylim()[1]))
    ax.text(0.99, guessing, f"guessing: {guessing:.2f}", transform=ax.get_yaxis_transform(), ha="right", va="bottom", color=FAINT, size=9)


def _number_cell(ax, x, y, value, kind):
    """A number in a cell, filled by its colour map, or framed by its one colour."""
    if not isinstance(kind, str):
        _cell(ax, x, y, 1.4, value, kind, digits=3)
        return
    ax.add_patch(Rectangle((x, y + 0.06), 1.4, 0.88, facecolor="white", edgecolor=kind, linewidth=2))
    ax.text(x + 0.7, y + 0.5, f"{value:.3f}", ha="center", va="center")


def _placed(values):
    """Numbers as they are drawn."""
    return [round(value, PLACES) for value in values]


def _arrow(ax, start, end):
    ax.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=12, color=INK, linewidth=1.2))


def _position(value):
    low, high = LIMITS
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _ink_on(cmap, value):
    red, green, blue, _ = cmap(_position(value))
    return "white" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.5 else INK


def _listed(values, digits=2):
    return "[" + ", ".join(f"{value:.{digits}f}" for value in values) + "]"


def _numbers(values, digits=2):
    return _listed(values.tolist(), digits)


def _picture(fig, alt):
    buffer = io.StringIO()
    fig.savefig(buffer, format="svg", metadata={"Date": None}, facecolor=GROUND)
    return Picture(buffer.getvalue(), alt)

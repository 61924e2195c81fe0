"""What all pictures share: the colours, the style, and the small things they are drawn of. Pure functions: numbers in, a `Picture` out.

One colour for one thing, in every lesson: blue for input, purple and orange for positive and negative
state (always from -1 to 1), green for logits, pink for probabilities. Every value is
also written as a number, so that nothing is told by colour alone. The ground is
opaque and near white: it reads the same in a light and in a dark notebook.
"""

import base64
import html
import io
from dataclasses import dataclass, is_dataclass
from functools import wraps

from matplotlib import style
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

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


def in_one_style(draw):
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


def blank(width, height, xlim=None, ylim=None):
    """A figure (sizes in inches) with one pair of axes; without a frame where the limits are given."""
    fig = Figure(figsize=(width, height), layout="constrained", facecolor=GROUND)
    ax = fig.add_subplot()
    ax.set_facecolor(GROUND)
    if xlim:
        ax.set_xlim(*xlim)
        ax.set_ylim(*ylim)
        ax.axis("off")
    return fig, ax


def grid(ax, values, cmap, column, line, text="{:.2f}".format):
    """Values (lines, columns) as coloured cells, each with its number; column, line: what the axes count."""
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


def number_cell(ax, x, y, width, value, cmap, digits=2, height=1):
    """One coloured cell with its number, in a line of this height that begins at y; its left edge at x."""
    ax.add_patch(Rectangle((x, y + 0.06 * height), width, 0.88 * height, facecolor=cmap(_position(value)), edgecolor=FAINT, linewidth=0.8))
    ax.text(x + width / 2, y + 0.5 * height, f"{value:.{digits}f}", ha="center", va="center", color=_ink_on(cmap, value), size=10 if height == 1 else 9)


def placed(values):
    """Numbers as they are drawn."""
    return [round(value, PLACES) for value in values]


def arrow(ax, start, end):
    """An arrow between two points."""
    ax.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=12, color=INK, linewidth=1.2))


def _position(value):
    low, high = LIMITS
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _ink_on(cmap, value):
    red, green, blue, _ = cmap(_position(value))
    return "white" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.5 else INK


def listed(values, digits=2):
    """Numbers as text: [0.05, 0.10]."""
    return "[" + ", ".join(f"{value:.{digits}f}" for value in values) + "]"


def numbers(values, digits=2):
    """A tensor (N,) as text."""
    return listed(values.tolist(), digits)


def picture_of(fig, alt):
    """The Picture of a figure."""
    buffer = io.StringIO()
    fig.savefig(buffer, format="svg", metadata={"Date": None}, facecolor=GROUND)
    return Picture(buffer.getvalue(), alt)

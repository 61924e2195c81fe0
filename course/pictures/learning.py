"""Pictures of a network that learns: its curves over the epochs, its states on a map, its probabilities over the steps."""

from matplotlib.figure import Figure

from .drawing import FAINT, GROUND, INK, PLACES, SEEN, blank, in_one_style, listed, numbers, picture_of, placed
from .story import class_names

CURVES = (("#0072b2", "-", "o"), ("#c04e00", (0, (6, 3)), "s"), ("#00795a", (0, (1, 1.5)), "^"), ("#a8487f", (0, (7, 2, 1, 2)), "D"))
"""Colour, dashes and mark of the first curve or class, the second, …"""


@in_one_style
def training(losses, accuracies, guessing):
    """Loss and accuracy over the epochs, each a list of numbers, with a line where guessing stands.

    guessing: the loss of one who gives every class the same probability.
    """
    fig, (left, right) = _curves(len(losses))
    _curve(left, losses, 0, "loss")
    _curve(right, accuracies, 0, "accuracy")
    _guess(left, guessing)
    return picture_of(
        fig, (f"Over {len(losses)} epochs the loss goes {listed(losses)}, where guessing costs {guessing:.2f}, and the accuracy {listed(accuracies)}.")
    )


@in_one_style
def ways(curves, guessing):
    """Several trainings in one picture: {name: (losses, accuracies)}, told apart by dashes, marks and their names."""
    fig, axes = _curves(max(len(losses) for losses, _ in curves.values()), height=3.2)
    for ax, column in zip(axes, (0, 1)):
        for i, (name, rows) in enumerate(curves.items()):
            _curve(ax, rows[column], i, name, wide=3.6 - 0.7 * i)  # a curve that lies on an earlier one leaves its edges to be seen
    axes[0].axhline(guessing, color=FAINT, linewidth=1, label=f"guessing: {guessing:.2f}", zorder=0)
    axes[0].set_ylim(bottom=0)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", frameon=False, handlelength=4)
    ends = "; ".join(f"{name} {losses[-1]:.2f} and {accuracies[-1]:.2f}" for name, (losses, accuracies) in curves.items())
    return picture_of(fig, f"Loss and accuracy end so: {ends}. Guessing costs {guessing:.2f}.{_same(curves)}")


@in_one_style
def points(places, classes, right, words):
    """A mark for each of N states on a map, zero in the middle.

    places: (N, 2); classes: (N,), each with its shape and colour; right: (N,) bool, hollow where it is False; words: what it shows.
    """
    fig, ax = blank(6.4, 3.8)
    places = places.double().round(decimals=PLACES)
    limit = 1.1 * places.abs().max().item()
    ax.set(aspect="equal", xlim=(-limit, limit), ylim=(-limit, limit))
    names = class_names(int(classes.max()) + 1)
    for c in sorted(set(classes.tolist())):
        colour, _, marker = CURVES[c][:3]
        for these, face, edge, label in ((right, colour, INK, names[c]), (~right, "none", colour, None)):
            x, y = places[(classes == c) & these].T.tolist()
            ax.scatter(x, y, s=36, c=face, marker=marker, edgecolors=edge, linewidths=0.5 if label else 1.5, label=label)
    ax.set_xlabel("first main axis")
    ax.set_ylabel("second main axis")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False)
    return picture_of(fig, f"{len(classes)} states as marks on a map. {words}")


@in_one_style
def probabilities_over_time(probs):
    """The probability of each class after each step. probs: (T, C)."""
    fig = Figure(figsize=(6.5, 2.6), layout="constrained", facecolor=GROUND)
    ax, names = fig.subplots(), class_names(probs.shape[1])
    for c, values in enumerate(probs.T.tolist()):
        _curve(ax, values, c, names[c])
    ax.set_xticks(range(1, len(probs) + 1))
    ax.set_ylim(-0.03, 1.03)
    ax.set_xlabel("step")
    ax.set_title("probability", size=10)
    ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False, handlelength=4)
    last = probs[-1]
    return picture_of(fig, f"The probabilities after step 1 are {numbers(probs[0])}, after step {len(probs)} {numbers(last)}: {names[last.argmax()]}.")


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
    ax.plot(range(1, len(values) + 1), placed(values), color=colour, linestyle=dashes, marker=mark, markersize=2.5 + 1.7 * wide, linewidth=wide, label=name)


def _guess(ax, guessing):
    ax.axhline(guessing, color=FAINT, linewidth=1)
    ax.set_ylim(0, max(1.15 * guessing, ax.get_ylim()[1]))
    ax.text(0.99, guessing, f"guessing: {guessing:.2f}", transform=ax.get_yaxis_transform(), ha="right", va="bottom", color=FAINT, size=9)

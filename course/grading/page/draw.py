"""The page's pictures, as SVG that stands in it. Their colours are the page's own variables, so that they follow light and dark; each has its point in words."""

import io
import math
import re
import statistics
from html import escape

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

INK, BAR, FAINT, STRONG, GROUND = COLOURS = ("#000001", "#000002", "#000003", "#000004", "#000005")
NAMES = dict(zip(COLOURS, ("var(--ink)", "var(--bar)", "var(--faint)", "var(--strong)", "var(--ground)")))
"""Matplotlib wants colours; these stand for those of the page."""
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "course report",
    "font.size": 11,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
BINS = 20
FEW = 20
"""Numbers on the axis of hand-ins, at most."""


def distribution(points, of):
    """(SVG, words): how many students have how many points. points: of each who handed in."""
    step = max(1, math.ceil(of / BINS))
    edges = np.arange(-0.5, of + 1) if step == 1 else np.arange(0, of + step, step)
    words = _distribution_in_words(points, of)
    with matplotlib.rc_context(STYLE):
        figure, axes = _axes(7.2, 2.6)
        counts, _ = np.histogram(np.clip(points, edges[0], edges[-1]), edges)  # extra credit may go above
        axes.bar((edges[:-1] + edges[1:]) / 2, counts, np.diff(edges) * 0.88, color=BAR)
        axes.axvline(statistics.median(points), color=GROUND, linewidth=4.5)  # or the line could hardly be seen on a bar
        axes.axvline(statistics.median(points), color=STRONG, linestyle="--", linewidth=2)
        axes.set(xlabel=f"points, of {of:g}", ylabel="students", xlim=(edges[0], edges[-1]), ylim=(0, max(1, counts.max()) * 1.08))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(nbins="auto", integer=True))
        return _svg(figure, words, "points"), words


def _distribution_in_words(points, of):
    all_of_them, none = sum(each >= of for each in points), sum(each == 0 for each in points)
    middle = f"Half of the {len(points)} who handed in have {statistics.median(points):g} points or more, of {of:g}." if len(points) > 1 else ""
    return f"{middle} The fewest are {min(points):g}, the most {max(points):g}; {all_of_them} {_have(all_of_them)} all, {none} {_have(none)} none.".strip()


def _have(number):
    return "has" if number == 1 else "have"


def progress(courses, of):
    """(SVG, words): the points after each hand-in. courses: [[points after the first, after the second, ...]] of who handed in more than once."""
    words = _progress_in_words(courses)
    longest = max(map(len, courses))
    with matplotlib.rc_context(STYLE):
        figure, axes = _axes(7.2, 2.8)
        for points in courses:
            axes.plot(range(1, len(points) + 1), points, color=BAR, linewidth=1.2, alpha=max(0.12, min(0.6, 12 / len(courses))), marker="o", markersize=3)
        middle = [statistics.median(points[min(number, len(points) - 1)] for points in courses) for number in range(longest)]
        axes.plot(range(1, longest + 1), middle, color=GROUND, linewidth=5)
        axes.plot(range(1, longest + 1), middle, color=STRONG, linewidth=2.5, linestyle="--")
        axes.set(xlabel="hand-in", ylabel="points by the checks", ylim=(0, max(of, *(max(points) for points in courses)) * 1.05))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.xaxis.set_major_locator(MaxNLocator(FEW, integer=True))
        return _svg(figure, words, "progress"), words


def _progress_in_words(courses):
    gained, lost = (sum(sign * (points[-1] - points[0]) > 0 for points in courses) for sign in (1, -1))
    first, last = (statistics.median(points[place] for points in courses) for place in (0, -1))
    return (
        f"{len(courses)} handed in more than once: {gained} gained points, {lost} lost some. "
        f"In the middle they had {first:g} points the first time and {last:g} the last time."
    )


def _axes(width, height):
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.subplots()
    axes.patch.set_alpha(0)
    axes.grid(axis="y", color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def _svg(figure, words, name):
    """The figure as an element of a page. name: what its ids begin with, since a page has each once."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = file.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'(\bid="|url\(#|xlink:href="#)', rf"\g<1>{name}-", text)
    text = re.sub(r"font-family: [^;\"]*; ", "", text)
    for colour, variable in NAMES.items():
        text = text.replace(colour, variable)
    text = re.sub(r'^<svg [^>]*viewBox="([^"]*)"[^>]*>', rf'<svg viewBox="\1" role="img" aria-label="{escape(words)}">', text)
    return re.sub(r"\bxlink:href=", "href=", text)

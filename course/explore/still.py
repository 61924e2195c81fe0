"""The still form of an explorer, for a reader without a kernel: an image with alt text, the sentence, and the numbers as tables."""

import html as escaping

from . import words
from .views import sheet

# The live explorer follows in the next output. Until it is there, a notebook would show "Loading widget…" in its place.
STYLE = (
    "<style>.jp-OutputArea-child:has(.hidden-state-still)+.jp-OutputArea-child:not(:has(.hidden-state-explorer))"
    "{position:absolute;visibility:hidden}</style>"
)


def html(explorer):
    """The still form as HTML."""
    return (
        f'<div class="hidden-state-still">{STYLE}{explorer.scene.picture._repr_html_()}'
        f"<p>{_escaped(explorer.sentence())} <em>Run this cell to move the sliders.</em></p>"
        f"<details><summary>The numbers</summary>{_sheets(explorer)}</details></div>"
    )


def _sheets(explorer):
    tables, at = explorer._here()
    scene = explorer.scene
    return "".join(_table(words.fill(view["title"], scene.controls, tables, at), *sheet(view, scene, tables, at)) for view in scene.views)


def _table(title, head, rows):
    heads = "".join(f'<th scope="col">{_escaped(name)}</th>' for name in head)
    lines = "".join(
        f'<tr><th scope="row">{_escaped(name)}</th>{"".join(f"<td>{_escaped(cell)}</td>" for cell in cells)}</tr>' for name, *cells in rows
    )
    return f"<table><caption>{_escaped(title)}</caption><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"


def _escaped(text):
    return escaping.escape(text)

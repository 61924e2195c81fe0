"""The still form of an explorer, for a reader without a kernel: an image with alt text, the sentence, and the numbers as tables."""

from html import escape

from course.pictures.tables import html_table

from . import words
from .views import sheet

# The live explorer follows in the next output. Until it is there, a notebook would show "Loading widget…" in its place.
STYLE = (
    "<style>.jp-OutputArea-child:has(.hidden-state-still)+.jp-OutputArea-child:not(:has(.hidden-state-explorer)){position:absolute;visibility:hidden}</style>"
)


def html(explorer):
    """The still form as HTML."""
    return (
        f'<div class="hidden-state-still">{STYLE}{explorer.scene.picture._repr_html_()}'
        f"<p>{escape(explorer.sentence())} <em>Run this cell to move the sliders.</em></p>"
        f"<details><summary>The numbers</summary>{_sheets(explorer)}</details></div>"
    )


def _sheets(explorer):
    tables, at = explorer.here()
    scene = explorer.scene
    return "".join(html_table(words.fill(view["title"], scene.controls, tables, at), *sheet(view, scene, tables, at)) for view in scene.views)

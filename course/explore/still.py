"""The still form of an explorer, for a reader without a kernel: an image with alt text, the sentence, and the numbers as tables."""

from html import escape

from course.pictures.tables import html_table

from . import words
from .views import sheet

# The live explorer follows in the next output. Until it is there, a notebook would show "Loading widget…" in its place.
STYLE = (
    "<style>.jp-OutputArea-child:has(.hidden-state-still)+.jp-OutputArea-child:not(:has(.hidden-state-explorer)){position:absolute;visibility:hidden}</style>"
)

FRAME = "display:inline-block;max-width:100%;margin:0;padding:8px 12px;border:3px double currentColor"
"""Around what cannot be moved, so that nobody takes it for the explorer itself; in the page's own ink, light or dark."""


def html(explorer):
    """The still form as HTML."""
    return (
        f'<div class="hidden-state-still">{STYLE}<figure style="{FRAME}"><figcaption style="margin-bottom:6px">A picture. <em>Run this cell to move the sliders.</em></figcaption>'
        f"{explorer.scene.picture._repr_html_()}<p>{escape(explorer.sentence())}</p>"
        f"<details><summary>The numbers</summary>{_sheets(explorer)}</details></figure></div>"
    )


def _sheets(explorer):
    tables, at = explorer.here()
    scene = explorer.scene
    return "".join(html_table(words.fill(view["title"], scene.controls, tables, at), *sheet(view, scene, tables, at)) for view in scene.views)

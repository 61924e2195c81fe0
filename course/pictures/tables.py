"""Small tables and texts that show themselves in a notebook and in a terminal."""

import html


def html_table(caption, head, rows, style=""):
    """A table as HTML, every text escaped: the first cell of a row is its name. style: an attribute for caption, heads and cells."""
    safe = html.escape
    heads = "".join(f'<th scope="col"{style}>{safe(name)}</th>' for name in head)
    lines = "".join(
        f'<tr><th scope="row"{style}>{safe(name)}</th>' + "".join(f"<td{style}>{safe(cell)}</td>" for cell in cells) + "</tr>" for name, *cells in rows
    )
    return f"<table><caption{style}>{safe(caption)}</caption><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"


class ShowsItsTable:
    """What has a table() shows itself as that table, in a notebook and in a terminal."""

    def _repr_html_(self):
        return self.table()._repr_html_()

    def __repr__(self):
        return repr(self.table())


class Rows:
    """A table that shows itself in a notebook and as text. head: names of the columns; rows: text, the first one the row's name."""

    def __init__(self, caption, head, rows, below=""):
        self.caption, self.head, self.rows, self.below = caption, head, rows, below

    def _repr_html_(self):
        below = f"<p>{html.escape(self.below)}</p>" if self.below else ""
        return html_table(self.caption, self.head, self.rows, style=' style="text-align:left"') + below

    def __repr__(self):
        widths = [max(map(len, column)) for column in zip(self.head, *self.rows)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in (self.head, *self.rows)]
        return "\n".join(filter(None, (self.caption, *lines, self.below)))


class Text(str):
    """Text that a notebook shows as it is, without quotes."""

    __slots__ = ()

    def __repr__(self):
        return str(self)

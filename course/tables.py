"""Small tables and texts that show themselves in a notebook and in a terminal."""

import html


class Rows:
    """A table that shows itself in a notebook and as text. head: names of the columns; rows: text, the first one the row's name."""

    def __init__(self, caption, head, rows, below=""):
        self.caption, self.head, self.rows, self.below = caption, head, rows, below

    def _repr_html_(self):
        safe = html.escape
        heads = "".join(f'<th scope="col" style="text-align:left">{safe(name)}</th>' for name in self.head)
        lines = "".join(
            f'<tr><th scope="row">{safe(name)}</th>' + "".join(f'<td style="text-align:left">{safe(cell)}</td>' for cell in cells) + "</tr>"
            for name, *cells in self.rows
        )
        below = f"<p>{safe(self.below)}</p>" if self.below else ""
        return (
            f'<table><caption style="text-align:left">{safe(self.caption)}</caption>'
            f"<thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>{below}"
        )

    def __repr__(self):
        widths = [max(map(len, column)) for column in zip(self.head, *self.rows)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in (self.head, *self.rows)]
        return "\n".join(filter(None, (self.caption, *lines, self.below)))


class Text(str):
    """Text that a notebook shows as it is, without quotes."""

    __slots__ = ()

    def __repr__(self):
        return str(self)

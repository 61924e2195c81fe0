"""How to draw tables: each function describes one view as plain data, and views.js draws the view of that kind.

All views take `parts`, [(label, table)]. A part has the axes `rows` and `columns` of its view, or one of them;
its other axes stand at their sliders' positions. The numbers of every view can be read as a sheet too (`sheet`).
"""

from .words import fill, number, pick


def grid(title, part, rows, columns, palette="state", panels=None, width=40):
    """Coloured cells with their numbers; a frame where a slider stands. panels: one grid for each position of that axis."""
    return _view("grid", title, [part], rows, columns, palette=palette, panels=panels, width=width)


def bars(title, parts, rows, limits=(-1, 1), palette="state"):
    """A bar from zero for each position of `rows`; a second part is drawn as a thin bar beneath the first."""
    return _view("bars", title, parts, rows, None, palette=palette, limits=list(limits))


def lines(title, parts, columns, rows=None, limits=(-1, 1), noticed=None):
    """A line for each part and each position of `rows`, told apart by dashes; `columns` runs to the right.

    noticed: values above it get a full dot, the others a hollow one.
    """
    dots = {} if noticed is None else {"noticed": noticed}
    return _view("lines", title, parts, rows, columns, limits=list(limits), **dots)


def block(title, part, columns, largest):
    """A tensor with three axes as sheets of cells: the part holds the three sizes, `largest` the most that each can be."""
    return _view("block", title, [part], None, columns, largest=list(largest))


def shares(title, parts, rows, columns):
    """What each column adds to each row: cells for the first part, then the bias, then the sums."""
    return _view("shares", title, parts, rows, columns)


def cell(title, parts, rows, x, h, weights):
    """The cell as a diagram. parts: input part, state part, sum, new state, and others to set beside it.

    x, h: the names of the sliders that hold them; weights: the tables {"W_ih", "W_hh", "b_ih", "b_hh"}.
    """
    return _view("cell", title, parts, rows, None, x=x, h=h, weights=weights)


def points(title, place, answer, rows, columns, classes, limits):
    """A mark on a map for each position of `rows`, its shape and colour by its class; hollow where the answer is another class.

    place: a part (label, table) with the axes `rows` and `columns`, the two coordinates; answer: a part with the axis `rows`.
    classes: one class for each position; limits: the ends of both axes.
    """
    return _view("points", title, [place, answer], rows, columns, classes=list(classes), limits=list(limits))


def map(title, part, rows, columns, places, leader, step):
    """The hive, the places around it and where the bee points, up to the position of the slider `step`.

    part: the glances, with the axes `rows` and `columns`; places: the axis of the places; leader: the table that says which is named now.
    """
    return _view("map", title, [part], rows, columns, places=places, leader=leader, step=step)


def _view(kind, title, parts, rows, columns, **more):
    parts = [{"label": label, "table": table} for label, table in parts]
    return {"kind": kind, "title": title, "parts": parts, "rows": rows, "columns": columns, **more}


def sheet(view, scene, tables, at):
    """The numbers of a view as text: (head, rows), the first column being the names of the rows."""
    names = {**{c.name: [c.text(i) for i in range(len(c.values))] for c in scene.controls}, **{a: n for a, (_, n) in scene.axes.items()}}
    labels = {**{c.name: c.label for c in scene.controls}, **{a: label for a, (label, _) in scene.axes.items()}}
    rows = names[view["rows"]] if view["rows"] else [""]
    head, columns = [labels[view["rows"]] if view["rows"] else ""], []
    for part in view["parts"]:
        table = tables[part["table"]]
        keep = [axis for axis in (view["columns"], view["rows"]) if axis in table.axes]
        values = pick(table, keep, at)
        label = fill(part["label"], scene.controls, tables, at)
        if view["columns"] not in table.axes:
            head, values = [*head, label], [values]
        else:
            whose = f"{label}, " if len(view["parts"]) > 1 else ""
            head += [f"{whose}{labels[view['columns']]} {name}" for name in names[view["columns"]]]
        for column in values:
            column = column if isinstance(column, list) else [column] * len(rows)
            columns.append([number(value, table.digits) for value in column])
    return head, [[name, *cells] for name, *cells in zip(rows, *columns)]

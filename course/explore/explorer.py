"""The frame of all explorers: sliders, tables of numbers, views that draw them.

An explorer is a `Scene`. The kernel fills its tables once; the browser picks from them what stands at the sliders'
positions and draws it (canvas.py and the JavaScript beside it), so that a drag never waits for the kernel.

A table's axes have names. An axis named like a slider follows that slider, unless a view shows the whole axis.

Where all the sliders' positions together would make too many numbers, a scene gives `around(points)` in place of
`tables`: then a table holds, for each slider, the line of positions through the present point. A drag moves along one
line; when it rests, the kernel sends the lines through the new point.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import ipywidgets
import torch
from IPython.display import HTML, display

from course.pictures.drawing import Picture

from . import still, words
from .canvas import Canvas

MANY = 5
"""Sliders that still fit above a picture."""


@dataclass(frozen=True)
class Slider:
    """A slider from `low` to `high` in equal steps. Whole numbers where the step is one. names: what its positions are called, if not by their numbers."""

    name: str
    label: str
    low: float
    high: float
    step: float
    start: float
    names: tuple = ()

    @property
    def digits(self):
        return 0 if float(self.step).is_integer() else max(2, len(f"{self.step:g}".partition(".")[2]))

    @cached_property
    def values(self):
        """All positions, as numbers."""
        count = round((self.high - self.low) / self.step) + 1
        return [round(self.low + i * self.step, 6) for i in range(count)]

    def text(self, position):
        return self.names[position] if self.names else words.number(self.values[position], self.digits)

    def position(self, value):
        """The position nearest to a value."""
        return min(range(len(self.values)), key=lambda i: abs(self.values[i] - value))

    def widget(self):
        kind = ipywidgets.FloatSlider if self.digits else ipywidgets.IntSlider
        form = {"readout_format": f".{self.digits}f"} if self.digits else {}
        number = float if self.digits else int
        return kind(
            value=number(self.start),
            min=number(self.low),
            max=number(self.high),
            step=number(self.step),
            description=self.label,
            style={"description_width": "auto"},
            layout={"width": "auto"},
            **form,
        )

    trait = "value"


@dataclass(frozen=True)
class Switch:
    """A choice between a few named options. Its values are the options' numbers, from 0."""

    name: str
    label: str
    options: tuple
    start: int = 0

    @property
    def values(self):
        return list(range(len(self.options)))

    def text(self, position):
        return self.options[position]

    def position(self, value):
        return int(value)

    def widget(self):
        return ipywidgets.ToggleButtons(
            options=list(self.options),
            index=self.start,
            description=self.label,
            style={"description_width": "auto", "button_width": "auto"},
            layout={"width": "auto"},
        )

    trait = "index"


@dataclass(frozen=True)
class Table:
    """Numbers with named axes. digits: how many places are shown; names: what a sentence says in place of 0, 1, …"""

    axes: tuple
    values: torch.Tensor
    digits: int = 2
    names: tuple = ()

    def __post_init__(self):
        if self.values.dim() != len(self.axes):
            raise ValueError(f"a table with the axes {self.axes} cannot hold the shape {tuple(self.values.shape)}")

    def packed(self):
        """For the browser: float32 in one row, with the names and sizes of the axes."""
        values = self.values.detach().to(torch.float32).contiguous()
        return {"axes": list(self.axes), "shape": list(values.shape), "digits": self.digits, "names": list(self.names), "data": values.numpy().tobytes()}


@dataclass(frozen=True)
class Scene:
    """What an explorer is made of.

    title: its name for a screen reader; controls: Sliders and Switches; views: what to draw, from views.py;
    words: the sentence that says what the picture shows; picture: the still Picture for readers without a kernel;
    axes: {axis: (label, names of its positions)} for the axes that are no sliders; note(): whose numbers these are.
    Either tables: {name: Table}, or around(points) -> {name: Table}, with points {slider: tensor (N,)} and tables whose
    first axis, named "point", has N positions.
    """

    title: str
    controls: list
    views: list
    words: str
    picture: Picture
    axes: dict
    note: Callable = lambda: ""
    tables: dict = field(default_factory=dict)
    around: Callable | None = None


class Explorer:
    """A scene with live sliders. In a notebook it shows the still picture, then the sliders, which hide it.

    `sliders` are the ipywidgets by name. Without a browser, `look(name)` and `sentence()` say what would be shown.
    """

    def __init__(self, scene):
        self.scene, self._last = scene, (None, {})
        self.sliders = {control.name: control.widget() for control in scene.controls}
        self.canvas = Canvas(scene, self._tables(self._values()), self.sliders)
        self.canvas.on_msg(self._answer)

    def at(self):
        """{slider: its position now}, counted from 0."""
        return {c.name: c.position(getattr(self.sliders[c.name], c.trait)) for c in self.scene.controls}

    def look(self, name, keep=None):
        """The numbers of a table at the sliders' positions, as nested lists. keep: axes to show whole."""
        tables, at = self.here()
        kept = [axis for axis in tables[name].axes if axis not in at] if keep is None else keep
        return words.pick(tables[name], kept, at)

    def sentence(self):
        """What the picture shows now, in words."""
        return words.fill(self.scene.words, self.scene.controls, *self.here())

    def here(self):
        """The tables and the position in them: those that the browser has when the sliders rest where they stand."""
        if self.scene.around is None:
            return self.scene.tables, self.at()
        at = self.at()
        return self._lines_through(self._values()), {**at, "line": 0, "along": at[self.scene.controls[0].name]}

    def _values(self):
        at = self.at()
        return {control.name: float(control.values[at[control.name]]) for control in self.scene.controls}

    def _tables(self, values):
        """What the browser gets: tables, the point that they lie around if they do, and whose numbers they are."""
        if self.scene.around is None:
            return {"around": None, "tables": _packed(self.scene.tables), "note": self.scene.note()}
        around = [control.position(values[control.name]) for control in self.scene.controls]
        return {"around": around, "tables": _packed(self._lines_through(values)), "note": self.scene.note()}

    def _lines_through(self, values):
        """The tables with a line for each slider through this point: a sum's last digits depend on how many rows are computed at once."""
        if self._last[0] != values:
            controls = self.scene.controls
            longest = max(len(control.values) for control in controls)
            tables = {
                name: Table(("line", "along", *table.axes[1:]), table.values.unflatten(0, (len(controls), longest)), table.digits, table.names)
                if table.axes[:1] == ("point",)
                else table
                for name, table in self.scene.around(_lines(controls, values, longest)).items()
            }
            self._last = values, tables
        return self._last[1]

    def _answer(self, canvas, message, buffers):
        """The browser rests at another point and wants the lines through it: {"wanted": the sliders' positions}."""
        wanted = zip(self.scene.controls, message["wanted"])
        self.canvas.tables = self._tables({control.name: float(control.values[position]) for control, position in wanted})

    def __repr__(self):
        return f"Explorer: {self.sentence()}"

    def _ipython_display_(self):
        display(HTML(still.html(self)), metadata={"hidden_state": "still"})
        display(_live(self))


def _live(explorer):
    """The sliders above the drawing. Its text form is the same in every run, as a stored output needs it."""
    controls = ipywidgets.Box(list(explorer.sliders.values()))
    controls.add_class("hidden-state-controls")
    box = _Live([controls, explorer.canvas])
    box.add_class("hidden-state-explorer")
    if len(explorer.sliders) > MANY:
        box.add_class("hidden-state-many")
    box.text = repr(explorer)
    return box


class _Live(ipywidgets.VBox):
    text = ""

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        return {**bundle, "text/plain": self.text}


def _lines(controls, values, longest):
    """{slider: (sliders * longest,)}: for each slider the points that differ from `values` in that slider alone."""
    points = {control.name: torch.full((len(controls), longest), values[control.name]) for control in controls}
    for line, control in enumerate(controls):
        points[control.name][line, : len(control.values)] = torch.tensor(control.values, dtype=torch.float32)
    return {name: grid.flatten() for name, grid in points.items()}


def _packed(tables):
    return {name: table.packed() for name, table in tables.items()}

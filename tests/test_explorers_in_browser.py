"""Explorers in real JupyterLab and Notebook 7: by mouse, by keyboard, for a screen reader, in the dark, narrow, and without a kernel."""

import re
import shutil
from functools import cache
from pathlib import Path

import nbformat
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from browser import PLACES, choose, chromium, open_notebook, run_all_cells, running_lab
from nbconvert import HTMLExporter
from nbformat import v4
from torch.nn import functional as F

from course import example, explore
from course.explore.explorer import Slider
from course.explore.networks import WEIGHTS, cell_weights, output_weights
from course.explore.views import sheet
from course.explore.words import number, numbers

PLAIN = ("input_sequence", "zero_state", "cell_step", "carry", "memory", "output_layer", "softmax")
OWN = "cell_step with an own rnn_step"
ALL = (*PLAIN, OWN)
WAIT = 60_000


def rnn_step(x, h, W_ih, W_hh, b_ih, b_hh):
    """A learner's cell with a mistake: W_hh is transposed."""
    return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh + b_hh)


LESSON = [
    "from course import explore, torch",
    *(f"explore.{name}()" for name in PLAIN),
    "def rnn_step(x, h, W_ih, W_hh, b_ih, b_hh):\n"
    "    return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh + b_hh)\n\n"
    "explore.cell_step(rnn_step)",
    "del torch, rnn_step\nexplore = None\nx = h = 3\npause = 0",
    "import time\ntime.sleep(pause)\npause = 2",
]


@cache
def twin(name):
    """The same explorer in this process: what it says of its sliders' positions is what the page should show."""
    return explore.cell_step(rnn_step) if name == OWN else getattr(explore, name)()


class Shown:
    """An explorer on a page, found by what a screen reader is told of it."""

    def __init__(self, page, name):
        self.page, self.name = page, name
        self.cell = page.locator(".jp-Notebook .jp-Cell").nth(1 + ALL.index(name))
        self.box = self.cell.locator(".hidden-state-explorer")
        self.words = self.box.locator(".hidden-state-words")
        self.controls = twin(name).scene.controls
        self.sliders = [control for control in self.controls if isinstance(control, Slider)]
        self.switches = [control for control in self.controls if not isinstance(control, Slider)]

    def handle(self, control):
        return self.box.get_by_role("slider", name=control.label, exact=True)

    def readout(self, control):
        return self.box.get_by_role("textbox", name=f"{control.label}, as a number", exact=True)

    def button(self, control, option):
        return self.box.get_by_role("group", name=control.label).get_by_role("button", name=control.options[option], exact=True)

    def term(self, name):
        return self.box.get_by_role("button", name=re.compile("^" + re.escape(name) + ":"))

    def press(self, control, *keys):
        for key in keys:
            self.handle(control).press(key)

    def drag(self, control, *shares, steps=8):
        """Take the handle with the mouse and move it to these shares of the track, one after the other."""
        track = self.box.locator(".noUi-target").nth(self.sliders.index(control))
        track.scroll_into_view_if_needed()
        handle, base = self.handle(control).bounding_box(), track.bounding_box()
        self.page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
        self.page.mouse.down()
        for share in shares:
            self.page.mouse.move(base["x"] + share * base["width"], handle["y"] + handle["height"] / 2, steps=steps)
        self.page.mouse.up()

    def expect(self, **positions):
        """Wait until the sentence is what Python says of these positions; the others are where they were last expected."""
        mirror = twin(self.name)
        for control in self.controls:
            if control.name in positions:
                setattr(mirror.sliders[control.name], control.trait, _trait(control, positions[control.name]))
        self.until("e => e.querySelector('.hidden-state-words').textContent", mirror.sentence())

    def until(self, what, value, timeout=10_000):
        """Wait until a function of the explorer's element gives this value."""
        handle = self.box.element_handle()
        try:
            self.page.wait_for_function(f"([e, value]) => JSON.stringify(({what})(e)) === JSON.stringify(value)", arg=[handle, value], timeout=timeout)
        except Exception:
            assert handle.evaluate(what) == value
            raise

    def start(self):
        """Bring every control back to where it began."""
        for control in self.sliders:
            self.press(control, "Home", *["ArrowRight"] * control.position(control.start))
        for control in self.switches:
            self.button(control, control.start).click()
        self.expect(**{control.name: control.position(control.start) for control in self.controls})


def _trait(control, position):
    value = control.values[position]
    return value if not isinstance(control, Slider) or control.digits else int(value)


def _tables(box):
    """The tables of an explorer or of its still form as text: [[head, row, …], …]."""
    return box.evaluate(
        "e => [...e.querySelectorAll('details table')].map(t => [...t.rows].map(r => [...r.cells].map(c => c.textContent)))"
    )


def _sheets(name):
    tables, at = twin(name)._here()
    sheets = [sheet(view, twin(name).scene, tables, at) for view in twin(name).scene.views]
    return [[head, *rows] for head, rows in sheets]


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The address of a server with a notebook for each application, and its folder."""
    folder = tmp_path_factory.mktemp("explorers") / "lessons"
    folder.mkdir()
    cells = [v4.new_code_cell(source) for source in LESSON]
    notebook = v4.new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}})
    for application in PLACES:
        nbformat.write(notebook, folder / f"{application}.ipynb")
    with running_lab(folder) as address:
        yield address, folder


@pytest.fixture(scope="module", params=PLACES)
def application(request):
    return request.param


@pytest.fixture(scope="module")
def page(browser, served, application):
    """The executed notebook in an application. What the explorers were made from is deleted."""
    page = browser.new_page(viewport={"width": 1300, "height": 1200})
    page.errors = []
    open_notebook(page, served[0], f"{application}.ipynb", application)
    page.on("console", lambda message: page.errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    run_all_cells(page)
    page.wait_for_function(f"document.querySelectorAll('.hidden-state-explorer .hidden-state-words').length === {len(ALL)}", timeout=WAIT)
    if application == "JupyterLab":
        page.keyboard.press("Control+b")
    yield page
    page.close()


@pytest.fixture(scope="module")
def saved(page, served, application):
    """The executed notebook as the application saved it."""
    path = served[1] / f"{application}.ipynb"
    page.keyboard.press("Control+s")
    for _ in range(100):
        notebook = nbformat.read(path, 4)
        if all(cell.outputs for cell in notebook.cells[1:1 + len(ALL)]) and notebook.cells[-1].execution_count:
            return notebook
        page.wait_for_timeout(100)
    raise AssertionError("the notebook was not saved with its outputs")


@pytest.fixture
def shown(page, name):
    return Shown(page, name)


each = pytest.mark.parametrize("name", ALL)


@each
def test_is_alive_in_place_of_its_still_form(shown):
    assert shown.box.is_visible()
    assert shown.cell.locator(".hidden-state-still").count() == 1 and not shown.cell.locator(".hidden-state-still").is_visible()
    assert shown.box.locator("svg").count() == len(twin(shown.name).scene.views)
    shown.expect()


@each
def test_every_slider_follows_the_mouse_and_nothing_jumps(shown):
    _watch_height(shown)
    for control in shown.sliders:
        last = len(control.values) - 1
        shown.drag(control, 1)
        shown.expect(**{control.name: last})
        shown.drag(control, 0.5, 0)
        shown.expect(**{control.name: 0})
    assert len(_heights(shown)) == 1
    shown.start()


@each
def test_every_slider_follows_the_keyboard_from_end_to_end(shown):
    for control in shown.sliders:
        last, start = len(control.values) - 1, control.position(control.start)
        for keys, position in ((["Home"], 0), (["ArrowRight"], 1), (["End"], last), (["ArrowLeft"], last - 1), (["ArrowDown"], max(0, last - 2)), (["ArrowUp"], last - 1)):
            shown.press(control, *keys)
            shown.expect(**{control.name: position})
            assert shown.handle(control).get_attribute("aria-valuetext") == control.text(position)
        shown.press(control, "Home", *["ArrowRight"] * start)
        shown.expect(**{control.name: start})


@each
def test_switches_follow_mouse_and_keyboard(shown):
    for control in shown.switches:
        for option in (1, 0):
            shown.button(control, option).click()
            shown.expect(**{control.name: option})
        for option, key in ((1, "Enter"), (0, " ")):
            shown.button(control, option).press(key)
            shown.expect(**{control.name: option})
            assert [shown.button(control, i).get_attribute("aria-pressed") for i in (0, 1)] == [str(i == option).lower() for i in (0, 1)]


@each
def test_numbers_are_those_of_python_at_several_positions(shown):
    shown.box.locator("summary").click()
    for share in (0.2, 0.8, 0.5):
        positions = {control.name: round(share * (len(control.values) - 1)) for control in shown.controls}
        for control in shown.sliders:
            shown.press(control, "Home", *["ArrowRight"] * positions[control.name])
        for control in shown.switches:
            shown.button(control, positions[control.name]).click()
        shown.expect(**positions)
        assert _tables(shown.box) == _sheets(shown.name)
        for axis in shown.controls:
            assert axis.name not in positions or twin(shown.name).at()[axis.name] == positions[axis.name]
    shown.box.locator("summary").click()
    shown.start()


def _watch_height(shown):
    shown.box.evaluate("""e => {
        e.heights = new Set([Math.round(e.getBoundingClientRect().height)]);
        new ResizeObserver(() => e.heights.add(Math.round(e.getBoundingClientRect().height))).observe(e);
    }""")


def _heights(shown):
    return shown.box.evaluate("e => [...e.heights]")

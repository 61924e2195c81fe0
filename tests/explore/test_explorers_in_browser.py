"""Explorers in real JupyterLab and Notebook 7: by mouse, by keyboard, for a screen reader, in the dark, narrow, and without a kernel."""

import contextlib
import os
import re
import signal
from copy import deepcopy

import nbformat
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from browser import PLACES, WAIT, choose, chromium, open_notebook, patient, run_all_cells, running_lab
from nbconvert import HTMLExporter
from nbformat import v4
from playwright.sync_api import TimeoutError
from torch.nn import functional as F
from waiting import until

from course import example, explore
from course.explore.explorer import Slider
from course.explore.views import sheet
from course.explore.weights import WEIGHTS, cell_weights, output_weights
from course.explore.words import number, numbers
from course.pictures.story import CLASSES

PLAIN = ("input_sequence", "zero_state", "cell_step", "carry", "memory", "output_layer", "softmax", "meet", "epochs", "decision", "broken_laws")
OWN = "cell_step with an own rnn_step"
ALL = (*PLAIN, OWN)


def rnn_step(x, h, W_ih, W_hh, b_ih, b_hh):
    """A learner's cell with a mistake: W_hh is transposed."""
    return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh + b_hh)


LESSON = [
    "from course import explore, torch",
    *(f"explore.{name}()" for name in PLAIN),
    "def rnn_step(x, h, W_ih, W_hh, b_ih, b_hh):\n    return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh + b_hh)\n\nexplore.cell_step(rnn_step)",
    "del torch, rnn_step\nexplore = None\nx = h = 3",
    "import os, pathlib\npathlib.Path('pid').write_text(str(os.getpid()))",
]


class Shown:
    """An explorer on a page, found by what a screen reader is told of it, and its twin in this process.

    What the twin says of its sliders' positions is what the page should show.
    """

    def __init__(self, page, name):
        self.page, self.name, self.twin = page, name, _explorer(name)
        self.cell = page.locator(".jp-Notebook .jp-Cell").nth(1 + ALL.index(name))
        self.box = self.cell.locator(".hidden-state-explorer")
        self.element = self.box.element_handle()
        self.controls = self.twin.scene.controls
        self.sliders = [control for control in self.controls if isinstance(control, Slider)]
        self.switches = [control for control in self.controls if not isinstance(control, Slider)]
        self.handles = {control.name: self.role("slider", control.label).element_handle() for control in self.sliders}

    def role(self, role, name):
        return self.box.get_by_role(role, name=name, exact=True)

    def readout(self, control):
        return self.role("textbox", f"{control.label}, as a number")

    def button(self, control, option):
        return self.role("group", control.label).get_by_role("button", name=control.options[option], exact=True)

    def words(self):
        return self.box.locator(".hidden-state-words").text_content()

    def press(self, control, *keys):
        self.handles[control.name].focus()
        for key in keys:
            self.page.keyboard.press(key)

    def drag(self, control, *shares, steps=6):
        """Take the handle with the mouse and move it to these shares of the track, one after the other."""
        handle = self.handles[control.name]
        handle.scroll_into_view_if_needed()
        knob = handle.bounding_box()
        left, wide = handle.evaluate("e => { const r = e.closest('.noUi-target').getBoundingClientRect(); return [r.x, r.width]; }")
        height = knob["y"] + knob["height"] / 2
        self.page.mouse.move(knob["x"] + knob["width"] / 2, height)
        self.page.mouse.down()
        for share in shares:
            self.page.mouse.move(left + share * wide, height, steps=steps)
        self.page.mouse.up()

    def move(self, **positions):
        """Bring sliders to positions by Home and arrow keys, and switches by a click; wait for the sentence."""
        for control in self.controls:
            if control.name in positions and control in self.sliders:
                self.press(control, "Home", *["ArrowRight"] * positions[control.name])
            elif control.name in positions:
                self.button(control, positions[control.name]).click()
        self.expect(**positions)

    def expect(self, **positions):
        """Wait for the sentence of these positions; the other controls are where they were last expected."""
        for control in self.controls:
            if control.name in positions:
                setattr(self.twin.sliders[control.name], control.trait, _value(control, positions[control.name]))
        self.until("e => e.querySelector('.hidden-state-words').textContent", self.twin.sentence())

    def until(self, what, value, timeout=WAIT):
        """Wait until a function of the explorer's element gives this value."""
        same = f"([e, value]) => JSON.stringify(({what})(e)) === JSON.stringify(value)"
        try:
            self.page.wait_for_function(same, arg=[self.element, value], timeout=timeout)
        except TimeoutError:
            assert self.element.evaluate(what) == value
            raise


def _explorer(name):
    return explore.cell_step(rnn_step) if name == OWN else getattr(explore, name)()


def _value(control, position):
    value = control.values[position]
    return value if not isinstance(control, Slider) or control.digits else int(value)


def _tables(box):
    """The tables of an explorer or of its still form as text: [[head, row, …], …]."""
    return box.evaluate("e => [...e.querySelectorAll('details table')].map(t => [...t.rows].map(r => [...r.cells].map(c => c.textContent)))")


def _sheets(explorer):
    tables, at = explorer.here()
    sheets = [sheet(view, explorer.scene, tables, at) for view in explorer.scene.views]
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


@pytest.fixture(scope="module", params=["JupyterLab", pytest.param("Notebook 7", marks=pytest.mark.long)])
def application(request):
    return request.param


@pytest.fixture(scope="module")
def page(browser, served, application):
    """The executed notebook in an application. What the explorers were made from is deleted."""
    page = patient(browser.new_page(viewport={"width": 1300, "height": 1200}))
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
    choose(page, "File", "Save Notebook")

    def with_outputs():
        with contextlib.suppress(nbformat.reader.NotJSONError):  # read while it is being written
            notebook = nbformat.read(path, 4)
            if all(cell.outputs for cell in notebook.cells[1 : 1 + len(ALL)]) and notebook.cells[-1].execution_count:
                return notebook
        page.wait_for_timeout(100)  # the page itself must go on meanwhile

    return until(with_outputs, "the notebook, saved with its outputs")


@pytest.fixture(scope="module")
def explorers(page):
    return {name: Shown(page, name) for name in ALL}


@pytest.fixture
def shown(explorers, name):
    return explorers[name]


each = pytest.mark.parametrize("name", ALL)


@each
def test_is_alive_in_place_of_its_still_form(shown):
    still = shown.cell.locator(".hidden-state-still")
    assert shown.box.is_visible() and still.count() == 1 and not still.is_visible()
    assert shown.box.locator("svg").count() == len(shown.twin.scene.views)
    shown.expect()


@each
def test_every_slider_follows_the_mouse_and_nothing_jumps(shown):
    _watch_height(shown)
    for control in shown.sliders:
        shown.drag(control, 1)
        shown.expect(**{control.name: len(control.values) - 1})
        shown.drag(control, 0.5, 0)
        shown.expect(**{control.name: 0})
    assert len(_heights(shown)) == 1


@each
def test_every_slider_follows_the_keyboard_from_end_to_end(shown):
    for control in shown.sliders:
        last = len(control.values) - 1
        steps = (("End", last), ("ArrowLeft", last - 1), ("ArrowUp", last), ("ArrowDown", last - 1), ("Home", 0), ("ArrowRight", 1))
        for key, position in steps:
            shown.press(control, key)
            shown.expect(**{control.name: position})
            shown.until("e => e.ownerDocument.activeElement.getAttribute('aria-valuetext')", control.text(position))


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
    for first in range(3):
        shown.move(**{c.name: (first + i) % min(5, len(c.values)) for i, c in enumerate(shown.controls)})
        assert _tables(shown.box) == _sheets(shown.twin)
    shown.box.locator("summary").click()


@each
def test_everything_has_a_name_and_the_texts_follow_a_drag(shown):
    slider = shown.sliders[0]
    shown.drag(slider, 0)
    shown.drag(slider, 1)
    shown.expect(**{slider.name: len(slider.values) - 1})
    sentence = shown.twin.sentence()
    shown.until("e => e.querySelector('[aria-live=polite]').textContent", sentence)
    assert all(shown.readout(control).count() == 1 for control in shown.sliders)
    assert all(shown.button(control, option).count() == 1 for control in shown.switches for option in (0, 1))
    pictures = shown.element.evaluate("e => [...e.querySelectorAll('svg')].map(s => [s.getAttribute('role'), s.getAttribute('aria-label')])")
    assert all(role in ("img", "group") and label.endswith(f". {sentence}") for role, label in pictures)


@pytest.mark.parametrize("weights", range(len(WEIGHTS.options)), ids=WEIGHTS.options)
def test_cell_step_shows_pytorchs_numbers(explorers, weights):
    shown = explorers["cell_step"]
    shown.move(x0=37, x3=2, h1=5, weights=weights)
    x, h = _vector(shown, "x", 5), _vector(shown, "h", 4)
    W_ih, W_hh, b_ih, b_hh = (values[weights] for values in cell_weights().values())
    total = F.linear(x, W_ih, b_ih) + F.linear(h, W_hh, b_hh)
    new = torch.rnn_tanh_cell(x[None], h[None], W_ih, W_hh, b_ih, b_hh)[0]
    assert f"give the sum {_listed(total, 3)}, and tanh makes it the new state {_listed(new, 3)}." in shown.words()
    assert _terms(shown, "tanh: new h") == [number(value, 3) for value in new.tolist()]
    assert shown.element.evaluate("e => [...e.querySelectorAll('svg text')].map(t => t.textContent)").count(number(x[0].item(), 2)) >= 1


def test_carry_shows_pytorchs_numbers(explorers):
    shown = explorers["carry"]
    shown.move(scale=14, step=7, k=2, way=0)
    layer = example.rnn()
    with torch.no_grad():
        layer.weight_hh_l0 *= 0.7
        carried = layer(example.sequence())[0][7, 0]
        cut = layer(example.sequence()[3:])[0][4, 0]
    assert shown.words() == f"W_hh × 0.70, after step 8: carried {_listed(carried, 2)}; reset at step 4: {_listed(cut, 2)}."


@pytest.mark.parametrize("weights", range(len(WEIGHTS.options)), ids=WEIGHTS.options)
def test_output_layer_shows_pytorchs_numbers(explorers, weights):
    shown = explorers["output_layer"]
    shown.move(h0=3, h1=26, h2=36, h3=30, weights=weights)  # some logits lie half-way between two roundings
    W, b = (values[weights] for values in output_weights().values())
    logits = F.linear(_vector(shown, "h", 4), W, b)
    assert f"gives the logits {_listed(logits, 2)}: {CLASSES[logits.argmax()]} leads." in shown.words()


@pytest.mark.parametrize("shift", (0, 1))
def test_softmax_shows_pytorchs_numbers(explorers, shift):
    shown = explorers["softmax"]
    shown.move(z0=20, z1=71, temperature=12, shift=shift)
    probs = ((_vector(shown, "z", 3) + 1000 * shift) / 1.3).softmax(-1)
    assert f"is {_listed(probs, 3)}. The sum is {number(probs.sum().item(), 3)}; {CLASSES[probs.argmax()]} wins." in shown.words()


def test_an_own_function_is_shown_after_the_lesson_deleted_its_names(explorers):
    shown = explorers[OWN]
    shown.move(h0=0, h2=38, weights=1)
    x, h = _vector(shown, "x", 5)[None], _vector(shown, "h", 4)[None]
    weights = [values[1] for values in cell_weights().values()]
    assert shown.words().endswith(f"the new state {_listed(rnn_step(x, h, *weights)[0], 3)}.")
    assert _terms(shown, "PyTorch's") == [number(value, 3) for value in torch.rnn_tanh_cell(x, h, *weights)[0].tolist()]
    assert "yours, from rnn_step. PyTorch's are different" in shown.box.locator(".hidden-state-note").text_content()


def test_a_term_of_the_cell_lights_up_by_mouse_and_keyboard(explorers):
    shown = explorers["cell_step"]
    for name, keys in (("sum, unit 1", ()), ("W_ih x + b_ih, unit 0", ("Enter",)), ("tanh: new h, unit 2", (" ",)), ("W_hh h + b_hh, unit 3", ())):
        term = shown.box.get_by_role("button", name=re.compile("^" + re.escape(name) + ":"))
        term.focus() if keys else term.click()
        for key in keys:
            shown.page.keyboard.press(key)
        value = term.get_attribute("aria-label").rpartition(": ")[2]
        formula = shown.box.locator(".hidden-state-formula").text_content()
        assert formula.startswith(f"{name}: ") and formula.endswith(f" {value}")
        assert term.get_attribute("aria-pressed") == "true" and shown.box.locator(".hs-term[aria-pressed=true]").count() == 1
        assert term.evaluate("e => e === document.activeElement")


def test_formulas_of_the_cell_add_up(explorers):
    shown = explorers["cell_step"]
    for term in shown.box.locator(".hs-term").all():
        term.click()
        left, result = re.split(" = | → ", shown.box.locator(".hidden-state-formula").text_content().rpartition(": ")[2].replace("−", "-"))
        sums = eval(re.sub(r"\(b_\w+\)", "", left).replace("×", "*"), {"tanh": lambda value: torch.tensor(value).tanh().item()})
        assert sums == pytest.approx(float(result), abs=0.003)


@pytest.mark.parametrize("name", ("cell_step", "softmax"))
def test_letters_typed_in_an_explorer_do_nothing_to_the_notebook(shown):
    cells = shown.page.locator(".jp-Notebook .jp-Cell").count()
    stops = [shown.handles[shown.sliders[0].name], shown.readout(shown.sliders[0]), shown.button(shown.switches[0], 0), shown.box.locator("summary")]
    for stop in [*stops, *shown.box.locator(".hs-term").all()[:1]]:
        stop.focus()
        for key in ("d", "d", "a", "x"):
            shown.page.keyboard.press(key)
        assert shown.page.locator(".jp-Notebook .jp-Cell").count() == cells
        shown.page.keyboard.press("Escape")
    shown.expect()


@pytest.mark.parametrize("typed, position, text", (("0.33", 27, "0.35"), ("-7", 0, "−1.00")))
def test_a_typed_value_goes_to_the_grid(explorers, typed, position, text):
    shown, control = explorers["output_layer"], explorers["output_layer"].sliders[1]
    readout = shown.readout(control)
    readout.click()
    shown.page.keyboard.press("Control+a")
    shown.page.keyboard.type(typed)
    shown.page.keyboard.press("Enter")
    shown.expect(**{control.name: position})
    assert readout.text_content().replace("-", "−") == text


def test_one_slider_needs_no_kernel_and_a_second_one_waits_for_it_and_says_so(explorers, page, served):
    """A kernel that runs a cell answers all the same, so this one is stopped for a moment."""
    shown, kernel = explorers["cell_step"], int((served[1] / "pid").read_text())
    shown.move(x1=3, h0=4)
    here = ",".join(map(str, shown.twin.at().values()))
    shown.until("e => e.querySelector('.hidden-state-canvas').dataset.around", here)  # the kernel has sent the lines through this point
    os.kill(kernel, signal.SIGSTOP)
    try:
        _move_two_without_a_kernel(shown)
    finally:
        os.kill(kernel, signal.SIGCONT)
    shown.expect(h0=40)
    assert "kernel" not in shown.box.locator(".hidden-state-note").text_content()


def _move_two_without_a_kernel(shown):
    shown.press(shown.sliders[1], "End")
    shown.expect(x1=40)
    before = shown.words()
    shown.press(shown.sliders[5], "End")
    shown.until("e => e.querySelector('.hidden-state-note').textContent.includes('waits for the kernel')", True)
    assert shown.words() == before


@each
def test_a_hand_can_set_each_stop_of_a_slider_at_700_pixels(shown):
    """A hand needs two pixels for each."""
    shown.page.set_viewport_size({"width": 700, "height": 1200})
    try:
        wide = {
            control.label: shown.handles[control.name].evaluate("e => e.closest('.noUi-target').getBoundingClientRect().width") / (len(control.values) - 1)
            for control in shown.sliders
        }
        assert all(width >= 2 for width in wide.values()), wide
    finally:
        shown.page.set_viewport_size({"width": 1300, "height": 1200})


@each
def test_nothing_is_cut_off_and_nothing_jumps_at_600_pixels(shown):
    shown.page.set_viewport_size({"width": 600, "height": 1200})
    _wait_until_settled(shown)
    _watch_height(shown)
    assert _cut_off(shown) == []
    for control in shown.controls:
        for position in (len(control.values) - 1, 0):
            if control in shown.switches:
                shown.button(control, position).click()
            else:
                shown.press(control, "Home" if position == 0 else "End")
            shown.expect(**{control.name: position})
    assert len(_heights(shown)) == 1 and _cut_off(shown) == []
    if shown.name == ALL[-1]:
        shown.page.set_viewport_size({"width": 1300, "height": 1200})


def test_nothing_moves_by_itself_for_a_reader_who_asked_for_that(page):
    page.emulate_media(reduced_motion="reduce")
    durations = page.eval_on_selector_all(".hidden-state-explorer *", "all => [...new Set(all.map(e => getComputedStyle(e).transitionDuration))]")
    page.emulate_media(reduced_motion="no-preference")
    assert durations == ["0s"]


@each
def test_axe_finds_no_serious_fault(shown):
    assert _faults(shown.page, f".jp-Notebook .jp-Cell:nth-child({2 + ALL.index(shown.name)}) .hidden-state-explorer") == []


def test_axe_finds_no_serious_fault_in_the_dark(page, application):
    if application != "JupyterLab":
        pytest.skip("one dark theme is enough: the style is the same")
    _theme(page, "JupyterLab Dark")
    page.wait_for_selector('body[data-jp-theme-light="false"]', state="attached")
    faults = _faults(page, ".hidden-state-explorer")
    _theme(page, "JupyterLab Light")
    page.wait_for_selector('body[data-jp-theme-light="true"]', state="attached")
    assert faults == []


def test_the_console_has_no_errors(page):
    assert [error for error in page.errors if "favicon" not in error] == []


def test_comes_back_alive_after_a_reload(page, saved, application):
    page.reload()
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=WAIT)
    for name in PLAIN:
        shown = Shown(page, name)
        slider = shown.sliders[0]
        page.keyboard.press("Escape")
        shown.press(slider, "End")
        shown.until("e => e.querySelector('.noUi-handle').getAttribute('aria-valuetext')", slider.text(len(slider.values) - 1))


@pytest.fixture(scope="module", params=("trusted", "untrusted", "without a kernel"))
def reopened(request, browser, served, application, saved):
    """The saved notebook in a new page: with a new kernel, as if it came from elsewhere, and with its kernel shut down."""
    copy, notebook = f"{application} {request.param}.ipynb", deepcopy(saved)  # the file itself may be saved again, and be empty for a moment
    if request.param == "untrusted":
        notebook.cells[0].source += f"\n# {served[1]}"
    nbformat.write(notebook, served[1] / copy)
    page = patient(browser.new_page(viewport={"width": 1300, "height": 1200}))
    open_notebook(page, served[0], copy, application)
    if request.param == "without a kernel":
        choose(page, "Kernel", "Shut Down Kernel")
        page.wait_for_selector('.jp-Toolbar [data-status="idle"]', state="detached")
    yield page
    page.close()


@pytest.mark.parametrize("name", PLAIN)
def test_reopened_it_shows_picture_sentence_and_numbers(reopened, name):
    cell = reopened.locator(".jp-Notebook .jp-Cell").nth(1 + ALL.index(name))
    cell.scroll_into_view_if_needed()
    _assert_still(cell.locator(".jp-OutputArea"), name)
    assert _visible_text(cell, "Loading widget") == _visible_text(cell, "Error displaying widget") == []


@pytest.fixture(scope="module")
def converted(browser, served, application, saved):
    """The executed notebook as a web page by nbconvert, without a network."""
    if application != "JupyterLab":
        pytest.skip("the notebook is the same")
    path = served[1] / "converted.html"
    path.write_text(HTMLExporter().from_notebook_node(saved)[0], encoding="utf-8")
    page = patient(browser.new_page(viewport={"width": 1300, "height": 1200}))
    page.route(re.compile("^https?:"), lambda route: route.abort())
    page.goto(path.as_uri(), wait_until="domcontentloaded")
    yield page
    page.close()


@pytest.mark.parametrize("name", PLAIN)
def test_converted_to_html_it_shows_picture_sentence_and_numbers(converted, name):
    _assert_still(converted.locator(".jp-CodeCell").nth(1 + ALL.index(name)), name)


def test_axe_finds_no_serious_fault_in_the_still_forms(converted):
    assert _faults(converted, ".hidden-state-still") == []


def _assert_still(place, name):
    """The still form of an explorer at its start."""
    explorer, image = _explorer(name), place.locator("img")
    image.wait_for()
    assert image.evaluate("i => i.naturalWidth") > 100 and len(image.get_attribute("alt")) > 30
    assert place.get_by_text(explorer.sentence()).first.is_visible()
    place.locator("summary").first.click()
    assert place.locator("table").first.is_visible()
    assert _tables(place) == _sheets(explorer)


def _visible_text(place, text):
    return [each.text_content() for each in place.get_by_text(text).all() if each.is_visible()]


def _vector(shown, letter, size):
    """The values of the sliders x0, x1, … as a tensor."""
    return torch.tensor([float(shown.twin.sliders[f"{letter}{i}"].value) for i in range(size)])


def _listed(values, digits):
    return numbers(values.tolist(), digits)


def _terms(shown, label):
    names = shown.element.evaluate("e => [...e.querySelectorAll('.hs-term')].map(t => t.getAttribute('aria-label'))")
    return [name.rpartition(": ")[2] for name in names if name.startswith(f"{label}, ")]


def _cut_off(shown):
    """What reaches beyond the right edge of the output, and what can be scrolled sideways, outside the tables of numbers; text outside its drawing."""
    return shown.element.evaluate("""e => {
        const edge = e.closest('.jp-OutputArea-output').getBoundingClientRect().right + 0.5;
        const all = [...e.querySelectorAll(':not(.hidden-state-numbers *):not(.hidden-state-spoken)')].filter(n => n.getClientRects().length);
        const wide = n => n.getBoundingClientRect().right > edge;
        const scrolls = n => n.scrollWidth > n.clientWidth + 1 && ['auto', 'scroll'].includes(getComputedStyle(n).overflowX);
        const out = n => { const [r, svg] = [n, n.ownerSVGElement].map(m => m.getBoundingClientRect()); return r.left < svg.left - 1 || r.right > svg.right + 1; };
        const written = [...e.querySelectorAll('svg text')].filter(out);
        return [...all.filter(n => wide(n) || scrolls(n)), ...written].map(n => n.outerHTML.slice(0, 120));
    }""")


def _faults(page, where):
    found = Axe().run(page, context=where, options={"resultTypes": ["violations"]}).response["violations"]
    return [(fault["id"], fault["nodes"][0]["html"][:200]) for fault in found if fault["impact"] in ("serious", "critical")]


def _theme(page, theme):
    page.click('.lm-MenuBar-itemLabel:text-is("Settings")')
    page.hover('.lm-Menu-itemLabel:text-is("Theme")')
    page.click(f'.lm-Menu-itemLabel:text-is("{theme}")')


def _wait_until_settled(shown):
    """Until the height has stayed the same for 20 frames."""
    shown.element.evaluate("""e => new Promise(done => {
        let height = 0, same = 0;
        const look = () => {
            const now = e.getBoundingClientRect().height;
            same = now === height ? same + 1 : 0;
            height = now;
            same < 20 ? requestAnimationFrame(look) : done();
        };
        look();
    })""")


def _watch_height(shown):
    shown.element.evaluate("""e => {
        const height = () => Math.round(e.getBoundingClientRect().height);
        e.heights = new Set([height()]);
        new ResizeObserver(() => e.heights.add(height())).observe(e);
    }""")


def _heights(shown):
    return shown.element.evaluate("e => [...e.heights]")

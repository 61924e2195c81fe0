"""Take the pictures of the README and of the lessons from the running course: make pictures (after `make notebooks`).

docs/explorer.png: an explorer in its lesson. docs/lesson.png: an exercise with a common mistake, checked.
solutions/<unit>/<lesson>.png: the drawing of the lesson's explorer with its sliders moved, without the sliders, framed like a photograph;
run `make notebooks` again to release it.
"""

import shutil
import tempfile
import time
from pathlib import Path

import nbformat
from browser import ROOT, new_page, open_notebook, run_all_cells, running_lab
from nbformat.v4 import new_code_cell
from PIL import Image, ImageChops, ImageOps

from course.pictures.drawing import GROUND, INK

LESSON = "03_cell_step"
MARGIN, EDGE = 28, 5
FORGOTTEN_TRANSPOSE = "return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh + b_hh)"
MOVED = {  # the explorers as the lessons' texts describe their pictures
    "01_input_sequence": ("input_sequence", {"step": 7, "sequence": 2, "feature": 4}),
    "02_zero_init": ("zero_state", {"layers": 3, "directions": 2, "batch": 2, "hidden": 8, "steps": 9}),
    "03_cell_step": ("cell_step", {**{f"x{i}": 1 for i in range(5)}, **{f"h{i}": 1 for i in range(4)}, "weights": "mixed"}),
    "05_output": ("output_layer", {"h0": 0.5, "h1": -0.5, "h2": 0.5, "h3": -0.5, "weights": "mixed"}),
    "06_softmax": ("softmax", {"temperature": 0.5, "z0": 2, "z1": -1, "z2": 0.5}),
    "07_training_trace": ("epochs", {"epoch": 5, "step": 5}),
    "08_prediction_trace": ("decision", {"flipped": 8, "step": 10}),
}


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "pictures"
        folder.mkdir()
        _lesson_with_a_mistake(folder / "lesson.ipynb")
        _explorers_moved(folder / "explorers.ipynb")
        for picture in (ROOT / "notebooks" / "pipeline").glob("*.png"):
            shutil.copy(picture, folder)
        with running_lab(folder) as address:
            with new_page(1240, 1000, scale=2) as page:
                _take_explorers(page, address)
            with new_page(1240, 1080) as page:
                _take_lesson(page, address)


def _take_explorers(page, address):
    open_notebook(page, address, "explorers.ipynb", "JupyterLab")
    run_all_cells(page)
    page.keyboard.press("Control+b")
    page.set_viewport_size({"width": 860, "height": 1000})  # as wide as a lesson's text: the drawing fills it
    for number, lesson in enumerate(MOVED):
        explorer = page.locator(".hidden-state-explorer").nth(number)
        explorer.locator("svg").first.wait_for(state="attached", timeout=60_000)
        explorer.scroll_into_view_if_needed()
        time.sleep(1)
        (unit,) = (source.parent for source in ROOT.glob(f"solutions/*/{lesson}.md"))
        drawing = explorer.locator(".hidden-state-views")
        drawing.evaluate(f"views => {{ views.style.background = '{GROUND}'; views.style.width = 'fit-content'; }}")
        drawing.screenshot(path=unit / f"{lesson}.png")
        _frame(unit / f"{lesson}.png")
        print(f"{lesson}.png")


def _frame(file):
    """Put a photograph on a card: a margin and a dark edge, so that it is seen to be one on a light and on a dark page."""
    photograph = Image.open(file).convert("RGB")
    photograph = photograph.crop(ImageChops.difference(photograph, Image.new("RGB", photograph.size, GROUND)).getbbox())
    card = ImageOps.expand(ImageOps.expand(photograph, MARGIN, GROUND), EDGE, INK)
    card.quantize(256).save(file, optimize=True)


def _take_lesson(page, address):
    open_notebook(page, address, "lesson.ipynb", "JupyterLab")
    run_all_cells(page)
    page.keyboard.press("Control+b")
    page.wait_for_selector(".hidden-state-canvas svg", timeout=60_000)
    page.wait_for_selector("text=| Idle", timeout=60_000)
    time.sleep(3)
    _photograph(page, "Build", "lesson")
    page.click("text=mixed")
    for handle in page.locator(".hidden-state-explorer .noUi-handle").all():
        handle.focus()
        page.keyboard.press("End")
    _photograph(page, "Inspect", "explorer")


def _photograph(page, heading, name):
    """The whole window, with the section of this heading at the top."""
    page.locator(".jp-RenderedMarkdown h2", has_text=heading).first.evaluate("h2 => h2.scrollIntoView()")
    time.sleep(2)
    page.screenshot(path=ROOT / "docs" / f"{name}.png")
    print(f"{name}.png")


def _lesson_with_a_mistake(path):
    notebook = nbformat.read(ROOT / "notebooks" / "pipeline" / f"{LESSON}.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.id == "rnn_step":
            cell.source = cell.source.replace("# your answer here", FORGOTTEN_TRANSPOSE)
    nbformat.write(notebook, path)


def _explorers_moved(path):
    notebook = nbformat.read(ROOT / "notebooks" / "pipeline" / f"{LESSON}.ipynb", as_version=4)
    notebook.cells = [new_code_cell("from course import explore")]
    for name, positions in MOVED.values():
        moves = [f"e.sliders[{slider!r}].value = {value!r}" for slider, value in positions.items()]
        notebook.cells.append(new_code_cell("\n".join([f"e = explore.{name}()", *moves, "e"])))
    nbformat.write(notebook, path)


if __name__ == "__main__":
    main()

"""A student's first minutes, in real JupyterLab in headless Chromium: open a lesson, run all, look at the pictures."""

import contextlib
import shutil

import nbformat
import pytest
from browser import ROOT, WAIT, new_page, open_notebook, run_all_cells, running_lab
from waiting import until

LESSON = "03_cell_step.ipynb"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab that serves a copy of the released lessons, and the folder of the copy."""
    folder = tmp_path_factory.mktemp("student") / "pipeline"
    shutil.copytree(ROOT / "notebooks" / "pipeline", folder)
    with running_lab(folder) as address:
        yield address, folder


@pytest.fixture(scope="module")
def page():
    with new_page() as page:
        yield page


def test_run_all_goes_to_the_end_of_a_blank_lesson_and_pictures_have_alt_text(lab, page):
    address, folder = lab
    errors = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    open_notebook(page, address, LESSON, "JupyterLab")
    _run_in_one_kernel(page)
    # Lab lays out what is in sight alone, and where that is depends on how fast the cells ran: so not "visible", but there and drawn.
    page.wait_for_function("""() => [...document.querySelectorAll('.jp-OutputArea img[alt*="Step 2"]')].some(i => i.naturalWidth > 100)""", timeout=WAIT)
    alts = page.eval_on_selector_all(".jp-OutputArea img", "images => images.map(i => [i.alt, i.naturalWidth])")
    assert alts and all(len(alt) > 30 and width > 100 for alt, width in alts)

    last = _saved_until_last_cell_ran(page, folder / LESSON)
    assert "to do" in last
    texts = [o.evalue for c in nbformat.read(folder / LESSON, 4).cells for o in c.get("outputs", []) if o.output_type == "error"]
    assert len(texts) == 4 and all("not attempted yet" in text for text in texts)
    assert not [error for error in errors if "favicon" not in error]


def _run_in_one_kernel(page):
    """Run all, and again where a busy machine's Lab has changed the kernel in the middle: then later cells miss the names of the first."""
    for _ in range(3):
        run_all_cells(page)
        page.wait_for_function("() => ![...document.querySelectorAll('.jp-InputPrompt')].some(prompt => prompt.textContent.includes('*'))", timeout=WAIT)
        if not page.locator(".jp-OutputArea", has_text="NameError").count():
            return


def _saved_until_last_cell_ran(page, path):
    def last_output():
        page.keyboard.press("Control+s")
        page.wait_for_timeout(1000)
        with contextlib.suppress(nbformat.reader.NotJSONError):  # read while it is being written
            last = nbformat.read(path, 4).cells[-1]
            return last.get("outputs") and last.outputs[0].text

    return until(last_output, "the last cell's output: Run All stopped before")

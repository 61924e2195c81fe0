"""Take the README's picture from the running course: python tests/take_picture.py (after `make notebooks`)."""

import tempfile
import time
from pathlib import Path

import nbformat
from browser import ROOT, new_page, run_all, running_lab

LESSON = "03_cell_step"
BUILD_SECTION = 2350  # pixels from the top, at this width
FORGOTTEN_TRANSPOSE = "return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh + b_hh)"


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "pipeline"
        folder.mkdir()
        _lesson_with_a_mistake(folder / f"{LESSON}.ipynb")
        with running_lab(folder) as address, new_page(1240, 1080) as page:
            run_all(page, address, f"{LESSON}.ipynb")
            page.keyboard.press("Control+b")
            page.wait_for_selector('.jp-OutputArea img[alt*="Step 8"]', timeout=60_000)
            time.sleep(3)
            page.evaluate(f"() => document.querySelector('.jp-WindowedPanel-outer').scrollTop = {BUILD_SECTION}")
            time.sleep(2)
            page.screenshot(path=ROOT / "docs" / "lesson.png")


def _lesson_with_a_mistake(path):
    notebook = nbformat.read(ROOT / "notebooks" / "pipeline" / path.name, as_version=4)
    for cell in notebook.cells:
        if cell.id == "rnn_step":
            cell.source = cell.source.replace("# your answer here", FORGOTTEN_TRANSPOSE)
    nbformat.write(notebook, path)


if __name__ == "__main__":
    main()

"""A student's first minutes, in real JupyterLab in headless Chromium: open a lesson, run all, look at the pictures."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest

sync_api = pytest.importorskip("playwright.sync_api")

ROOT = Path(__file__).parents[1]
LESSON = "03_cell_step.ipynb"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab that serves a copy of the released lessons, and the folder of the copy."""
    folder = tmp_path_factory.mktemp("student") / "pipeline"
    shutil.copytree(ROOT / "notebooks" / "pipeline", folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # Lab asks the network for its own news otherwise, and shows a notification about it.
    settings = {"HIDDEN_STATE_PROGRESS": str(folder.parent / "progress.json"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", f"--port={port}", "--allow-root", "--IdentityProvider.token="]
    with open(folder.parent / "lab.log", "wb") as log:
        server = subprocess.Popen(command, cwd=folder, env={**os.environ, **settings}, stdout=log, stderr=log)
        try:
            _wait_for(f"http://127.0.0.1:{port}/api", server)
            yield f"http://127.0.0.1:{port}/lab", folder
        finally:
            server.terminate()
            server.wait(20)


def _wait_for(address, server, seconds=60):
    for _ in range(seconds * 4):
        assert server.poll() is None, "JupyterLab stopped"
        try:
            urllib.request.urlopen(address, timeout=2)
            return
        except OSError:
            time.sleep(0.25)
    raise AssertionError(f"no answer from {address}")


@pytest.fixture(scope="module")
def page():
    assert CHROMIUM, "Chromium is missing: on Debian, apt-get install chromium"
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser.new_page(viewport={"width": 1300, "height": 1200})
        browser.close()


def test_run_all_goes_to_the_end_of_a_blank_lesson_and_pictures_have_alt_text(lab, page):
    address, folder = lab
    errors = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(f"{address}/tree/{LESSON}")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    page.wait_for_selector("text=| Idle", timeout=60_000)
    page.click("text=Run >> nth=0")
    page.click("text=Run All Cells")
    page.wait_for_selector('.jp-OutputArea img[alt*="Step 2"]', timeout=60_000)
    alts = page.eval_on_selector_all(".jp-OutputArea img", "images => images.map(i => [i.alt, i.naturalWidth])")
    assert alts and all(len(alt) > 30 and width > 100 for alt, width in alts)

    last = _saved_until_last_cell_ran(page, folder / LESSON)
    assert "to do" in last
    texts = [o.evalue for c in nbformat.read(folder / LESSON, 4).cells for o in c.get("outputs", []) if o.output_type == "error"]
    assert len(texts) == 4 and all("not attempted yet" in text for text in texts)
    assert not [error for error in errors if "favicon" not in error]


def _saved_until_last_cell_ran(page, path, seconds=60):
    for _ in range(seconds):
        page.keyboard.press("Control+s")
        time.sleep(1)
        last = nbformat.read(path, 4).cells[-1]
        if last.get("outputs"):
            return last.outputs[0].text
    raise AssertionError("Run All stopped before the last cell")

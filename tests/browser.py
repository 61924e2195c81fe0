"""JupyterLab and headless Chromium for the tests, and for the pictures in the README."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import TimeoutError, sync_playwright

ROOT = Path(__file__).parents[1]
# Debian's Chromium runs as root only without its sandbox; the others keep it from calling home.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"]
# Both come from one server: where each application opens a notebook.
PLACES = {"JupyterLab": "lab/tree", "Notebook 7": "notebooks"}


@contextlib.contextmanager
def running_lab(folder):
    """Serve `folder` with JupyterLab on a free port; yields its address. Progress and settings stay beside the folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = folder.parent
    _without_news(own / "config")
    settings = {"HIDDEN_STATE_PROGRESS": str(own / "progress.json"), "PYTHONPATH": str(ROOT), "JUPYTER_CONFIG_DIR": str(own / "config")}
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", f"--port={port}", "--allow-root", "--IdentityProvider.token="]
    with open(own / "lab.log", "wb") as log:
        server = subprocess.Popen(command, cwd=folder, env={**os.environ, **settings}, stdout=log, stderr=log)
        try:
            _wait_for(f"http://127.0.0.1:{port}/api", server)
            yield f"http://127.0.0.1:{port}/lab"
        finally:
            server.terminate()
            server.wait(20)


@contextlib.contextmanager
def new_page(width=1300, height=1200):
    """A page of headless Chromium. Raises RuntimeError where there is none."""
    with chromium() as browser:
        yield browser.new_page(viewport={"width": width, "height": height})


@contextlib.contextmanager
def chromium():
    """Headless Chromium, for a test that needs several pages. Raises RuntimeError where there is none."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if not program:
        raise RuntimeError("Chromium is missing: on Debian, apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


def open_notebook(page, address, notebook, application):
    """Open a notebook of `running_lab`, and nothing else, in "JupyterLab" or in "Notebook 7". Waits for its kernel."""
    page.goto(f"{address.removesuffix('/lab')}/{PLACES[application]}/{notebook}?reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    page.wait_for_selector('.jp-Toolbar:has(.jp-Toolbar-kernelName:not(:text-is("No Kernel"))) [data-status="idle"]', timeout=60_000)


def run_all_cells(page):
    """Choose Run > Run All Cells, in either application; again if the kernel was not ready to hear it."""
    for _ in range(10):
        choose(page, "Run", "Run All Cells")
        with contextlib.suppress(TimeoutError):
            page.wait_for_selector('.jp-Notebook .jp-InputPrompt:not(:text-is("[ ]:"))', timeout=3_000)
            return
    raise RuntimeError("Run All Cells runs nothing")


def choose(page, menu, entry):
    """Choose an entry of a menu, in either application."""
    page.click(f'.lm-MenuBar-itemLabel:text-is("{menu}")')
    page.click(f'.lm-Menu-itemLabel:text-is("{entry}")')


def _without_news(config):
    """Lab would ask, in a notification over the page, whether it may fetch news from the network."""
    settings = config / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"fetchNews": "false", "checkForUpdates": false}')


def _wait_for(address, server, seconds=60):
    for _ in range(seconds * 4):
        if server.poll() is not None:
            raise RuntimeError("JupyterLab stopped; its log is lab.log")
        try:
            urllib.request.urlopen(address, timeout=2)
            return
        except OSError:
            time.sleep(0.25)
    raise RuntimeError(f"no answer from {address}")

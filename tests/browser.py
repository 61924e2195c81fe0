"""JupyterLab and headless Chromium for the tests, and for the pictures in the README."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import TimeoutError, sync_playwright
from waiting import LONG, until

ROOT = Path(__file__).parents[1]
# Debian's Chromium runs as root only without its sandbox; the others keep it from calling home.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"]
WAIT = 1000 * LONG  # milliseconds
# Both come from one server: where each application opens a notebook.
PLACES = {"JupyterLab": "lab/tree", "Notebook 7": "notebooks"}


@contextlib.contextmanager
def running_lab(folder):
    """Serve `folder` with JupyterLab on a free port; yields its address. All that it writes stays beside the folder."""
    own = folder.parent
    _without_news(own / "config")
    settings = {
        "HIDDEN_STATE_PROGRESS": str(own / "progress.json"),
        "PYTHONPATH": str(ROOT),
        "JUPYTER_CONFIG_DIR": str(own / "config"),
        "JUPYTER_DATA_DIR": str(own / "data"),
        "JUPYTER_RUNTIME_DIR": str(own / "runtime"),
        "IPYTHONDIR": str(own / "ipython"),
    }
    with open(own / "lab.log", "ab") as log:
        server, port = _started(folder, {**os.environ, **settings}, own / "runtime", log)
        try:
            yield f"http://127.0.0.1:{port}/lab"
        finally:
            server.terminate()
            try:
                server.wait(LONG)
            finally:
                server.kill()


def _started(folder, environment, runtime, log):
    """A server that answers, and its port. Another program may take the port between our choice and Jupyter's: then once more."""
    for _ in range(10):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [
            sys.executable,
            "-m",
            "jupyter",
            "lab",
            "--no-browser",
            f"--port={port}",
            "--ServerApp.port_retries=0",
            "--allow-root",
            "--IdentityProvider.token=",
            "--ServerApp.disable_check_xsrf=True",  # or a test could not ask it for a kernel
        ]
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        until(lambda: server.poll() is not None or _answers(f"http://127.0.0.1:{port}/api", runtime, server.pid), "JupyterLab's first answer")
        if server.poll() is None:
            return server, port
    raise RuntimeError(f"JupyterLab stopped; its log is {log.name}")


def _answers(address, runtime, pid):
    """Does this very server answer? It writes a file with its number once the port is its own."""
    if not list(runtime.glob(f"jpserver-{pid}.json")):
        return False
    try:
        urllib.request.urlopen(address, timeout=LONG)
        return True
    except OSError:
        return False


def status(address):
    """The status of a page, as a program sees it that follows no script."""
    try:
        with urllib.request.urlopen(address) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


@contextlib.contextmanager
def new_page(width=1300, height=1200, scale=1):
    """A page of headless Chromium, with `scale` dots to a pixel. Raises RuntimeError where there is none."""
    with chromium() as browser:
        yield patient(browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=scale))


def patient(page):
    """The same page, which waits for what should come as long as a busy machine may need."""
    page.set_default_timeout(WAIT)
    page.set_default_navigation_timeout(WAIT)
    return page


@contextlib.contextmanager
def chromium():
    """Headless Chromium, for a test that needs several pages. Raises RuntimeError where there is none."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if not program:
        raise RuntimeError("Chromium is missing: on Debian, apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS, timeout=WAIT)
        yield browser
        browser.close()


def open_notebook(page, address, notebook, application):
    """Open a notebook of `running_lab`, and nothing else, in "JupyterLab" or in "Notebook 7". Waits for its kernel.

    The kernel is started first, and the page connects to it. On a busy machine Lab's own attempt to start one fails
    at times; then it asks which kernel to take, again and again.
    """
    site = address.removesuffix("/lab")
    session = {"path": notebook, "name": notebook, "type": "notebook", "kernel": {"name": "python3"}}
    asked = urllib.request.Request(f"{site}/api/sessions", json.dumps(session).encode(), {"Content-Type": "application/json"})
    urllib.request.urlopen(asked, timeout=LONG).close()
    page.goto(f"{site}/{PLACES[application]}/{notebook}?reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=WAIT)
    page.wait_for_selector(IDLE, timeout=WAIT)


IDLE = '.jp-Toolbar:has(.jp-Toolbar-kernelName:not(:has-text("No Kernel"))) [data-status="idle"]'
SETTLED = 5_000
HAS_RUN = """() => {
  const prompts = [...document.querySelectorAll('.jp-Notebook .jp-InputPrompt')].map(prompt => prompt.textContent);
  return prompts.some(text => /\\d/.test(text)) ? 'ran' : !prompts.some(text => text.includes('*')) && 'forgotten';
}"""
"""A cell has its number; or none waits any more, as when the kernel was connected once again after it was asked."""


def run_all_cells(page):
    """Choose Run > Run All Cells, in either application; again if the kernel was not ready to hear it, or a question stood before the menu."""
    said = []
    for _ in range(20):
        for question in page.locator("dialog.jp-Dialog").all():
            said.append(question.text_content())
            question.locator(".jp-mod-accept").click()
            page.wait_for_timeout(SETTLED)  # a kernel that is chosen takes the place of the one before: what is run meanwhile runs in both
            page.wait_for_selector(IDLE, timeout=WAIT)
        with contextlib.suppress(TimeoutError):
            choose(page, "Run", "Run All Cells", timeout=15_000)
            page.wait_for_selector('.jp-Notebook .jp-InputPrompt:not(:text-is("[ ]:"))', timeout=15_000)
            if page.wait_for_function(HAS_RUN, timeout=WAIT).json_value() == "ran":
                return
    raise RuntimeError(f"Run All Cells runs nothing; the page asked: {said}")


def choose(page, menu, entry, timeout=WAIT):
    """Choose an entry of a menu, in either application."""
    page.click(f'.lm-MenuBar-itemLabel:text-is("{menu}")', timeout=timeout)
    page.click(f'.lm-Menu-itemLabel:text-is("{entry}")', timeout=timeout)


def _without_news(config):
    """Lab would ask, in a notification over the page, whether it may fetch news from the network."""
    settings = config / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"fetchNews": "false", "checkForUpdates": false}')

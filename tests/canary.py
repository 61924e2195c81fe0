"""A canary: a server that hears when something ran or was fetched, and a browser's page that is watched while it is provoked."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

# Clicks, hovers and focuses whatever a student's cell shows; follows no link that leads away.
PROVOKE = """() => {
    const seen = [...document.querySelectorAll('.rendered_html, .output_subarea, .text_cell_render, .inner_cell')];
    const all = new Set(seen.flatMap(part => [part, ...part.querySelectorAll('*')]));
    for (const one of all) {
        for (const kind of ['mouseover', 'mouseenter', 'mousemove', 'focus', 'toggle'])
            one.dispatchEvent(new MouseEvent(kind, {bubbles: true, view: window}));
        const target = one.closest('a');
        const leads = target && typeof target.href === 'string' && /^(https?|mailto):/.test(target.href);
        if (!leads && !one.matches('input')) one.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true, view: window}));
    }
}"""
PAGES_OWN = ("cdnjs.cloudflare.com",)
"""Where nbconvert's own templates take MathJax from."""


class Canary:
    """Hears names: the first part of each path that was asked for. pages: {path: HTML} that it serves."""

    def __init__(self):
        self.heard, self.pages = set(), {}
        canary = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                path = urlsplit(self.path).path
                page = canary.pages.get(path)
                if page is None:
                    canary.heard.add(path.strip("/").split("/")[0].split(".")[0])
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8" if page or path.endswith(".html") else "text/plain")
                self.send_header("Access-Control-Allow-Origin", "*")
                self.end_headers()
                self.wfile.write((page or "").encode())

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"


@contextlib.contextmanager
def listening():
    """A Canary that hears."""
    canary = Canary()
    thread = threading.Thread(target=canary.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield canary
    finally:
        canary.server.shutdown()
        canary.server.server_close()


class Watched:
    """A page of a browser: what it asked for anywhere but at `own` addresses, which boxes it opened, which pages it went to."""

    def __init__(self, browser, own):
        self.page = browser.new_page(viewport={"width": 1300, "height": 1200})
        self.own, self.elsewhere, self.boxes = own, [], []
        self.page.on("dialog", self._box)
        self.page.route("**/*", self._asked)

    def _box(self, dialog):
        self.boxes.append(dialog.message)
        dialog.dismiss()

    def _asked(self, route):
        address = urlsplit(route.request.url)
        if address.scheme in ("data", "blob", "about") or f"{address.scheme}://{address.netloc}" in self.own:
            route.continue_()
            return
        if address.netloc not in PAGES_OWN:
            self.elsewhere.append(route.request.url)
        route.abort()

    def open(self, address):
        """Open a page and provoke it. Returns the status of its answer."""
        answer = self.page.goto(address, wait_until="load")
        self.page.wait_for_timeout(200)
        with contextlib.suppress(Exception):  # where it has gone away already
            self.page.evaluate(PROVOKE)
            self.page.wait_for_timeout(200)
        return answer.status

    def said(self):
        """What ran in the page itself."""
        return self.page.evaluate("window.said || []")

"""A hand on a slider: real events of the mouse in Chromium, and what the page (measure.js) saw of them."""

import random
import time
from pathlib import Path

MEASURE = Path(__file__).with_name("measure.js").read_text(encoding="utf-8")
FRAME = 1 / 60  # seconds
QUIET = 0.25  # seconds without a change before the next one
WARM_UP = 8  # changes that are not counted: the first ones are slow everywhere


class Hand:
    """Moves the sliders of the one output on the page. seed: its positions and pauses are the same in every run."""

    def __init__(self, page, seed=0):
        self.page, self.random, self.moves = page, random.Random(seed), []
        page.evaluate(MEASURE)
        page.evaluate("bench.watch()")

    def press(self, slider):
        """Take hold of a handle, counted from 0. Returns (y, left, width) of its track in pixels."""
        handle, track = self.places(slider)
        self.page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
        self.page.mouse.down()
        return handle["y"] + handle["height"] / 2, track["x"], track["width"]

    def places(self, slider):
        """The boxes of a handle and of its track."""
        return (self.page.locator(f".jp-OutputArea {name}").nth(slider).bounding_box() for name in (".noUi-handle", ".noUi-base"))

    def singles(self, slider, repeats):
        """Single changes with quiet between them.

        Returns `repeats` results in milliseconds: until the `frame` with the picture began, and until it was `painted`.
        """
        y, left, width = self.press(slider)
        results = []
        for i in range(WARM_UP + repeats):
            self.rest()
            self.page.evaluate("slider => bench.seen.arm(slider)", slider)
            self.page.mouse.move(left + width * self.far(i), y)
            results.append(self.result())
        self.page.mouse.up()
        return results[WARM_UP:]

    def drag(self, slider, moves, traffic):
        """A steady drag to and fro over the whole range, a move a frame. Returns counts, pixels and bytes."""
        y, left, width = self.press(slider)
        self.rest()
        before = traffic.bytes
        self.page.evaluate("bench.seen.record()")
        start = time.perf_counter()
        for i in range(moves):
            self.page.wait_for_timeout(max(0, 1000 * (start + i * FRAME - time.perf_counter())))
            self._move_on(left + width * _to_and_fro(i / 40), y)
        took = time.perf_counter() - start
        self.page.wait_for_timeout(1000)  # what is still on its way counts
        seen = self.page.evaluate("bench.seen.stop()")
        self.page.mouse.up()
        return {**seen, "seconds": took, "moves": moves, "bytes": traffic.bytes - before}

    def _move_on(self, x, y):
        """Move the mouse and do not wait until the page has seen it: a hand does not wait for a slow page.

        Playwright's sync API has no public way to do so. Waiting would drag a slow explorer slowly, and flatter it.
        """
        self.moves.append(self.page._loop.create_task(self.page._impl_obj.mouse.move(x, y, steps=1)))

    def second(self, first, second, repeats, pause):
        """Change one slider by an arrow key and, `pause` seconds later, another by the mouse, which lies ready on it.

        Returns results of the other, each with its `gap`: milliseconds after the first one's change.
        """
        results = []
        for i in range(2 + repeats):
            handle, track = self.places(second)
            y = handle["y"] + handle["height"] / 2
            self.page.locator(".jp-OutputArea .noUi-handle").nth(first).focus()
            self.page.mouse.move(handle["x"] + handle["width"] / 2, y)
            self.rest()
            self.page.evaluate("slider => bench.seen.arm(slider)", second)
            self.page.keyboard.press("ArrowLeft" if i % 2 else "ArrowRight")
            time.sleep(pause)
            self.page.mouse.down()
            self.page.mouse.move(track["x"] + track["width"] * self.far(i), y)
            results.append(self.result())
            self.page.mouse.up()
        return results[2:]

    def far(self, i):
        """A share of the range, on the other half than that of i - 1, so that the value surely changes."""
        return (0.1 if i % 2 else 0.6) + 0.3 * self.random.random()

    def rest(self):
        """Wait until it is quiet, and until a random moment between two frames."""
        self.page.wait_for_timeout(1000 * (QUIET + FRAME * self.random.random()))

    def result(self):
        return self.page.wait_for_function("() => bench.seen.result()", timeout=10_000, polling=20).json_value()


class Traffic:
    """Counts the bytes of the page's websockets to kernels, both ways."""

    def __init__(self, page):
        self.bytes = 0
        page.on("websocket", self._opened)

    def _opened(self, socket):
        if "/channels" in socket.url:
            socket.on("framesent", self._count)
            socket.on("framereceived", self._count)

    def _count(self, payload):
        self.bytes += len(payload)


def _to_and_fro(sweeps):
    """0 -> 1 -> 0 …: one way in one unit."""
    return abs((sweeps + 1) % 2 - 1)

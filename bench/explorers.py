"""Measure in JupyterLab how fast the explorers follow a hand, beside `interact` + `plt.show()`: make bench."""

import contextlib
import os
import tempfile
from pathlib import Path

import report
from browser import new_page, open_notebook, run_all_cells, running_lab
from cells import BASELINE, EMPTY_ROUND_TRIP, SUBJECTS, write_notebook
from command import run, say
from hand import FRAME, QUIET, WARM_UP, Hand, Traffic

MOVES = 200
USUAL_PAUSE = 0.4  # seconds; no pause at all is the case in which the kernel must compute
PICTURE = ".hidden-state-views svg > *, .widget-output img"
SHUT_DOWN = """async () => {
  const headers = { "X-XSRFToken": /_xsrf=([^;]*)/.exec(document.cookie)?.[1] ?? "" };
  for (const { id } of await (await fetch("/api/kernels")).json()) await fetch(`/api/kernels/${id}`, { method: "DELETE", headers });
}"""


DESCRIPTION = (
    "Opens every explorer, and interact + plt.show() beside them, in real JupyterLab in headless Chromium, moves a slider with "
    "mouse events, and times in the page how long it takes until an animation frame shows the new picture. A fast drag over the "
    "whole range counts the pictures that were painted, the bytes to and from the kernel, and the jumps in height."
)
OPTIONS = {
    "repeats": {"type": int, "default": 40, "help": "single changes for each explorer (default 40)"},
    "only": {"nargs": "+", "metavar": "NAME", "help": "measure only these, and the baseline"},
}


def measure(options):
    """Everything that is measured, as plain numbers: milliseconds, pixels and bytes."""
    os.environ.pop("OMP_NUM_THREADS", None)  # the tests' own; a learner's PyTorch takes all cores
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "bench"
        folder.mkdir()
        with running_lab(folder) as address:
            return _measure(folder, address, options)


def _measure(folder, address, options):
    chosen = [s for s in SUBJECTS if s.name == BASELINE or not options.only or s.name in options.only]
    say("the empty round trip to the kernel")
    with _opened(folder, address, "round_trip", EMPTY_ROUND_TRIP, ".echo") as (page, _):
        trips = {name: _round_trips(page, options.repeats, pause) for name, pause in (("quiet", QUIET), ("busy", FRAME))}
        measured = {"machine": report.machine(page), "round_trips": trips, "subjects": {}}
    for i, subject in enumerate(chosen):
        say(f"{subject.name} ({i + 1} of {len(chosen)})")
        with _opened(folder, address, f"subject_{i}", subject.source, PICTURE) as (page, traffic):
            measured["subjects"][subject.name] = _follow(subject, page, traffic, options.repeats)
    return {**measured, "load_after": report.load()}


def _follow(subject, page, traffic, repeats):
    hand = Hand(page)
    seen = {"singles": hand.singles(subject.slider, repeats)}
    seen["drag"] = hand.drag(subject.slider, MOVES, traffic)
    if subject.second is not None:
        pairs = max(1, repeats // 2)
        seen["at_once"] = hand.second(subject.slider, subject.second, pairs, 0)
        seen["later"] = hand.second(subject.slider, subject.second, pairs, USUAL_PAUSE)
    return seen


def _round_trips(page, repeats, pause):
    """Milliseconds from a message of a widget to the answer of a handler that does nothing else, `pause` seconds apart."""
    times = []
    for _ in range(WARM_UP + repeats):
        page.wait_for_timeout(1000 * pause)
        times.append(page.evaluate("roundTrip()"))
    return times[WARM_UP:]


@contextlib.contextmanager
def _opened(folder, address, name, source, shown):
    """A page on a notebook of one cell that has run, with its traffic. shown: what is there when it has."""
    write_notebook(folder / f"{name}.ipynb", source)
    with new_page() as page:
        traffic = Traffic(page)
        open_notebook(page, address, f"{name}.ipynb", "JupyterLab")
        run_all_cells(page)
        page.locator(f".jp-OutputArea :is({shown})").first.wait_for(state="attached", timeout=60_000)
        page.wait_for_timeout(2000)  # Lab itself comes to rest
        yield page, traffic
        page.evaluate(SHUT_DOWN)


if __name__ == "__main__":
    run(DESCRIPTION, OPTIONS, measure, report.text)

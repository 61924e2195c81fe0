"""Measure what the first cell of a lesson costs, beside `import torch` alone, in one run: make bench BENCH=imports."""

import contextlib
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import nbformat
from command import run, say
from nbclient import NotebookClient
from support import ROOT

UNIT, LESSON, EXERCISE = "pipeline", "03_cell_step", "rnn_step"
TIMED = "import time; began = time.perf_counter(), time.process_time(); exec({!r}); print(time.perf_counter() - began[0], time.process_time() - began[1])"
ANSWER = "import torch\ndef rnn_step(x, h, W_ih, W_hh, b_ih, b_hh):\n    return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)"
CHECK = f'check("{EXERCISE}", {EXERCISE})'
MOST, FIRST = 1.2, 100
"""Aims: times `import torch`; milliseconds of the first check."""

DESCRIPTION = (
    "Each in a fresh process, and each in a fresh kernel: import torch, import course, the first cell of a lesson; in a kernel also the lesson's second cell "
    "and the first check, at once and after a while of reading. Medians."
)
OPTIONS = {
    "rounds": {"type": int, "default": 7, "help": "how many fresh processes of each (default 7)"},
    "kernels": {"type": int, "default": 3, "help": "how many fresh kernels of each (default 3)"},
    "reading": {"type": float, "default": 8.0, "help": "seconds that somebody reads before the first check (default 8)"},
}


def first_cells():
    """The first two code cells of the lesson: its imports, and what it shows first."""
    text = Path(ROOT, "solutions", UNIT, f"{LESSON}.md").read_text(encoding="utf-8")
    cells = re.findall(r"^```\{code-cell\}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return [re.sub(r"\A:nbgrader:.*\n", "", cell).strip() for cell in cells[:2]]


def measure(options):
    """Every time that was measured, in seconds, as plain data."""
    setup, second = first_cells()
    codes = {"import torch": "import torch", "import course": "import course", "the first cell": setup}
    measured = {"machine": {"cores": os.cpu_count(), "load_before": os.getloadavg()[0]}, "lesson": LESSON, "reading": options.reading}
    measured["processes"] = {name: [] for name in codes}
    for turn in range(options.rounds + 1):  # the first one of each only fills the disk's cache
        say(f"fresh processes, {turn} of {options.rounds}")
        for name, code in codes.items():
            measured["processes"][name] += [_in_a_process(code)] if turn else []
    measured["kernels"] = {
        "import torch": [],
        "the first cell": [],
        "the second, at once": [],
        "the first check, at once": [],
        "the first check, after reading": [],
    }
    for turn in range(options.kernels):
        say(f"fresh kernels, {turn + 1} of {options.kernels}")
        for name, took in _in_kernels(setup, second, options.reading):
            measured["kernels"][name].append(took)
    measured["machine"]["load_after"] = os.getloadavg()[0]
    return measured


def _in_a_process(code):
    """[seconds of the clock, seconds of the processor]."""
    done = subprocess.run([sys.executable, "-c", TIMED.format(code)], env=_environment(), capture_output=True, text=True, check=True)
    return [float(number) for number in done.stdout.split()]


def _in_kernels(setup, second, reading):
    with _kernel() as seconds:
        yield "import torch", seconds("import torch")
    with _kernel() as seconds:
        yield "the first cell", seconds(setup)
        yield "the second, at once", seconds(second)
        seconds(ANSWER)
        yield "the first check, at once", seconds(CHECK)
    with _kernel() as seconds:
        seconds(setup)
        time.sleep(reading)
        seconds(ANSWER)
        yield "the first check, after reading", seconds(CHECK)


@contextlib.contextmanager
def _kernel():
    """A kernel of its own: a function that runs a cell and gives the seconds until its reply."""
    client = NotebookClient(nbformat.v4.new_notebook(), kernel_name="python3")

    def seconds(code):
        client.nb.cells.append(nbformat.v4.new_code_cell(code))
        began = time.perf_counter()
        client.execute_cell(client.nb.cells[-1], len(client.nb.cells) - 1)
        return time.perf_counter() - began

    with client.setup_kernel(env=_environment()):
        yield seconds


def _environment():
    return {**os.environ, "PYTHONPATH": str(ROOT), "HIDDEN_STATE_PROGRESS": "off"}


def _text(measured):
    machine, processes, kernels = measured["machine"], measured["processes"], measured["kernels"]
    load = f"load {machine['load_before']:.1f} before and {machine['load_after']:.1f} after"
    lines = [f"{machine['cores']} cores, {load}. Medians; the first cell is that of {measured['lesson']}", ""]
    alone = _medians(processes["import torch"])
    for name, times in processes.items():
        clock, processor = _medians(times)
        ratios = f"{clock / alone[0]:.2f} and {processor / alone[1]:.2f} times import torch"
        lines.append(f"  in a process  {name:31} {clock:6.2f} s of the clock, {processor:5.2f} s of the processor: {ratios}")
    alone = statistics.median(kernels["import torch"])
    for name, times in kernels.items():
        clock = statistics.median(times)
        lines.append(f"  in a kernel   {name:31} {clock:6.2f} s of the clock: {clock / alone:.2f} times import torch")
    return "\n".join([*lines, "", *_aims(processes, kernels)])


def _medians(times):
    return [statistics.median(each) for each in zip(*times)]


def _aims(processes, kernels):
    ratio = _medians(processes["the first cell"])[0] / _medians(processes["import torch"])[0]
    first = 1000 * statistics.median(kernels["the first check, after reading"])
    yield f"{'met' if ratio <= MOST else 'missed':7} the first cell at most {MOST} times import torch: {ratio:.2f}"
    yield f"{'met' if first <= FIRST else 'missed':7} the first check after reading at most {FIRST} ms: {first:.0f} ms"


if __name__ == "__main__":
    run(DESCRIPTION, OPTIONS, measure, _text)

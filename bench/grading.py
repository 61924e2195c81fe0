"""Measure how long a class takes: `course grade` beside stock `nbgrader autograde`, on the same submissions in one run: make bench BENCH=grading."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from itertools import cycle, islice
from pathlib import Path

import psutil
from command import run, say
from parts import Parts, in_a_line, legend
from small_class import CELL, NO_TRANSPOSE, UNIT, changed, course_of, released, right, scores
from support import ROOT

SAMPLE = 0.5


DESCRIPTION = (
    "Makes a class for one lesson (a third each: right, with the commonest mistake, blank), grades copies of it with nbgrader autograde and "
    "with course grade on one and on two workers, compares every score, and measures seconds and memory. Then course grade alone on classes of other sizes."
)
OPTIONS = {
    "submissions": {"type": int, "default": 100, "help": "how many both grade (default 100: stock takes minutes)"},
    "growth": {"type": int, "nargs": "*", "default": [10, 100, 1000], "metavar": "N", "help": "sizes of the classes for course grade alone"},
}


def measure(options):
    """Seconds, memory and scores of both ways, as plain data."""
    with tempfile.TemporaryDirectory(prefix="hidden-state-bench-") as temporary:
        start = course_of(Path(temporary) / "start", UNIT, CELL, seed=271828182845)
        measured = {"machine": {"cores": os.cpu_count(), "load_before": os.getloadavg()[0]}, "lesson": CELL}
        measured["compared"] = _compare(start, Path(temporary), options.submissions)
        measured["growth"] = [_grown(start, Path(temporary), number) for number in options.growth]
        measured["machine"]["load_after"] = os.getloadavg()[0]
    return measured


def _compare(start, folder, number):
    """Stock and ours on the same class: seconds, the ratio, whether all scores are the same, and the most memory of all processes together."""
    found = {"submissions": number}
    root = _with_class(start, folder / "stock", number)
    say(f"nbgrader autograde, {number} submissions")
    found["stock"] = _measured(["nbgrader", "autograde", UNIT], root)
    expected = scores(root)
    for workers in (1, 2):
        root = _with_class(start, folder / f"ours-{workers}", number)
        say(f"course grade, {number} submissions, workers: {workers}")
        ours = _measured([sys.executable, "-m", "course", "grade", UNIT, "--workers", str(workers)], root)
        found[f"workers_{workers}"] = {**ours, "same_scores": scores(root) == expected, "times_faster": found["stock"]["seconds"] / ours["seconds"]}
        shutil.rmtree(root)
    return found


def _grown(start, folder, number):
    root = _with_class(start, folder / f"grown-{number}", number)
    say(f"course grade, {number} submissions")
    found = {"submissions": number, **_measured([sys.executable, "-m", "course", "grade", UNIT], root)}
    say(f"course grade again, {number} submissions that have not changed")
    found["again"] = _measured([sys.executable, "-m", "course", "grade", UNIT], root)
    shutil.rmtree(root)
    return found


def _with_class(start, root, number):
    shutil.copytree(start, root)
    kinds = [right(root, CELL), changed(right(root, CELL), "rnn_step", NO_TRANSPOSE), released(root, CELL)]
    for place, notebook in enumerate(islice(cycle(kinds), number)):
        folder = root / "submitted" / f"student{place:04d}" / UNIT
        folder.mkdir(parents=True)
        (folder / f"{CELL}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return root


def _measured(command, root):
    """Run it: seconds, of the clock and by parts of the processor, and the largest proportional memory of all its processes, in MB, sampled twice a second."""
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=root, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    most = [0]
    threading.Thread(target=_watch, args=(process.pid, most), daemon=True).start()
    parts = Parts(process.pid)
    parts.start()
    _, errors = process.communicate()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{errors}")
    return {"seconds": time.perf_counter() - began, "memory_MB": most[0] / 2**20, "parts": parts.seconds}


def _watch(pid, most):
    while psutil.pid_exists(pid):
        total = 0
        try:
            for process in (parent := psutil.Process(pid), *parent.children(recursive=True)):
                total += process.memory_full_info().pss
        except psutil.Error:
            continue  # one of them ended in the meantime
        most[0] = max(most[0], total)
        time.sleep(SAMPLE)


def _text(measured):
    compared = measured["compared"]
    number, stock = compared["submissions"], compared["stock"]
    lines = [
        f"{number} submissions of {measured['lesson']}, {measured['machine']['cores']} cores, load {measured['machine']['load_before']:.1f} before",
        f"  nbgrader autograde        {stock['seconds']:7.1f} s  {stock['seconds'] / number:6.3f} s each  {stock['memory_MB']:6.0f} MB",
    ]
    for workers in (1, 2):
        ours = compared[f"workers_{workers}"]
        same = "the same scores" if ours["same_scores"] else "OTHER SCORES"
        lines.append(
            f"  course grade, {workers} worker{'s' * (workers > 1):1}    {ours['seconds']:7.1f} s  {ours['seconds'] / number:6.3f} s each  "
            f"{ours['memory_MB']:6.0f} MB  {ours['times_faster']:.1f} times faster, {same}\n    {in_a_line(ours['parts'])}"
        )
    for each in measured["growth"]:
        n, again = each["submissions"], each["again"]
        lines += [
            f"  course grade alone, {n:5} submissions: {each['seconds']:7.1f} s, {each['seconds'] / n:6.3f} s each, {each['memory_MB']:6.0f} MB",
            f"    {in_a_line(each['parts'])}",
            f"    again, unchanged: {again['seconds']:.1f} s; {in_a_line(again['parts'])}",
        ]
    lines += ["", "The parts, in seconds of the processor, of all cores together:", *legend()]
    return "\n".join(lines)


if __name__ == "__main__":
    run(DESCRIPTION, OPTIONS, measure, _text)

"""`course grade --scheduler`: a real Dask scheduler and two workers, one of them killed in mid-run."""

import os
import subprocess
import sys
import time

import pytest
from small_class import UNIT, blank, copy_of, partly, perfect, scores
from support import ROOT, read, run

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox runs on Linux")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def program(name, *arguments, log):
    return subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.dask_{name}", *arguments], env=ENVIRONMENT, stdout=log, stderr=log, cwd=log.name.rpartition("/")[0]
    )


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """(the scheduler's address, its two worker processes)"""
    folder = tmp_path_factory.mktemp("dask")
    about = folder / "scheduler.json"
    with open(folder / "log", "wb") as log:
        scheduler = program("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(about), log=log)
        deadline = time.monotonic() + 60
        while not (about.exists() and about.read_text()) and time.monotonic() < deadline:
            time.sleep(0.1)
        workers = [program("worker", "--scheduler-file", str(about), "--nthreads", "1", "--no-nanny", "--no-dashboard", log=log) for _ in range(2)]
        yield read(about)["address"], workers
        for process in (*workers, scheduler):
            process.kill()
            process.wait()


def one(root):
    return perfect(root)


def two(root):
    return partly(root)


def three(root):
    return perfect(root)


def test_a_worker_killed_in_mid_run_costs_nobody_anything(start, cluster, tmp_path):  # noqa: F811
    address, workers = cluster
    here, there = (copy_of(start, tmp_path / name, [perfect, blank, partly, one, two, three]) for name in ("here", "there"))
    grading = subprocess.Popen(
        [sys.executable, "-m", "course", "grade", UNIT, "--scheduler", address, "--json", "grades.json"],
        cwd=there,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not list(there.glob(f".course_grade/{UNIT}/journal/*.json")) and grading.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert grading.poll() is None, grading.communicate()
    workers[0].kill()
    out, errors = grading.communicate(timeout=240)
    assert grading.returncode == 0, errors
    assert run("course", "grade", UNIT, cwd=here).returncode == 0
    assert scores(there) == scores(here)
    assert workers[1].poll() is None
    assert read(there / "grades.json")["without_grade"] == []


def test_where_nobody_answers_it_says_so(start, tmp_path):  # noqa: F811
    root = copy_of(start, tmp_path / "course", [perfect])
    done = run("course", "grade", UNIT, "--scheduler", "tcp://127.0.0.1:9", cwd=root)
    assert done.returncode == 2
    assert "no Dask scheduler with a worker answers at 'tcp://127.0.0.1:9'" in done.stderr and "Traceback" not in done.stderr

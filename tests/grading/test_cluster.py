"""`course grade --scheduler`: a real Dask scheduler and two workers, one of them killed in mid-run."""

import os
import socket
import subprocess
import sys

import pytest
from distributed import Client
from small_class import UNIT, blank, copy_of, partly, perfect, scores
from support import ROOT, read, run
from waiting import LONG, until

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox runs on Linux")
PATIENCE = {f"DASK_DISTRIBUTED__COMM__TIMEOUTS__{kind}": f"{LONG}s" for kind in ("TCP", "CONNECT")}  # a busy machine may let a process stand for a minute
ENVIRONMENT = {**os.environ, **PATIENCE, "PYTHONPATH": str(ROOT)}


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
        started = [program("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(about), log=log)]
        try:
            until(lambda: about.exists() and about.read_text().endswith("}"), "the scheduler's address")
            options = ("--scheduler-file", str(about), "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(folder))
            workers = [program("worker", *options, log=log) for _ in range(2)]
            started += workers
            address = read(about)["address"]
            with Client(address, timeout=LONG, set_as_default=False) as client:
                client.wait_for_workers(len(workers), timeout=LONG)
            yield address, workers
        finally:
            for process in started:
                process.kill()
                process.wait()


def one(root):
    return perfect(root)


def two(root):
    return partly(root)


def three(root):
    return perfect(root)


CLASS, TRIES = [perfect, blank, partly, one, two, three], 5


def test_a_worker_killed_in_mid_run_costs_nobody_anything(start, cluster, tmp_path):  # noqa: F811
    address, workers = cluster
    for number in range(TRIES):
        there = copy_of(start, tmp_path / f"there_{number}", CLASS)
        grading = subprocess.Popen(
            [sys.executable, "-m", "course", "grade", UNIT, "--scheduler", address, "--json", "grades.json"],
            cwd=there,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        until(lambda: list(there.glob(f".course_grade/{UNIT}/journal/*.json")) or grading.poll() is not None, "the first notebook that is graded")
        if grading.poll() is None:
            break
        assert grading.wait() == 0, grading.communicate()  # it was done before we saw it begin: once more
    workers[0].kill()
    out, errors = grading.communicate(timeout=LONG)
    assert grading.returncode == 0, errors
    here = copy_of(start, tmp_path / "here", CLASS)
    assert run("course", "grade", UNIT, cwd=here).returncode == 0
    assert scores(there) == scores(here)
    assert workers[1].poll() is None
    assert read(there / "grades.json")["without_grade"] == []


def test_where_nobody_answers_it_says_so(start, tmp_path):  # noqa: F811
    root = copy_of(start, tmp_path / "course", [perfect])
    with socket.socket() as silent:  # ours, so that nobody else can listen there
        silent.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        done = run("course", "grade", UNIT, "--scheduler", address, cwd=root)
    assert done.returncode == 2
    assert f"no Dask scheduler with a worker answers at '{address}'" in done.stderr and "Traceback" not in done.stderr

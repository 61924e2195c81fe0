"""`course grade --scheduler`: a real Dask scheduler and two workers, one of them killed in mid-run; and behind TLS."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys

import pytest
from distributed import Client
from distributed.security import Security
from small_class import UNIT, blank, copy_of, partly, perfect, scores
from support import ROOT, read, run
from waiting import LONG, until

from course.grading.intake.unit import GradeError
from course.grading.run.cluster import security_for

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
    with running_cluster(tmp_path_factory.mktemp("dask"), count=2) as found:
        yield found


@contextlib.contextmanager
def running_cluster(folder, count, host="127.0.0.1", options=(), security=None):
    """A scheduler and its workers; options: for both programs. Yields (the scheduler's address, the worker processes)."""
    about = folder / "scheduler.json"
    with open(folder / "log", "wb") as log:
        started = [program("scheduler", "--host", host, "--port", "0", "--no-dashboard", "--scheduler-file", str(about), *options, log=log)]
        try:
            until(lambda: about.exists() and about.read_text().endswith("}"), "the scheduler's address")
            address = read(about)["address"]
            alone = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(folder))
            workers = [program("worker", address, *alone, *options, log=log) for _ in range(count)]
            started += workers
            with Client(address, timeout=LONG, set_as_default=False, security=security) as client:
                client.wait_for_workers(count, timeout=LONG)
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


@pytest.mark.long
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


# Behind TLS


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """(authority, certificate, key), made by the commands of docs/cluster.md."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here")
    folder = tmp_path_factory.mktemp("certificates")
    page = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    for command in re.findall(r"^    (openssl .*)$", page, flags=re.MULTILINE):
        subprocess.run(command, shell=True, cwd=folder, check=True, capture_output=True)
    return tuple(str(folder / name) for name in ("ca.pem", "node.pem", "node.key"))


@pytest.mark.long
def test_behind_tls_a_class_is_graded_and_nobody_else_gets_in(start, certificates, tmp_path):
    authority, certificate, key = certificates
    security = Security(tls_ca_file=authority, tls_client_cert=certificate, tls_client_key=key, require_encryption=True)
    options = ("--tls-ca-file", authority, "--tls-cert", certificate, "--tls-key", key)
    with running_cluster(tmp_path, 1, "tls://127.0.0.1", options, security) as (address, _):
        assert address.startswith("tls://")
        there = copy_of(start, tmp_path / "there", [perfect])
        ours = ("--tls-ca", authority, "--tls-cert", certificate, "--tls-key", key)
        done = run("course", "grade", UNIT, "--scheduler", address, *ours, cwd=there)
        assert done.returncode == 0, done.stderr
        assert sum(score for cells in scores(there).values() for score, *_ in cells.values()) > 10
        with pytest.raises((OSError, TimeoutError)):
            Client(address.replace("tls://", "tcp://"), timeout=3, set_as_default=False)


@pytest.mark.parametrize("address", ["tcp://10.0.0.1:8786", "10.0.0.1:8786", "tcp://grader.example.org:8786", "ws://[2001:db8::1]:80", "tcp://0.0.0.0:1"])
def test_another_machine_is_not_reached_without_tls(address):
    with pytest.raises(GradeError, match="nothing on the way to it is encrypted"):
        security_for(address, (), insecure=False)
    assert security_for(address, (), insecure=True) is None


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:8786", "tcp://[::1]:8786", "localhost:8786"])
def test_this_machine_is(address):
    assert security_for(address, (), insecure=False) is None


def test_certificates_are_all_there_or_refused():
    with pytest.raises(GradeError, match="needs three files"):
        security_for("tls://10.0.0.1:8786", ("ca.pem",), insecure=True)
    with pytest.raises(GradeError, match="nothing would be encrypted"):
        security_for("tcp://127.0.0.1:8786", ("ca.pem", "node.pem", "node.key"), insecure=False)

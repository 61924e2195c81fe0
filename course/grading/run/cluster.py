"""Pass 2 on a Dask cluster: `course grade UNIT --scheduler ADDRESS`. Imported only where that is asked for.

The workers are the instructor's own machines: they judge too, so the hidden seed goes to them. Students' code runs there in the
same sandbox as here, one in each worker process. A worker that dies is retried elsewhere by the scheduler.
"""

import functools
import ipaddress
import os
from concurrent.futures import ThreadPoolExecutor

import torch
from distributed import Client
from distributed.security import Security

from course.grading.intake.unit import GradeError
from course.grading.sandbox import Sandbox, SandboxMissing

from . import journal, notebooks

ANSWERS = 15
"""Seconds that a scheduler has to answer, and the first worker to be there."""
RETRIES = 3


class Cluster:
    """Runs jobs on the workers of a scheduler; a concurrent.futures.Executor for `pool.run_all`.

    address: the scheduler's, as tls://10.0.0.1:8786; confined: whether the workers need a sandbox; tls, insecure: see `security_for`.
    Raises GradeError where nobody answers, or where a worker cannot give the results that this machine would give.
    """

    def __init__(self, address, confined, tls=(), insecure=False):
        security = security_for(address, tls, insecure)
        try:
            self.client = Client(address, timeout=ANSWERS, set_as_default=False, security=security)
            self.client.wait_for_workers(1, timeout=ANSWERS)
        except (OSError, TimeoutError, ValueError, TypeError, RuntimeError) as error:
            raise GradeError(f"no Dask scheduler with a worker answers at {address!r} ({error}). docs/cluster.md says how to start them") from None
        self._require_the_same_course(confined)
        self.workers = len(self.client.scheduler_info()["workers"])
        self.executor = self.client.get_executor(pure=False, retries=RETRIES)

    def _require_the_same_course(self, confined):
        try:
            told = self.client.run(about, confined)
        except Exception as error:
            raise GradeError(
                f"a worker cannot run the course: {type(error).__name__}: {error}. Each needs the same course: pip install 'hidden-state[teach,cluster]'"
            ) from None
        for worker, (version, missing) in told.items():
            if version != journal.version():
                raise GradeError(
                    f"the worker {worker} has another version of the course, of its exercises or of PyTorch than this machine. Install the same there"
                )
            if missing:
                raise GradeError(f"the worker {worker} has no sandbox. {missing}")

    def submit(self, function, job):
        """Run a job of `notebooks` on some worker. Returns a Future."""
        return self.executor.submit(run_there, job)

    def shutdown(self, wait=True, cancel_futures=False):
        """Leave the cluster, which stays."""
        self.client.close()


def security_for(address, tls, insecure):
    """What a Client needs to reach this address. Raises GradeError where anybody could read and change what goes there.

    tls: the files with the authority, this machine's certificate and its key, or (); insecure: whether another machine may be reached without.
    """
    scheme, _, place = address.rpartition("://")
    if scheme == "tls":
        if len(tls) != 3:
            raise GradeError(f"{address} needs three files: --tls-ca, --tls-cert and --tls-key. docs/cluster.md says how to make them")
        return Security(tls_ca_file=tls[0], tls_client_cert=tls[1], tls_client_key=tls[2], require_encryption=True)
    if tls:
        raise GradeError(f"certificates are for an address that begins with tls://, and {address} does not: nothing would be encrypted")
    if not insecure and not _is_this_machine(place):
        raise GradeError(
            f"{address} is another machine, and nothing on the way to it is encrypted: whoever reaches it could read the hidden seed and change grades. "
            "Use TLS, as docs/cluster.md shows, or say --insecure-scheduler"
        )
    return None


def _is_this_machine(place):
    host = place.rpartition(":")[0].strip("[]") or place
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def about(confined):
    """On a worker: (the version of all that its results depend on, what it lacks for a sandbox or "")."""
    try:
        if confined:
            _own_thread().submit(_try).result()
    except SandboxMissing as error:
        return journal.version(), str(error)
    return journal.version(), ""


def _try():
    with Sandbox():
        pass


def run_there(job):
    """On a worker: run one job."""
    return _own_thread().submit(notebooks.run_job, job).result()


@functools.cache
def _own_thread():
    """The thread in which this worker's sandbox lives: it ends with the thread that started it, and Dask's own come and go."""
    return ThreadPoolExecutor(1, initializer=_settle)


def _settle():
    torch.set_num_threads(1)
    os.environ.pop("HIDDEN_STATE_STUDENT", None)

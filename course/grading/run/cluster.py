"""Pass 2 on a Dask cluster: `course grade UNIT --scheduler ADDRESS`. Imported only where that is asked for.

The workers are the instructor's own machines: they judge too, so the hidden seed goes to them. Students' code runs there in the
same sandbox as here, one in each worker process. A worker that dies is retried elsewhere by the scheduler.
"""

import functools
import os
from concurrent.futures import ThreadPoolExecutor

import torch
from distributed import Client

from course.grading.intake.unit import GradeError
from course.grading.sandbox import Sandbox, SandboxMissing

from . import journal, notebooks

ANSWERS = 15
"""Seconds that a scheduler has to answer, and the first worker to be there."""
RETRIES = 3


class Cluster:
    """Runs jobs on the workers of a scheduler; a concurrent.futures.Executor for `notebooks.run_all`.

    address: the scheduler's, as tcp://10.0.0.1:8786; confined: whether the workers need a sandbox. Raises GradeError where nobody
    answers, or where a worker cannot give the results that this machine would give.
    """

    def __init__(self, address, confined):
        try:
            self.client = Client(address, timeout=ANSWERS, set_as_default=False)
            self.client.wait_for_workers(1, timeout=ANSWERS)
        except (OSError, TimeoutError, ValueError) as error:
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

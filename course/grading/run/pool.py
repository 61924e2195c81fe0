"""The processes that run notebooks and judge them. Whoever hands out the jobs needs no PyTorch: it is loaded where they are run."""

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait

AHEAD = 6
"""How many jobs wait for each worker: enough that none is idle, few enough for the memory."""
LOOK, STARTS = 5, 300
"""Seconds between two looks at workers that give no result; and what a notebook takes at most besides its own time."""
LOADED = "course.grading.run.loaded"


def run_job(job):
    """Run one notebook and judge it: `notebooks.run_job`, in a process that loads it."""
    from . import loaded

    return loaded.run_job(job)


def run_all(jobs, executor, ahead, patience=None):
    """Run jobs anywhere: yields (name, result or exception) as they finish. Raises TimeoutError after `patience` seconds in which none did.

    jobs: an iterable of (name, job), of which no more than `ahead` are handed on at a time; executor: any concurrent.futures.Executor, as
    of processes here or of a Dask client (`client.get_executor()`). A job and its result are JSON; `run_job` turns one into the other.
    """
    jobs, waiting = iter(jobs), {}
    while True:
        while len(waiting) < ahead and (following := next(jobs, None)):
            waiting[_submitted(executor, following[1])] = following[0]
        if not waiting:
            return
        for future in _finished(waiting, executor, patience):
            name = waiting.pop(future)
            yield name, future.exception() or future.result()


def _finished(waiting, executor, patience):
    """The futures that are done, once there are any. A worker that somebody has stopped is told to go on."""
    until = time.monotonic() + (patience or float("inf"))
    while not (done := wait(waiting, LOOK, FIRST_COMPLETED).done):
        workers = [*(getattr(executor, "_processes", None) or {})]
        if time.monotonic() < until:
            _signal(signal.SIGCONT, [pid for pid in workers if _is_stopped(pid)])
        elif workers:
            _signal(signal.SIGKILL, workers)  # then they are broken, and what they had is run again
            until += LOOK * 10
        else:
            raise TimeoutError(f"no notebook was finished in {patience:g} seconds")
    return done


def _is_stopped(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] in "Tt"
    except OSError:
        return False


def _signal(number, workers):
    for pid in workers:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _submitted(executor, job):
    try:
        return executor.submit(run_job, job)
    except (BrokenExecutor, OSError, EOFError) as error:
        # A worker was killed, and with it goes the whole executor; or what starts workers was. That is this job's result.
        future = Future()
        future.set_exception(error if isinstance(error, BrokenExecutor) else BrokenExecutor(f"no worker could be started: {error}"))
        return future


def processes(workers):
    """The executor of this machine: processes, since judging is Python too and threads would wait for each other."""
    return ProcessPoolExecutor(workers, _context(), initializer=_settle)


def begin(journal):
    """Start what loads PyTorch for all workers, beside what else has to be loaded, where nothing is in this folder: then something will be run.

    The current folder is that of the workers from now on, so it has to be the course's.
    """
    if _context().get_start_method() == "forkserver" and not (os.path.isdir(journal) and os.listdir(journal)):
        from multiprocessing import forkserver  # there is none on Windows

        forkserver.ensure_running()


def _context():
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if "forkserver" in methods:
        context.set_forkserver_preload([LOADED])  # torch is imported once for all of them
    return context


def _settle():
    """In a new worker: one thread each, as many workers as cores; and it ends when the process that grades is killed."""
    from . import loaded

    loaded.torch.set_num_threads(1)
    os.environ.pop("HIDDEN_STATE_STUDENT", None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that grades
    parent = multiprocessing.parent_process()
    threading.Thread(target=lambda: (parent.join(), loaded.leave(), os._exit(1)), daemon=True).start()

"""A limit on the time of the clock for code of our own that looks at what came back: whatever it is, the next notebook gets its turn."""

import contextlib
import ctypes
import threading


class TooLate(BaseException):
    """The time is up. No `except Exception` on the way takes it for an error of what was looked at."""


@contextlib.contextmanager
def bounded(seconds):
    """Raise TooLate inside once so many seconds have passed. It comes between two steps of Python, so no single step may be long.

    Another thread raises it: playing has the alarm for itself, and on a worker of a cluster no signal comes.
    """
    thread, lock, done = threading.get_ident(), threading.Lock(), []

    def end():
        with lock:
            if not done:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(TooLate))

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:
            done.append(True)
        timer.cancel()

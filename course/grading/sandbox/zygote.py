"""The parent of all sessions: imports everything once, then forks a child for each. Runs inside the sandbox, by itself.

It talks to the grader over a socket of its own, five bytes a message: a letter and a number. With "fork" comes the child's end of
a session's socket; no student's code ever runs in this process, and no child keeps its socket.
"""

import contextlib
import gc
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

import torch

from . import child, confine, strip
from .wire import ANSWER, MESSAGE

PATIENCE = 0.3
"""Seconds that a child whose socket is closed has for its own end, before it is ended."""


def main(control, confined):
    """Serve the grader on the socket with this file number until it closes it."""
    control = socket.socket(fileno=control)
    torch.set_num_threads(1)  # a pool of threads would not survive the fork
    strip.strip()
    shell = child.make_shell()
    child.warm_up(json.loads(Path(__file__).with_name("prelude.json").read_text(encoding="utf-8")))
    if confined:
        confine.prepare()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    control.sendall(ANSWER.pack(os.getpid(), 0, 0))
    serve(control, shell, confined)


def serve(control, shell, confined):
    children = set()
    while True:
        data, files, *_ = socket.recv_fds(control, MESSAGE.size, 1)
        if len(data) < MESSAGE.size:  # the grader is gone, and so must be everything here
            for pid in children:
                kill(pid)
            os._exit(0)
        what, pid = MESSAGE.unpack(data)
        if what == b"f":
            pid = fork(control, files[0], shell, confined)
            os.close(files[0])
            children.add(pid)
            control.sendall(ANSWER.pack(pid, 0, 0))
        elif what == b"i":
            if pid in children:
                os.kill(pid, signal.SIGINT)
            control.sendall(ANSWER.pack(pid, 0, 0))
        elif what == b"k":
            control.sendall(ANSWER.pack(pid, *reap(pid, children)))


def reap(pid, children):
    """Wait a moment for the end of a child, then end it. Returns (1 if it ended by itself else 0, its wait status)."""
    if pid not in children:
        return 0, 0
    children.discard(pid)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            kill(pid, itself=False)
            return 1, status
        time.sleep(0.005)
    kill(pid)
    return 0, os.waitpid(pid, 0)[1]


def kill(pid, itself=True):
    """End a child, and what it has started: without a sandbox no namespace ends with it."""
    for end in (os.killpg, os.kill) if itself else (os.killpg,):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            end(pid, signal.SIGKILL)


def fork(control, file, shell, confined):
    """Fork a session that talks on this file. Returns its pid, or -1 and a word in the log."""
    if confined:
        try:
            return confine.fork_apart(lambda: live(control, file, shell, confined))
        except (confine.CannotConfine, OSError) as error:
            print(f"{error}", file=sys.stderr, flush=True)
            return -1
    pid = os.fork()
    if not pid:
        live(control, file, shell, confined)
    return pid


def live(control, file, shell, confined):
    """The whole life of a child. Never returns."""
    try:
        os.setsid()  # a signal to its own group would reach the zygote, whatever the namespace
        control.close()
        child.session(socket.socket(fileno=file), shell, confined)
        os._exit(0)
    except BaseException as error:
        print(f"session: {type(error).__name__}: {error}", file=sys.__stderr__, flush=True)
    finally:
        os._exit(70)

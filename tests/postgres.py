"""A PostgreSQL server of a test's own: in a folder of its own, reached by a socket there, gone with the test."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from waiting import LONG, until

USER, PASSWORD, DATABASE = "grader", "not said in the address", "hidden_state"
DEBIAN = Path("/usr/lib/postgresql")
"""Where Debian and Ubuntu keep the servers, one folder a version; nothing of it is on the PATH."""


def program(name):
    """The path of one of PostgreSQL's programs, of the newest version that is here; None where there is none."""
    versions = sorted(DEBIAN.glob(f"*/bin/{name}"), key=lambda file: [int(digits) for digits in re.findall(r"\d+", f"{file}")])
    return f"{versions[-1]}" if versions else shutil.which(name)


@contextlib.contextmanager
def server():
    """While inside, a server runs. Yields (the address of its database as a gradebook, the variables of the environment that open it)."""
    folder = Path(tempfile.mkdtemp(prefix="hidden-state-postgres-"))
    try:
        unprivileged = _given_up(folder)
        (folder / "password").write_text(PASSWORD)
        options = ["-U", USER, "-A", "scram-sha-256", f"--pwfile={folder / 'password'}", "-E", "UTF8", "--locale=C", "--no-sync"]
        made = subprocess.run([*unprivileged, program("initdb"), "-D", f"{folder / 'data'}", *options], capture_output=True, text=True)
        assert made.returncode == 0, made.stderr
        settings = {"listen_addresses": "", "unix_socket_directories": f"{folder}", "fsync": "off"}
        command = [program("postgres"), "-D", f"{folder / 'data'}", *(f"--{name}={value}" for name, value in settings.items())]
        environment = {"PGPASSWORD": PASSWORD}
        with open(folder / "log", "wb") as log:
            running = subprocess.Popen([*unprivileged, *command], stdout=log, stderr=log)
        try:
            until(lambda: _is_ready(folder) or running.poll() is not None, "a PostgreSQL server that answers", LONG)
            assert running.poll() is None, (folder / "log").read_text(errors="replace")
            subprocess.run([program("createdb"), "-h", folder, "-U", USER, DATABASE], check=True, env={**os.environ, **environment})
            yield f"postgresql+psycopg://{USER}@/{DATABASE}?host={folder}", environment
        finally:
            running.send_signal(signal.SIGINT)  # what is under way is given up, and the server ends in order
            running.wait(LONG)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _given_up(folder):
    """The command before a server's own: it runs with nobody's rights where the test has root's, and ends with the test whatever ends that."""
    ends = ["setpriv", "--pdeathsig", "QUIT"]
    if os.getuid() != 0:
        return ends
    shutil.chown(folder, "nobody")
    return [*ends, "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]


def _is_ready(folder):
    return subprocess.run([program("pg_isready"), "-q", "-h", folder]).returncode == 0

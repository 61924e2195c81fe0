"""A JupyterHub of a test's own, with accounts that are system users of their own, and people who sign in to it.

The users are in an /etc/passwd that only the Hub and its servers see: it lies over the machine's in a mount namespace, and nothing of
them is left behind. A process namespace ends all of them with the Hub. Making both takes root, on Linux.
"""

import contextlib
import http.cookiejar
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from support import ROOT
from waiting import LONG, until

PROXY = "configurable-http-proxy"
FIRST_UID = 61001
NAMESPACES = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"]
CONFIG = """
c.JupyterHub.bind_url = "http://127.0.0.1:{ports[0]}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{ports[1]}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{ports[2]}"
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = {password!r}
c.Authenticator.allowed_users = {accounts!r}
c.JupyterHub.spawner_class = "jupyterhub.spawner.LocalProcessSpawner"
c.Spawner.cmd = [{python!r}, "-m", "jupyterhub.singleuser"]
c.Spawner.environment = {environment!r}
c.Spawner.start_timeout = c.Spawner.http_timeout = {patience}
"""


def proxy():
    """The path of the proxy, which npm installs, or None: tools/start.py puts it into .venv."""
    own = Path(sys.prefix) / "node" / "node_modules" / ".bin" / PROXY
    return f"{own}" if own.exists() else shutil.which(PROXY)


class Machine:
    """A folder that all accounts may enter, and a home for each that nobody else may. A program is run in it with `command`."""

    def __init__(self, folder, accounts):
        self.folder, self.accounts = Path(folder), {name: FIRST_UID + number for number, name in enumerate(accounts)}
        self.folder.chmod(0o755)
        for name, uid in self.accounts.items():
            self.home(name).mkdir(parents=True, mode=0o700)
            self.own(self.home(name), name)
        passwd = "".join(f"{name}:x:{uid}:{uid}::{self.home(name)}:/bin/sh\n" for name, uid in self.accounts.items())
        group = "".join(f"{name}:x:{uid}:\n" for name, uid in self.accounts.items())
        for name, lines in (("passwd", passwd), ("group", group)):
            (self.folder / name).write_text(Path("/etc", name).read_text() + lines)

    def home(self, name):
        return self.folder / "home" / name

    def own(self, folder, name):
        """Give a file, or a folder with all that is in it, to an account."""
        for path in [folder, *Path(folder).rglob("*")]:
            os.chown(path, self.accounts[name], self.accounts[name], follow_symlinks=False)

    def command(self, *words):
        """The command line that runs another one here."""
        lines = ["set -e", *(f"mount --bind {shlex.quote(f'{self.folder / name}')} /etc/{name}" for name in ("passwd", "group")), *self._opened(), 'exec "$@"']
        return [*NAMESPACES, "sh", "-c", "\n".join(lines), "sh", *map(str, words)]

    def _opened(self):
        """Shell lines after which every account may read Python and the course: a folder above them that only root may enter is laid over by one that shows just them."""
        needed = {Path(place).resolve() for place in (sys.base_prefix, sys.prefix, ROOT, *filter(os.path.isdir, sys.path))}
        closed = {}
        for place in sorted(needed):
            gates = [parent for parent in reversed(place.parents) if not parent.stat().st_mode & 0o001]
            if gates:
                closed.setdefault(gates[0], []).append(place)
        for gate, places in closed.items():
            kept = [place for place in places if not any(other in place.parents for other in places)]
            for number, place in enumerate(kept):
                aside = shlex.quote(f"{self.folder / f'aside-{number}'}")
                yield f"mkdir -p {aside}; mount --bind {shlex.quote(f'{place}')} {aside}"
            yield f"mount -t tmpfs -o mode=755 tmpfs {shlex.quote(f'{gate}')}"
            for number, place in enumerate(kept):
                aside = shlex.quote(f"{self.folder / f'aside-{number}'}")
                yield f"mkdir -p {shlex.quote(f'{place}')}; mount --move {aside} {shlex.quote(f'{place}')}"

    def run_as(self, name, *words, cwd=None, **environment):
        """Run a command as this account does in its terminal. Returns the finished process."""
        uid = f"{self.accounts[name]}"
        command = self.command("setpriv", "--reuid", uid, "--regid", uid, "--clear-groups", *words)
        own = {"HOME": f"{self.home(name)}", "USER": name, "LOGNAME": name, "PATH": os.environ["PATH"], "LANG": "C.UTF-8", **environment}
        return subprocess.run(command, cwd=cwd or self.home(name), env=own, capture_output=True, text=True)


@contextlib.contextmanager
def machine(*accounts):
    folder = tempfile.mkdtemp(prefix="hidden-state-hub-")
    try:
        yield Machine(folder, accounts)
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def running(machine, environment):
    """While inside, a Hub runs on this machine; its accounts' servers have these variables. Yields sign_in(name), which gives a Person."""
    password = "the same for all"
    folder = machine.folder / "hub"
    folder.mkdir(mode=0o700)
    for _ in range(10):
        ports = _free_ports(3)
        about = dict(ports=ports, proxy=proxy(), password=password, accounts=set(machine.accounts), python=sys.executable, patience=LONG)
        (folder / "jupyterhub_config.py").write_text(CONFIG.format(environment=environment, **about))
        with open(folder / "log", "wb") as log:
            hub = subprocess.Popen(machine.command(sys.executable, "-m", "jupyterhub"), cwd=folder, stdout=log, stderr=log)
        address = f"http://127.0.0.1:{ports[0]}"
        try:
            until(lambda: hub.poll() is not None or _answers(f"{address}/hub/api/"), "the Hub's first answer")
            if hub.poll() is not None:  # another program may take a port between our choice and the Hub's
                continue
            yield lambda name: Person(address, name, password)
            return
        except BaseException:
            print((folder / "log").read_text(errors="replace")[-20000:])  # pytest shows it with the error
            raise
        finally:
            hub.kill()  # and with it the first process of its namespace, and so the Hub and all its servers
            hub.wait(LONG)
    raise RuntimeError((folder / "log").read_text()[-5000:])


class Person:
    """Someone who has signed in to a Hub with a name and a password, and whose own server runs."""

    def __init__(self, address, name, password):
        self.address, self.name, self.token = address, name, ""
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        self.ask("/hub/login")
        self.ask("/hub/login", form={"username": name, "password": password, "_xsrf": self._xsrf()})
        self.token = self.ask(f"/hub/api/users/{name}/tokens", {"note": "what a page does with its cookie"})["token"]
        self.ask(f"/hub/api/users/{name}/server", {})
        told = self.ask(f"/hub/api/users/{name}/server/progress")  # a stream of events, which ends when the server is ready or has failed
        assert '"ready": true' in told, told

    def ask(self, path, data=None, form=None, method=None):
        """Ask the Hub, or this person's server by "~/…"; data is sent as JSON. Returns the answer's JSON, or its text. Raises urllib's HTTPError."""
        url = self.address + path.replace("~", f"/user/{self.name}", 1)
        body = urllib.parse.urlencode(form).encode() if form else None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(url, body, method=method)
        if form is None:
            request.add_header("Content-Type", "application/json")
            request.add_header("Authorization", f"token {self.token}") if self.token else request.add_header("X-XSRFToken", self._xsrf())
        with self.opener.open(request, timeout=LONG) as answer:
            text = answer.read().decode()
        with contextlib.suppress(ValueError):  # nbgrader does not say of its JSON that it is some
            return json.loads(text)
        return text

    def _xsrf(self):
        return next((cookie.value for cookie in self.cookies if cookie.name == "_xsrf"), "")


def _answers(url):
    try:
        with urllib.request.urlopen(url, timeout=LONG) as answer:
            return answer.status == 200
    except OSError:
        return False


def _free_ports(count):
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]

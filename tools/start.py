"""Set up the course's own Python environment in .venv, and start JupyterLab from it.

    python3 tools/start.py lab [options of jupyter lab]     open the first page
    python3 tools/start.py teach [options of jupyter lab]   open JupyterLab with nbgrader's tools
    python3 tools/start.py setup lab|teach|test             only set up; `test` installs everything
    python3 tools/start.py browser                          find the browser that the tests need
    python3 tools/start.py sandbox                          find what the tests need to confine students' work
    python3 tools/start.py proxy                            find JupyterHub's proxy for the long tests; npm installs it
    python3 tools/start.py postgres                         find PostgreSQL's server for the long tests

It runs before anything is installed, so it uses the standard library only. Its syntax is old on purpose:
an old Python must be able to read this whole file, or it never reaches the sentence that says it is too old.
"""

from __future__ import print_function

import sys

OLDEST_PYTHON = (3, 11)


def too_old(version):
    """Return the sentence to say to a Python of this version, or None when it is new enough."""
    if tuple(version[:2]) >= OLDEST_PYTHON:
        return None
    return (
        "Python {}.{} or newer is needed, this is {}.{}. "
        "Install a newer one from python.org or your package manager, then run this again. "
        "Is a newer one installed already? Name it: make lab PYTHON=python3.12"
    ).format(*OLDEST_PYTHON + tuple(version[:2]))


if too_old(sys.version_info):
    print(too_old(sys.version_info), file=sys.stderr)
    sys.exit(1)

import errno
import glob
import hashlib
import importlib.util
import json
import os
import platform
import shutil
import socket
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FIRST_PAGE = "notebooks/pipeline/00_start.ipynb"

# The one release of PyTorch that `make` takes out of the range in pyproject.toml.
CONSTRAINTS = "constraints.txt"
INSTALLED_FROM = ["pyproject.toml", CONSTRAINTS]

# Each level holds everything of the levels before it. The names in brackets are pyproject.toml's extras.
LEVELS = ["lab", "teach", "test"]
EXTRAS = {"lab": "", "teach": "[teach]", "test": "[teach,cluster,postgres,test]"}

GIGABYTE = 1000**3
# Measured: a full .venv takes 1.6 GB with PyTorch's CPU build. pip needs about as much again while it unpacks.
SPACE_FOR_ALL = 3 * GIGABYTE
SPACE_FOR_UPDATE = GIGABYTE // 2
# pip's default PyTorch for Linux brings the libraries of an NVIDIA card along, several GB more.
# The course needs no such card, so a full disk is a reason to name the smaller build.
SMALL_TORCH = (
    " On Linux, PyTorch without support for graphics cards is several GB smaller and is enough here: "
    "PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu {again}"
)

BROWSERS = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
]

PROXY = "configurable-http-proxy"
PROXY_VERSION = "^5"
DEBIANS_POSTGRES = "/usr/lib/postgresql/*/bin/initdb"


class Problem(Exception):
    """Something is missing; the text says what, and what to do about it."""


# --- the environment in .venv ---------------------------------------------------------------------------


def venv_folder():
    """The folder of the course's own Python environment."""
    return os.path.join(ROOT, ".venv")


def venv_scripts():
    """The folder inside .venv that holds its programs."""
    return os.path.join(venv_folder(), "Scripts" if os.name == "nt" else "bin")


def venv_python():
    """The Python inside .venv."""
    return os.path.join(venv_scripts(), "python.exe" if os.name == "nt" else "python")


def stamp_file():
    """Where a finished set-up is noted. It lies in .venv, so that deleting .venv deletes the note too."""
    return os.path.join(venv_folder(), "hidden-state-setup.json")


def read_stamp():
    """Return the note of the last finished set-up, or {} when there is none that can be read."""
    try:
        with open(stamp_file()) as file:
            stamp = json.load(file)
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) and stamp.get("level") in LEVELS else {}


def make_stamp(level):
    """Return the note that a set-up of this level leaves: what was installed, from what, and where."""
    # The folder is part of it because the programs in .venv hold its absolute path: a moved one is broken.
    stamp = {"level": level, "folder": ROOT}
    for name in INSTALLED_FROM:
        with open(os.path.join(ROOT, name), "rb") as file:
            stamp[name] = hashlib.sha256(file.read()).hexdigest()
    return stamp


def higher(level, other):
    """Return the level that holds the other one."""
    return max(level, other or level, key=LEVELS.index)


def is_ready(level):
    """Tell whether .venv holds this level already, installed here from the present files."""
    stamp = read_stamp()
    ready = stamp == make_stamp(higher(level, stamp.get("level")))
    return ready and os.path.exists(venv_python())


def setup(level):
    """Bring .venv to this level. When it is there already, this takes a few milliseconds."""
    if is_ready(level):
        return
    stamp = read_stamp()
    # An instructor who runs `make lab` keeps the instructor's packages, up to date with the rest.
    level = higher(level, stamp.get("level"))
    require_disk_space(level)
    # From here until the end .venv may be half done. Without the note, the next run picks up the work.
    if stamp:
        os.remove(stamp_file())
    create_venv(level, moved=bool(stamp) and stamp.get("folder") != ROOT)
    install(level)
    try_out(level)
    with open(stamp_file(), "w") as file:
        json.dump(make_stamp(level), file)
    say("The course's Python environment is ready, in .venv.")


def create_venv(level, moved=False):
    """Make .venv, or make it anew when it is broken or was moved here from another folder."""
    if not moved and venv_works():
        return
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise Problem(
            "This Python ({}) has no venv module, which makes the course's own environment. On Debian and Ubuntu "
            "install it with: sudo apt install python3-venv (or python{}.{}-venv). Then run `make {}` again.".format(
                sys.executable, sys.version_info[0], sys.version_info[1], level
            )
        )
    say("Making the course's own Python environment in .venv ...")
    # Where .venv is activated, this very Python may live in the folder that is about to be cleared.
    python = getattr(sys, "_base_executable", None) or sys.executable
    if subprocess.call([python, "-m", "venv", "--clear", venv_folder()]) != 0:
        raise Problem(
            "The folder .venv could not be made; Python's own reason is above. May you write in {}? "
            "On Debian and Ubuntu, is python3-venv installed? Then run `make {}` again.".format(ROOT, level)
        )


def venv_works():
    """Tell whether .venv has a Python that starts, is new enough and has pip."""
    if not os.path.exists(venv_python()):
        return False
    question = "import sys, pip; sys.exit(sys.version_info[:2] < {!r})".format(OLDEST_PYTHON)
    try:
        return subprocess.call([venv_python(), "-c", question], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def install(level):
    """Install the course and what it needs into .venv. pip shows its progress."""
    say("Installing PyTorch, JupyterLab and the course. The first time this takes a few minutes ...")
    # PIP_USER in someone's settings would make pip refuse to install into an environment.
    settings = dict(os.environ, PIP_USER="0", PIP_DISABLE_PIP_VERSION_CHECK="1")
    command = [venv_python(), "-m", "pip", "install", "-c", CONSTRAINTS, "--editable", "." + EXTRAS[level]]
    if subprocess.call(command, cwd=ROOT, env=settings) != 0:
        raise Problem(why_install_failed(level))


def why_install_failed(level):
    """Return what to do after pip has given up: free space, or what pip's own last lines point at."""
    again = "make {}".format(level)
    free = free_space()
    if free < SPACE_FOR_UPDATE:
        return "The disk is full: {} are left in {}. Free some space, then run `{}` again.".format(in_gigabytes(free), ROOT, again) + small_torch_hint(level)
    return (
        "The packages could not be installed; pip's own reason is above. "
        "If it speaks of a connection: check the network, then run `{again}` again; what was downloaded is kept. "
        "If it says that no version of torch was found: PyTorch has no build for this Python ({python}) on this "
        "machine; name another one, as in {again} PYTHON=python3.12, after deleting .venv."
    ).format(again=again, python=platform.python_version())


def try_out(level):
    """Import the heavy packages once: it proves that they work, and fills caches before the first lesson."""
    # Matplotlib lists the machine's fonts on its first import and may print a warning meanwhile.
    # Done here, that warning cannot land in a graded cell.
    if subprocess.call([venv_python(), "-c", "import torch, matplotlib.font_manager"], cwd=ROOT) != 0:
        raise Problem(
            "Everything is installed, but PyTorch or Matplotlib does not start; the reason is above. Delete the folder .venv and run `make {}` again.".format(
                level
            )
        )


# --- what the machine offers -----------------------------------------------------------------------------


def free_space():
    """Bytes that are free where .venv goes."""
    return shutil.disk_usage(ROOT).free


def in_gigabytes(size):
    """1234567890 -> '1.2 GB'."""
    return "{:.1f} GB".format(size / GIGABYTE)


def small_torch_hint(level):
    """Name PyTorch's smaller build, where the large one is the default."""
    return SMALL_TORCH.format(again="make " + level) if sys.platform.startswith("linux") else ""


def require_disk_space(level):
    """Stop before the installation when the disk cannot hold it."""
    needed = SPACE_FOR_UPDATE if read_stamp() else SPACE_FOR_ALL
    free = free_space()
    if free < needed:
        raise Problem(
            "There is not enough space on the disk: {} are free in {}, and about {} are needed. Nothing has been "
            "installed. Free some space or move the course to a larger disk, then run `make {}` again.".format(
                in_gigabytes(free), ROOT, in_gigabytes(needed), level
            )
            + small_torch_hint(level)
        )


def last_option(arguments, *names):
    """Return the last value given for one of these options, as `--name VALUE` or `--name=VALUE`, or None."""
    value = None
    for position, argument in enumerate(arguments):
        name, equals, rest = argument.partition("=")
        if name in names:
            following = arguments[position + 1] if position + 1 < len(arguments) else None
            value = rest if equals else following
    return value


def port_in_use(host, port):
    """Tell whether another program listens on this port, on any address of the host."""
    for family, kind, protocol, _, address in socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE):
        try:
            probe = socket.socket(family, kind, protocol)
        except OSError:
            continue  # this machine has no such family, IPv6 for instance
        try:
            if os.name != "nt":  # a port that was closed a moment ago is free, as it is for Jupyter
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True
        finally:
            probe.close()
    return False


def require_free_port(arguments, command):
    """Stop when a port was asked for and is taken. Return whether one was asked for."""
    port = last_option(arguments, "--port", "--ServerApp.port")
    if port is None or not port.isdigit() or int(port) == 0:
        return False  # Jupyter takes the next free port itself, and explains a port that is no number
    if int(port) > 65535:
        raise Problem("Port {} does not exist: a port is a number from 1 to 65535.".format(port))
    host = last_option(arguments, "--ip", "--ServerApp.ip")
    host = "localhost" if host is None else host.replace("*", "")
    if port_in_use(host, int(port)):
        raise Problem(
            "Port {port} is in use by another program, perhaps a JupyterLab that is still open. "
            "Stop that program, or name another port, as in: make {command} LAB_ARGS=--port={other}. "
            "Without --port, Jupyter takes the next free one by itself.".format(port=port, command=command, other=int(port) % 65535 + 1)
        )
    return True


# --- JupyterLab ------------------------------------------------------------------------------------------


def require_notebooks():
    """Stop when the lessons have not been built."""
    if not os.path.exists(os.path.join(ROOT, FIRST_PAGE)):
        raise Problem("The first page, {}, is missing. Build the lessons with `make notebooks`.".format(FIRST_PAGE))


def is_root():
    """Tell whether this runs as root, as it does in many containers."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def jupyter_command(url, arguments, port_is_fixed):
    """Return the command that starts JupyterLab on this page, with the options of whoever asked."""
    command = [venv_python(), "-m", "jupyterlab", "--ServerApp.root_dir=" + ROOT, "--LabApp.default_url=" + url]
    if port_is_fixed:
        command.append("--ServerApp.port_retries=0")  # the port that was asked for, or none
    if is_root() and "--allow-root" not in arguments:
        command.append("--allow-root")  # Jupyter refuses root without it, and a container often has no one else
    return command + arguments


def jupyter_environment():
    """Return the environment variables under which .venv's own programs and kernel come first."""
    return dict(
        os.environ,
        VIRTUAL_ENV=venv_folder(),
        PATH=venv_scripts() + os.pathsep + os.environ.get("PATH", os.defpath),
        # Without this, a kernel named python3 in the user's home may win over the course's.
        JUPYTER_PREFER_ENV_PATH="1",
    )


def become(command):
    """Let JupyterLab take the place of this program, so that Ctrl-C and the exit status are its own."""
    sys.stdout.flush()
    os.chdir(ROOT)  # nbgrader looks for nbgrader_config.py in the folder it is started in
    if os.name == "nt":
        sys.exit(subprocess.call(command, env=jupyter_environment()))
    os.execve(command[0], command, jupyter_environment())


def lab(arguments):
    """Open the first page in JupyterLab."""
    require_notebooks()
    port_is_fixed = require_free_port(arguments, "lab")
    setup("lab")
    say("Starting JupyterLab. Its address is printed below; Ctrl-C stops it.")
    become(jupyter_command("/lab/tree/" + FIRST_PAGE, arguments, port_is_fixed))


def teach(arguments):
    """Open JupyterLab with nbgrader's tools. Installed in .venv, they switch themselves on."""
    port_is_fixed = require_free_port(arguments, "teach")
    setup("teach")
    say("Starting JupyterLab for teaching: Formgrader is in the menu Nbgrader. Ctrl-C stops it.")
    become(jupyter_command("/lab", arguments, port_is_fixed))


# --- the browser of the tests ----------------------------------------------------------------------------


def find_browser():
    """Return the path of a Chromium or Chrome, or None. CHROMIUM names one that lies elsewhere."""
    for name in [os.environ.get("CHROMIUM", "")] + BROWSERS:
        path = shutil.which(name) if name else None
        if path:
            return path
    return None


def install_from_debian(packages):
    """Install packages where that takes no questions: as root, on Debian and its relatives."""
    if not (is_root() and os.path.exists("/etc/debian_version") and shutil.which("apt-get")):
        return
    say("Installing {} for the tests ...".format(" and ".join(packages)))
    settings = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    for command in (["apt-get", "update"], ["apt-get", "install", "-y"] + packages):
        if subprocess.call(command, env=settings, stdin=subprocess.DEVNULL) != 0:
            return


def browser():
    """Say which browser the tests use; get one when there is none."""
    if find_browser() is None:
        install_from_debian(["chromium"])
    if find_browser() is None:
        raise Problem(
            "The tests open notebooks in Chromium, and there is none here. Install it (Debian and Ubuntu: "
            "sudo apt install chromium; macOS: brew install --cask chromium), or name one: "
            "make test CHROMIUM=/path/to/chrome"
        )
    say("The tests use {}.".format(find_browser()))


# --- the sandbox of the tests ----------------------------------------------------------------------------


def sandbox():
    """See to it that students' work can be confined, where that is possible at all: on Linux."""
    if platform.system() != "Linux":
        say("The sandbox for students' work runs on Linux only: its tests are left out.")
        return
    if shutil.which("bwrap") is None:
        install_from_debian(["bubblewrap", "libseccomp2"])
    if shutil.which("bwrap") is None:
        raise Problem(
            "The tests grade students' work in a sandbox, and bubblewrap is not here. Install it (Debian and Ubuntu: "
            "sudo apt install bubblewrap libseccomp2; Fedora: sudo dnf install bubblewrap libseccomp)."
        )


# --- the servers of the long tests -----------------------------------------------------------------------


def proxy():
    """See to it that a JupyterHub can run: its own proxy is a program for Node.js, which pip does not bring."""
    folder = os.path.join(venv_folder(), "node")
    if shutil.which(PROXY) or os.path.exists(os.path.join(folder, "node_modules", ".bin", PROXY)):
        return
    npm = shutil.which("npm")
    if npm is None:
        install_from_debian(["npm"])
        npm = shutil.which("npm")
    if npm is not None:
        say("Installing JupyterHub's proxy for the tests ...")
        if subprocess.call([npm, "install", "--silent", "--no-fund", "--no-audit", "--prefix", folder, PROXY + "@" + PROXY_VERSION]) == 0:
            return
    raise Problem(
        "The long tests run a class on a JupyterHub, and its proxy is not here; npm, which installs it, could not do so. Install Node.js 20 or newer "
        "with npm (Debian and Ubuntu: sudo apt install npm), or the proxy itself: npm install -g {}. Then run this again.".format(PROXY)
    )


def postgres():
    """See to it that a PostgreSQL server can be started. Debian keeps its programs off the PATH."""
    if platform.system() != "Linux":
        say("The gradebook is tried on a PostgreSQL server on Linux only: its tests are left out.")
        return
    if not find_postgres():
        install_from_debian(["postgresql"])
    if not find_postgres():
        raise Problem(
            "The long tests keep a gradebook on a PostgreSQL server of their own, and its programs are not here. Install them (Debian and Ubuntu: "
            "sudo apt install postgresql; Fedora: sudo dnf install postgresql-server). Nothing of the machine's own server is touched."
        )


def find_postgres():
    """Return the path of the program that makes a PostgreSQL server, or None."""
    found = sorted(glob.glob(DEBIANS_POSTGRES))
    return found[-1] if found else shutil.which("initdb")


# --- the command line ------------------------------------------------------------------------------------


def say(sentence):
    """Print at once, so that pip's and Jupyter's own lines come after it and not before."""
    print(sentence, flush=True)


def main(arguments):
    """Run one command. Return the exit status."""
    command, rest = (arguments[0], arguments[1:]) if arguments else (None, [])
    try:
        if command == "lab":
            lab(rest)
        elif command == "teach":
            teach(rest)
        elif command == "browser" and not rest:
            browser()
        elif command == "sandbox" and not rest:
            sandbox()
        elif command == "proxy" and not rest:
            proxy()
        elif command == "postgres" and not rest:
            postgres()
        elif command == "setup" and len(rest) == 1 and rest[0] in LEVELS:
            setup(rest[0])
        else:
            print(__doc__, file=sys.stderr)
            return 2
    except Problem as problem:
        print("\n{}".format(problem), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The next run goes on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

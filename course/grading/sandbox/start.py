"""Starting the zygote: a folder with what it may see, the command that confines it, and what to say where that is not possible."""

import contextlib
import fcntl
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from course.grading import removal
from course.grading.limits import SandboxMissing

from . import cgroup

PACKAGE = Path(__file__).parents[2]
INSIDE = ("zygote.py", "child.py", "confine.py", "imports.py", "strip.py", "wire.py")
LEFT_OUT = ("grading", "build")
QUIZ, DISCUSSIONS = "quiz.json", "discussions.json"
PACKAGES = ("torch", "IPython", "numpy", "matplotlib", "lazy_loader", "pyseccomp")
BOOT = (
    "import sys, json; control, confined, paths = json.loads(sys.argv[1]); sys.path += paths; "
    "from hidden_state_inside.zygote import main; main(control, confined)"
)
SYSTEM = (
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/local/bin",
    "/usr/local/lib",
    "/usr/local/lib64",
    "/usr/share/fonts",
    "/usr/share/zoneinfo",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/fonts",
)
"""Programs and libraries, and not the rest of /usr: nbgrader's exchange lies in /usr/local/share, with everybody's work in it."""
OF_PYTHON = ("bin", "lib", "lib64")
PREFIX, MARK, A_WHILE = "hidden-state-", "in-use", 60
"""A folder's name, the file in it that is locked while it is in use, and the seconds before anybody asks."""
DEVICES = ("null", "zero", "full", "random", "urandom")
APART = (
    "--unshare-all",
    "--unshare-user",
    "--uid",
    "1000",
    "--gid",
    "1000",
    "--cap-drop",
    "ALL",
    "--die-with-parent",
    "--new-session",
    "--hostname",
    "sandbox",
)
NO_BWRAP = "bubblewrap is missing: it keeps students' code away from everything else. Install it: apt-get install bubblewrap (or: dnf install bubblewrap)"
NAMESPACES = (
    "This system does not let ordinary users make namespaces. An administrator can allow it: sysctl -w kernel.unprivileged_userns_clone=1 (Debian), "
    "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu 24.04 and later), sysctl -w user.max_user_namespaces=15000 (Red Hat). "
    "In a container, give it the right to do so: docker run --security-opt seccomp=unconfined --security-opt systempaths=unconfined."
)
REMEDIES = {
    "No module named 'pyseccomp'": "Install what is missing: pip install pyseccomp",
    "libseccomp": "Install what is missing: apt-get install libseccomp2",
    "namespace": NAMESPACES,
    "uid map": NAMESPACES,
    "unshare": NAMESPACES,
    "mount": NAMESPACES,
    "ermission": NAMESPACES,
    "not permitted": NAMESPACES,
}
"""What to do, by a piece of what it said."""
KEPT = ("HIDDEN_STATE_SECONDS",)
OF_SYSTEMD = ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")
"""What systemd-run needs to know. bubblewrap clears the environment."""


def new_folder():
    """A new temporary folder and the file that marks it as in use while it is open. Removes those of graders that were killed."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{MARK}"):
        with contextlib.suppress(OSError):  # in use, or somebody else's
            if time.time() - left.stat().st_mtime > A_WHILE:
                with open(left, "r+b") as mark:
                    fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    removal.remove(left.parent)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    mark = open(folder / MARK, "wb")
    fcntl.flock(mark, fcntl.LOCK_EX)
    return folder, mark


def stage(folder, prelude):
    """Put into `folder` all that the zygote needs of ours: the course without its grading, the inner half of this package, the prelude."""
    ours = folder / "course"
    shutil.copytree(PACKAGE, ours, ignore=lambda place, names: [n for n in names if n in (QUIZ, DISCUSSIONS) or (Path(place) == PACKAGE and n in LEFT_OUT)])
    (ours / "learner" / QUIZ).write_text(json.dumps(_questions_without_keys()), encoding="utf-8")
    inside = folder / "hidden_state_inside"
    inside.mkdir()
    for name in INSIDE:
        shutil.copy2(Path(__file__).with_name(name), inside)
    (inside / "prelude.json").write_text(json.dumps(list(prelude)), encoding="utf-8")


def _questions_without_keys():
    """What `my_numbers` reads of the questions, {lesson: {number: {"variants": [{"given"}]}}}: no sealed answer goes in, so that none can be opened there."""
    sealed = json.loads((PACKAGE / "learner" / QUIZ).read_text(encoding="utf-8"))
    return {
        lesson: {
            number: {"variants": [{"given": variant["given"]} for variant in question["variants"]]} for number, question in numbered.items() if number.isdigit()
        }
        for lesson, numbered in sealed.items()
    }


def packages():
    """The folders that hold the packages the zygote imports."""
    found = []
    for name in PACKAGES:
        spec = find_spec(name)
        if spec:
            place = Path(spec.origin).parents[1 if spec.submodule_search_locations else 0]
            found += [place] if place not in found else []
    return found


def environment(home):
    """A fresh environment: nothing of the grader's."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {
        **kept,
        "HOME": home,
        "USER": "student",
        "LOGNAME": "student",
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HIDDEN_STATE_PROGRESS": "off",
        "NBGRADER_EXECUTION": "autograde",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "MPLCONFIGDIR": os.path.join(home, "matplotlib"),
        "IPYTHONDIR": os.path.join(home, "ipython"),
        "JUPYTER_PLATFORM_DIRS": "1",
    }


def launch(folder, confined, prelude, memory, group=None):
    """Start the zygote in `folder`, a new temporary one. Returns (process, control socket); the zygote says when it is ready.

    memory: what its sessions have; group: the control group to start it in, where there is one.
    """
    stage(folder / "stage", prelude)
    mine, its = socket.socketpair()
    with its:
        command, env = (confined_command if confined else plain_command)(folder, its.fileno())
        if confined and not group and cgroup.prefix(memory):
            command, env = [*cgroup.prefix(memory), *command], {name: os.environ[name] for name in OF_SYSTEMD if name in os.environ}
        log = open(folder / "log", "wb")
        with log:
            process = subprocess.Popen(
                command,
                env=env,
                cwd=folder,
                pass_fds=[its.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=group and group.join,
            )
    return process, mine


def confined_command(folder, control):
    """The zygote in a bubble that holds the system, Python, the packages and our folder, all read-only, and an empty /tmp."""
    if not sys.platform.startswith("linux"):
        raise SandboxMissing("the sandbox runs on Linux only. Elsewhere, grade with --no-sandbox: students' code then runs with your own rights")
    bwrap = shutil.which("bwrap")
    if not bwrap:
        raise SandboxMissing(NO_BWRAP)
    passwd = folder / "passwd"
    passwd.write_text("student:x:1000:1000::/tmp/home:/bin/false\n")
    command = [bwrap, *APART, *itertools.chain.from_iterable(_system()), "--ro-bind", str(passwd), "/etc/passwd"]
    paths = ["/hidden-state"]
    command += ["--ro-bind", str(folder / "stage"), paths[0]]
    for place in packages():
        paths.append(f"/packages/{len(paths)}/site-packages")  # `checks.play` knows by this word whose code it is
        command += ["--ro-bind", str(place), paths[-1]]
    for name in DEVICES:
        command += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
    command += ["--proc", "/proc", "--tmpfs", "/tmp", "--remount-ro", "/", "--chdir", "/tmp", "--clearenv"]
    for name, value in environment("/tmp/zygote").items():
        command += ["--setenv", name, value]
    return [*command, "--", *_python(control, True, paths)], {}


def _system():
    """bubblewrap's options for the system and for Python, where Python is not part of it."""
    base = Path(sys.base_prefix).resolve()
    shown = [*map(Path, SYSTEM), *(base / name for name in OF_PYTHON if str(base / name) not in SYSTEM)]
    for place in shown:
        if place.is_symlink() and not place.readlink().is_absolute():
            yield "--symlink", str(place.readlink()), str(place)
        elif place.exists():
            yield "--ro-bind", str(place), str(place)
    course = Path.cwd().resolve()
    if any(course != place and course.is_relative_to(place) for place in shown):
        yield "--tmpfs", str(course)  # a course below /usr, say: it is not to be seen all the same


def plain_command(folder, control):
    home = folder / "home"
    home.mkdir()
    paths = [str(folder / "stage"), *map(str, packages())]
    return _python(control, False, paths), environment(str(home))


def _python(control, confined, paths):
    return [os.path.realpath(sys.executable), "-I", "-S", "-c", BOOT, json.dumps([control, confined, paths])]


def hide(folder):
    """Once the zygote has imported them, the sources of the checks are of no use to anybody inside."""
    for name in ("course/checks", "course/exercises", "hidden_state_inside"):
        shutil.rmtree(folder / "stage" / name, ignore_errors=True)


def explain(confined, words, ended=None):
    """What to raise when the zygote or its first session did not start, and said these words. ended: its exit status, where it ended by itself."""
    said = f"What it said:\n{words.strip()}" if words.strip() else "It said nothing."
    killed = _killed(ended)
    if not confined:
        return RuntimeError(f"the process for the notebooks did not start. {killed}{said}")
    remedy = next((f"{remedy}\n" for sign, remedy in REMEDIES.items() if sign in words), "")
    return SandboxMissing(f"the sandbox did not start. {killed}{remedy}{said}")


def _killed(ended):
    """By which signal, in words, or ""; bubblewrap hands on how the program in it ended as a number above 128."""
    number = -ended if (ended or 0) < 0 else (ended or 0) - 128
    if number not in signal.valid_signals():
        return ""
    who = "bubblewrap" if ended < 0 else "the process in it"
    return f"Something on this machine ended {who}: {signal.Signals(number).name}.{' Is the memory full?' if number == signal.SIGKILL else ''}\n"

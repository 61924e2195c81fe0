"""Try the course with the lowest releases that pyproject.toml allows, in an environment made for it and deleted after it."""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

HELP = """Make a temporary environment with the lowest release of each direct dependency that pyproject.toml allows, and try
the course in it: every module is imported, lessons are replayed, the programs start, a made-up class is graded.
A lower bound that nobody tries becomes wrong unseen, whenever a package below it moves on.
"""
MORE = """examples:
  python3 tools/lowest.py --torch 2.13.0     the lowest of all but PyTorch, as `make` has it
  python3 tools/lowest.py                    PyTorch's lowest too: on Linux a download of 3 GB, and 6 GB of disk
  python3 tools/lowest.py --python python3.12 --torch 2.13.0 --keep /tmp/lowest
  python3 tools/lowest.py --torch 2.13.0 -- tests/grading/test_cluster.py -x      these tests as well, with pytest's options

When it fails, the lines above the verdict say in which package, and the first lines say which release of it was tried.
Raise its bound in pyproject.toml and in environment.yml to the first release that works, and run this again.
With --keep, `FOLDER/venv/bin/python -m pip install NAME==RELEASE` finds that release in the same environment.

exit status: 0 all of it works; 1 something fails, or a bound was not tried; 2 it could not be made, and the message says why.
"""

EXTRAS = "teach,cluster,postgres,test"
LESSONS = ["solutions/pipeline/03_cell_step.ipynb", "solutions/training/07_training_trace.ipynb"]
"""What is replayed: a lesson with an explorer and pictures, and one that trains."""
GRADING = "test_demo.py"
"""The test that grades the made-up class of `course demo` and knows everybody's points."""
IMPORT_ALL = """
import importlib, pkgutil, course
for module in pkgutil.walk_packages(course.__path__, "course."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""


class Problem(Exception):
    """The environment could not be made. The message says why."""


def main(arguments=None):
    """Run the command line. Returns the exit code."""
    options = parser().parse_args(arguments)
    try:
        if options.keep:
            return trial(new_folder(options.keep), options)
        with tempfile.TemporaryDirectory(prefix="lowest-") as folder:
            return trial(Path(folder), options)
    except Problem as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def parser():
    """The command line."""
    lines = argparse.ArgumentParser(prog="lowest.py", description=HELP, epilog=MORE, formatter_class=argparse.RawDescriptionHelpFormatter)
    lines.add_argument("--torch", metavar="VERSION", help="this PyTorch and not the lowest, which is a large download")
    lines.add_argument("--python", default=sys.executable, help="the Python of the environment (default: the one that runs this)")
    lines.add_argument("--keep", metavar="FOLDER", help="make the environment in this new or empty folder, and leave it there")
    lines.add_argument("tests", nargs="*", metavar="-- TESTS", help="tests to run as well, as pytest is told them")
    return lines


def new_folder(name):
    """The empty folder that was asked for. Raises Problem."""
    folder = Path(name).expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise Problem(f"{folder} is not empty. Name a new folder.")
    except OSError as error:
        raise Problem(f"{folder} cannot be used: {error.strerror}.") from None
    return folder


# The environment


def trial(folder, options):
    """Make the environment in this folder and try the course in it. Returns the exit code."""
    began = time.monotonic()
    lowest = folder / "lowest.txt"
    resolve(folder, options, lowest)
    failed = [f"the bound of {name}" for name in untried(bounds(), releases(lowest.read_text()), options.torch)]
    python = make_venv(options.python, folder / "venv")
    say("Installing them, which takes a few minutes ...")
    # pip, and not uv: it knows where this machine keeps wheels, as `make` does. It is held to uv's choice, package by package.
    must(python, "-m", "pip", "install", "-qq", "-c", lowest, "--editable", f".[{EXTRAS}]")
    failed += [name for name, command in trials(options.tests) if not works(name, python, command)]
    verdict = f"Failed: {', '.join(failed)}." if failed else "The course works with the lowest releases."
    say(f"{verdict} ({time.monotonic() - began:.0f} s)")
    return 1 if failed else 0


def resolve(folder, options, lowest):
    """Write the lowest release of each direct dependency, and what these bring along, into the file `lowest`."""
    say("Looking for the lowest releases ...")
    python = make_venv(sys.executable, folder / "uv")
    must(python, "-m", "pip", "install", "-qq", "uv")
    exact = folder / "torch.txt"
    exact.write_text(f"torch=={options.torch}\n" if options.torch else "")
    must(
        python,
        "-m",
        "uv",
        "pip",
        "compile",
        "--quiet",
        "--resolution",
        "lowest-direct",
        "--python",
        options.python,
        "--no-python-downloads",
        "--no-header",
        "--no-annotate",
        "--constraint",
        exact,
        "--all-extras",
        "--output-file",
        lowest,
        "pyproject.toml",
    )


def bounds():
    """{direct dependency: the lowest release that pyproject.toml allows}, of all levels together."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = project["dependencies"] + [line for extra in project["optional-dependencies"].values() for line in extra]
    return dict(re.match(r"([\w-]+)(?:\[\w+\])?>=([\w.]+)", line).groups() for line in lines)


def releases(resolved):
    """{package: release} of uv's answer."""
    return dict(re.findall(r"^([\w-]+)==(\S+)", resolved, re.MULTILINE))


def untried(allowed, found, torch):
    """Say which releases are tried. Returns the names whose bound is lower than that: another package asks for more."""
    names = []
    for name, bound in allowed.items():
        higher = without_zeros(found[name]) != without_zeros(bound) and not (name == "torch" and torch)
        say(f"  {name} {found[name]}" + (f"   but pyproject.toml says {bound}, which does not fit the others: raise it" if higher else ""))
        names += [name] if higher else []
    return names


def without_zeros(release):
    """8.0.0 -> 8: two ways to write one release."""
    return re.sub(r"(\.0)+$", "", release)


def make_venv(python, folder):
    """Make an environment of this Python. Returns its own Python."""
    must(python, "-m", "venv", folder)
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def must(*command):
    """Run one step of making the environment. Raises Problem when it fails."""
    try:
        code = run(command, os.environ)
    except OSError as error:
        raise Problem(f"{command[0]} cannot be started: {error.strerror}.") from None
    if code:
        raise Problem(f"The environment could not be made; the reason is above. It came from: {' '.join(map(str, command))}")


# The trials


def trials(tests):
    """(name, what the environment's Python is given), one after the other."""
    replay = ("-m", "pytest", "-q", "--nbval", "--nbval-current-env", "--nbval-sanitize-with", in_tests("nbval_sanitize.cfg"))
    yield "import of every module", ("-c", IMPORT_ALL)
    yield "replay of two lessons", (*replay, *LESSONS)
    for program in ("lab", "notebook"):
        yield f"start of jupyter {program}", ("-m", "jupyter", program, "--version")
    # PyTorch 2.6 leaves a temporary folder of its own behind, whoever imports it in a worker process.
    yield "grading of a class", ("-m", "pytest", "-q", in_tests(GRADING), "-k", "not nothing_is_left_behind")
    if tests:
        yield "tests", ("-m", "pytest", "-q", *tests)


def in_tests(name):
    """Where the file of this name lies in tests/."""
    [place] = (ROOT / "tests").rglob(name)
    return place


def works(name, python, command):
    """Try one thing in the environment. Returns whether it succeeded."""
    say(f"Trying: {name} ...")
    return run((python, *command), environment(python)) == 0


def environment(python):
    """The variables under which the environment's own programs and kernel come first and results are the same everywhere, as in Makefile."""
    return {
        **os.environ,
        "PATH": str(python.parent) + os.pathsep + os.environ.get("PATH", os.defpath),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "MPLCONFIGDIR": str(python.parents[1] / "matplotlib"),
        "HIDDEN_STATE_PROGRESS": "off",
        "OMP_NUM_THREADS": "1",
    }


def run(command, variables):
    """Run a program in the course's folder; what it prints is seen. Returns its exit code."""
    return subprocess.run([str(part) for part in command], cwd=ROOT, env=variables, stdin=subprocess.DEVNULL).returncode


def say(sentence):
    """Print at once, so that what programs print themselves comes after it."""
    print(sentence, flush=True)


if __name__ == "__main__":
    sys.exit(main())

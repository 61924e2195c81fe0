"""tools/start.py: what it says when something is missing, and that a second run is quick. tools/lowest.py: what it takes for lowest. No network."""

import ast
import glob
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest
from waiting import LONG

START = Path(__file__).parents[2] / "tools" / "start.py"
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def start(tmp_path, monkeypatch):
    """The module tools/start.py, for a course that lies in an empty folder."""
    spec = importlib.util.spec_from_file_location("start", START)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", str(tmp_path))
    add_what_is_installed_from(tmp_path)
    return module


@pytest.fixture
def course(tmp_path):
    """A folder with a copy of tools/start.py, to run it as a program."""
    (tmp_path / "tools").mkdir()
    shutil.copy(START, tmp_path / "tools" / "start.py")
    add_what_is_installed_from(tmp_path)
    return tmp_path


def add_what_is_installed_from(folder):
    """Put the files there that say what to install."""
    (folder / "pyproject.toml").write_text("[project]\n")
    (folder / "constraints.txt").write_text("torch==2.13.0\n")


def add_first_lesson(folder):
    """Put an (empty) first lesson where start.py looks for it."""
    lesson = folder / "notebooks" / "pipeline" / "00_start.ipynb"
    lesson.parent.mkdir(parents=True)
    lesson.write_text("{}")


def run_start(folder, *arguments):
    """Run the copy of start.py. pip could find nothing, should it be called."""
    return subprocess.run(
        [sys.executable, str(folder / "tools" / "start.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=LONG,
        stdin=subprocess.DEVNULL,
        env=dict(os.environ, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(folder), PYTHONDONTWRITEBYTECODE="1"),
    )


def pretend_installed(start):
    """Replace the steps that need the network or a minute; return the list of what they were asked to do."""
    done = []

    def create_venv(level, moved=False):
        done.append("moved" if moved else "venv")
        python = Path(start.venv_python())
        python.parent.mkdir(parents=True, exist_ok=True)
        python.touch()

    start.create_venv = create_venv
    start.install = lambda level: done.append("install " + level)
    start.try_out = lambda level: None
    return done


@pytest.fixture
def busy_port():
    """A port on which another program listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


# --- Python ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 6, 9), (3, 10, 13)])
def test_an_old_python_gets_a_sentence(start, version):
    sentence = start.too_old(version)
    assert "Python 3.11 or newer is needed, this is {}.{}.".format(*version) in sentence
    assert "make lab PYTHON=python3.12" in sentence


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 14, 1), (4, 0, 0)])
def test_a_new_python_gets_none(start, version):
    assert start.too_old(version) is None


def test_an_old_python_can_read_the_file():
    """A syntax error would come before the sentence."""
    ast.parse(START.read_text(), feature_version=(3, 7))


def test_the_old_pythons_of_this_machine_say_the_sentence():
    """Where old Pythons are installed, real ones are asked; where there are none, the test above must do."""
    found = glob.glob("/usr/bin/python3.[0-9]")
    for versions in ("[23].[0-9].*", "3.10.*"):
        found += glob.glob(os.path.expanduser(f"~/.pyenv/versions/{versions}/bin/python"))
    for python in found:
        answer = subprocess.run([python, str(START), "lab"], capture_output=True, text=True, timeout=LONG)
        assert answer.returncode == 1, python
        assert answer.stderr.startswith("Python 3.11 or newer is needed"), answer.stderr
        assert answer.stderr.count("\n") == 1, answer.stderr


def test_a_python_without_venv_is_told_the_package(start, monkeypatch):
    monkeypatch.setattr(start.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(start.Problem, match="apt install python3-venv"):
        start.create_venv("lab")


# --- the disk --------------------------------------------------------------------------------------------


def test_no_space_stops_before_anything_is_made(start, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(start.shutil, "disk_usage", lambda path: Usage(10**10, 9 * 10**9, 1_200_000_000))
    assert start.main(["setup", "lab"]) == 1
    said = capsys.readouterr().err
    assert "1.2 GB are free" in said and "about 3.0 GB are needed" in said and "`make lab` again" in said
    assert not (tmp_path / ".venv").exists()


def test_a_disk_that_fills_up_is_named(start, monkeypatch, capsys):
    pretend_installed(start)
    space = iter([5 * 10**9, 10**7])
    monkeypatch.setattr(start.shutil, "disk_usage", lambda path: Usage(10**10, 0, next(space)))

    def install(level):
        raise start.Problem(start.why_install_failed(level))

    start.install = install
    assert start.main(["setup", "teach"]) == 1
    assert "The disk is full" in capsys.readouterr().err


# --- set up once -----------------------------------------------------------------------------------------


def test_a_second_set_up_does_nothing(start):
    done = pretend_installed(start)
    start.setup("teach")
    assert done == ["venv", "install teach"]
    start.setup("teach")
    start.setup("lab")  # less than what is there
    assert done == ["venv", "install teach"]


def test_a_second_set_up_is_quick(course, start):
    """The real program, from start to end: the processor's time, which does not count that of other programs."""
    pretend_installed(start)
    start.setup("lab")
    times = []
    for _ in range(3):
        begin = os.times()
        answer = run_start(course, "setup", "lab")
        end = os.times()
        times.append(end.children_user + end.children_system - begin.children_user - begin.children_system)
        assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    assert min(times) < 1


def test_more_packages_and_new_versions_are_installed(start, tmp_path):
    done = pretend_installed(start)
    start.setup("lab")
    start.setup("test")
    (tmp_path / "pyproject.toml").write_text("[project]\n# newer\n")
    start.setup("lab")  # keeps the level that is there
    (tmp_path / "constraints.txt").write_text("torch==2.14.1\n")
    start.setup("lab")
    assert done == ["venv", "install lab"] + 3 * ["venv", "install test"]


def test_pip_is_held_to_the_constraints(start, monkeypatch):
    commands = []
    monkeypatch.setattr(start.subprocess, "call", lambda command, **options: commands.append(command) or 0)
    start.install("teach")
    assert commands == [[start.venv_python(), "-m", "pip", "install", "-c", "constraints.txt", "--editable", ".[teach]"]]


def test_a_copied_folder_is_set_up_anew(start, tmp_path, monkeypatch):
    """The programs in .venv hold the absolute path of the folder in which it was made."""
    done = pretend_installed(start)
    start.setup("lab")
    shutil.copytree(tmp_path, tmp_path / "copy", ignore=shutil.ignore_patterns("copy"))
    monkeypatch.setattr(start, "ROOT", str(tmp_path / "copy"))
    start.setup("lab")
    assert done == ["venv", "install lab", "moved", "install lab"]


def test_a_damaged_note_means_set_up_again(start):
    done = pretend_installed(start)
    for damage in ("", "[]", '{"level": "?"}'):
        Path(start.venv_folder()).mkdir(exist_ok=True)
        Path(start.stamp_file()).write_text(damage)
        start.setup("lab")
    assert done == ["venv", "install lab"] * 3


def test_a_failed_installation_says_what_to_do_and_is_picked_up(start, monkeypatch, capsys):
    real_install = start.install
    done = pretend_installed(start)
    pretended_install, start.install = start.install, real_install
    monkeypatch.setattr(start.subprocess, "call", lambda command, **options: 1)  # pip gives up
    assert start.main(["setup", "lab"]) == 1
    said = capsys.readouterr().err
    assert "check the network" in said and "run `make lab` again" in said
    assert not os.path.exists(start.stamp_file())
    start.install = pretended_install
    assert start.main(["setup", "lab"]) == 0
    assert done == ["venv", "venv", "install lab"]


# --- the port --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["--port={}", "--port {}", "--ServerApp.port={}"])
def test_a_busy_port_is_named(course, busy_port, form):
    add_first_lesson(course)
    answer = run_start(course, "lab", "--no-browser", *form.format(busy_port).split())
    assert answer.returncode == 1
    assert f"Port {busy_port} is in use" in answer.stderr
    assert "name another port" in answer.stderr and f"--port={busy_port % 65535 + 1}" in answer.stderr
    assert not (course / ".venv").exists()


def test_a_busy_port_is_named_to_an_instructor_too(course, busy_port):
    answer = run_start(course, "teach", f"--port={busy_port}")
    assert answer.returncode == 1 and "make teach LAB_ARGS=--port=" in answer.stderr


def test_a_free_port_is_let_through(start, busy_port):
    assert start.port_in_use("localhost", busy_port)
    assert any(_is_let_through(start) for _ in range(10))  # another program may take a free port before it is asked for


def _is_let_through(start):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    try:
        return start.require_free_port([f"--port={free}"], "lab") is True
    except start.Problem:
        return False


@pytest.mark.parametrize("arguments", [[], ["--no-browser"], ["--port=0"], ["--port"], ["--port=abc"]])
def test_without_a_port_jupyter_chooses(start, arguments):
    assert start.require_free_port(arguments, "lab") is False


def test_a_port_beyond_the_last_is_refused(start):
    with pytest.raises(start.Problem, match="does not exist"):
        start.require_free_port(["--port=70000"], "lab")


# --- JupyterLab ------------------------------------------------------------------------------------------


def test_missing_lessons_are_named(course):
    answer = run_start(course, "lab")
    assert answer.returncode == 1
    assert "00_start.ipynb, is missing" in answer.stderr and "`make notebooks`" in answer.stderr
    assert not (course / ".venv").exists()


def test_jupyter_opens_the_first_lesson(start, tmp_path, monkeypatch):
    """What would be run; the options of the reader come last, so that they win."""
    add_first_lesson(tmp_path)
    pretend_installed(start)
    ran = []
    monkeypatch.setattr(start, "become", ran.extend)
    monkeypatch.setattr(start, "is_root", lambda: False)
    assert start.main(["lab", "--no-browser"]) == 0
    assert ran[0] == start.venv_python() and ran[1:3] == ["-m", "jupyterlab"]
    assert "--ServerApp.root_dir=" + str(tmp_path) in ran
    assert "--LabApp.default_url=/lab/tree/notebooks/pipeline/00_start.ipynb" in ran
    assert ran[-1] == "--no-browser" and "--allow-root" not in ran


def test_root_is_allowed_only_when_root(start, monkeypatch):
    monkeypatch.setattr(start, "is_root", lambda: True)
    assert start.jupyter_command("/lab", [], False).count("--allow-root") == 1
    assert start.jupyter_command("/lab", ["--allow-root"], False).count("--allow-root") == 1


# --- the browser and the command line --------------------------------------------------------------------


def test_a_missing_browser_is_named(start, monkeypatch, capsys):
    monkeypatch.setattr(start, "is_root", lambda: False)
    monkeypatch.setattr(start, "find_browser", lambda: None)
    assert start.main(["browser"]) == 1
    assert "sudo apt install chromium" in capsys.readouterr().err


def test_a_missing_sandbox_is_named(start, monkeypatch, capsys):
    monkeypatch.setattr(start.shutil, "which", lambda name: None)
    monkeypatch.setattr(start.platform, "system", lambda: "Linux")
    assert start.main(["sandbox"]) == 1
    assert "sudo apt install bubblewrap" in capsys.readouterr().err


def test_elsewhere_than_on_linux_there_is_none(start, monkeypatch, capsys):
    monkeypatch.setattr(start.shutil, "which", lambda name: None)
    monkeypatch.setattr(start.platform, "system", lambda: "Darwin")
    assert start.main(["sandbox"]) == 0
    assert "runs on Linux only" in capsys.readouterr().out


def test_a_missing_proxy_is_named(start, monkeypatch, capsys):
    monkeypatch.setattr(start.shutil, "which", lambda name: None)
    monkeypatch.setattr(start, "is_root", lambda: False)
    assert start.main(["proxy"]) == 1
    assert "sudo apt install npm" in capsys.readouterr().err


def test_the_proxy_is_installed_into_the_environment(start, monkeypatch, capsys):
    ran = []
    monkeypatch.setattr(start.shutil, "which", lambda name: "/usr/bin/npm" if name == "npm" else None)
    monkeypatch.setattr(start.subprocess, "call", lambda command, **_: ran.append(command) or 0)
    assert start.main(["proxy"]) == 0
    [command] = ran
    assert command[:2] == ["/usr/bin/npm", "install"] and command[command.index("--prefix") + 1] == start.os.path.join(start.venv_folder(), "node")


def test_a_missing_postgres_is_named(start, monkeypatch, capsys):
    monkeypatch.setattr(start, "find_postgres", lambda: None)
    monkeypatch.setattr(start, "is_root", lambda: False)
    monkeypatch.setattr(start.platform, "system", lambda: "Linux")
    assert start.main(["postgres"]) == 1
    assert "sudo apt install postgresql" in capsys.readouterr().err


def test_a_browser_can_be_named(start, monkeypatch, tmp_path):
    mine = tmp_path / "my-browser"
    mine.write_text("#!/bin/sh\n")
    mine.chmod(0o755)
    monkeypatch.setenv("CHROMIUM", str(mine))
    assert start.find_browser() == str(mine)


@pytest.mark.parametrize("arguments", [[], ["fly"], ["setup"], ["setup", "everything"], ["browser", "x"]])
def test_an_unknown_command_shows_the_commands(start, arguments, capsys):
    assert start.main(arguments) == 2
    assert "setup lab|teach|test" in capsys.readouterr().err


# --- the lowest releases ---------------------------------------------------------------------------------


@pytest.fixture
def lowest(monkeypatch):
    """The module tools/lowest.py."""
    monkeypatch.syspath_prepend(START.parent)
    return importlib.import_module("lowest")


def test_every_lower_bound_is_read(lowest):
    bounds = lowest.bounds()
    assert bounds["torch"] == "2.6" and {"nbgrader", "distributed", "axe-playwright-python"} <= set(bounds)


def test_a_bound_that_nothing_can_reach_is_named(lowest, capsys):
    found = lowest.releases("ipython==8.10.0\nrich==13.0.0\ntorch==2.13.0\n")
    assert lowest.untried({"rich": "13", "ipython": "8", "torch": "2.6"}, found, torch="2.13.0") == ["ipython"]
    said = capsys.readouterr().out
    assert "ipython 8.10.0   but pyproject.toml says 8" in said and "raise it" in said and "  rich 13.0.0\n" in said


def test_a_full_folder_and_a_missing_python_are_named(lowest, tmp_path, capsys):
    (tmp_path / "mine").touch()
    assert lowest.main(["--keep", str(tmp_path)]) == 2
    assert "is not empty" in capsys.readouterr().err
    with pytest.raises(lowest.Problem, match="no-such-python cannot be started"):
        lowest.make_venv("no-such-python", tmp_path / "venv")

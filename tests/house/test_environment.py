"""pyproject.toml and environment.yml name the same packages, and each of them earns its place."""

import ast
import re
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from support import ROOT

# The packages that have another name on conda-forge.
CONDA_NAMES = {"torch": "pytorch", "playwright": "playwright-python"}
# The packages that conda-forge does not have: environment.yml leaves them to pip.
LEFT_TO_PIP = {"axe-playwright-python", "pyseccomp"}
# The packages that are imported under another name.
IMPORT_NAMES = {"pillow": "PIL", "lazy-loader": "lazy_loader", "pyyaml": "yaml", "ipython": "IPython", "axe-playwright-python": "axe_playwright_python"}
# What only conda has to be told: pip runs inside a Python that is there already.
ONLY_CONDA = {"python", "pip"}
# Used without being imported: the file that uses the package, and the words that show it.
USED_BY_NAME = {
    "jupyterlab": ("tools/start.py", '"jupyterlab"'),
    "nbval": ("Makefile", "--nbval"),
    "pytest-xdist": ("Makefile", "-n $(WORKERS)"),
    "ruff": ("Makefile", "ruff check"),
    "ipykernel": ("course/build/execution.py", 'kernel_name="python3"'),
    "psycopg": ("nbgrader_config.py", "postgresql+psycopg://"),  # SQLAlchemy imports it
    "jupyterhub": ("tests/hub.py", '"-m", "jupyterhub"'),
    # `jupyter notebook` shows one lesson on a plain page; nobody has to import it for that.
    "notebook": ("pyproject.toml", "jupyter notebook"),
}
# What only an image of a JupyterHub's has: docker/Dockerfile installs it.
ON_A_HUB = {"ngshare_exchange"}
# Imported by the tests, and always there where pytest is.
WITH_PYTEST = {"packaging", "_pytest", "pluggy"}


@pytest.fixture(scope="module")
def project():
    """The table [project] of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def pip_packages(project):
    """name -> versions, as pip is told, of all levels together."""
    lines = project["dependencies"] + [line for extra in project["optional-dependencies"].values() for line in extra]
    requirements = [Requirement(line) for line in lines]
    names = [requirement.name for requirement in requirements]
    assert len(names) == len(set(names)), "a package is named twice"
    return {requirement.name: requirement.specifier for requirement in requirements}


@pytest.fixture(scope="module")
def environment():
    """environment.yml."""
    return yaml.safe_load((ROOT / "environment.yml").read_text())


@pytest.fixture(scope="module")
def conda_packages(environment):
    """name -> versions, as conda is told."""
    lines = [line for line in environment["dependencies"] if isinstance(line, str)]
    lines += [line for line in left_to_pip(environment) if line != "-e ."]
    packages = dict(re.fullmatch(r"([a-z][a-z0-9-]*)(.*)", line).groups() for line in lines)
    assert len(packages) == len(lines), "a package is named twice"
    return {name: SpecifierSet(versions) for name, versions in packages.items()}


def left_to_pip(environment):
    """The lines that conda hands to pip."""
    [pip] = [line["pip"] for line in environment["dependencies"] if isinstance(line, dict)]
    return pip


def imported_by(source):
    """The top-level names that a Python source imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module.split(".")[0])
    return names


def imports_of(*patterns, leaving_out=()):
    """name -> a file that imports it, for the Python files that match."""
    files = sorted({path for pattern in patterns for path in ROOT.glob(pattern)} - set(leaving_out))
    return {name: path.relative_to(ROOT).as_posix() for path in files for name in imported_by(path.read_text())}


def lesson_imports():
    """The same for the code cells of the lessons' Markdown sources."""
    found = {}
    for path in sorted(ROOT.glob("solutions/*/*.md")):
        for name in re.findall(r"^\s*(?:import|from) (\w+)", path.read_text(), re.MULTILINE):
            found[name] = path.relative_to(ROOT).as_posix()
    return found


def everything_imported():
    """The same for the whole repository."""
    return {**imports_of("*.py", "course/**/*.py", "tests/**/*.py", "tools/*.py"), **lesson_imports()}


def third_party(found):
    """Only the packages of others: not Python's own modules, and not the files of this repository."""
    own = {"course", "tests", "tools", "answers", "laws"} | {path.stem for path in (*ROOT.glob("tests/**/*.py"), *ROOT.glob("tools/*"))}
    return {name: file for name, file in found.items() if name not in sys.stdlib_module_names | own}


def test_pip_and_conda_name_the_same_packages(pip_packages, conda_packages):
    expected = {CONDA_NAMES.get(name, name) for name in pip_packages}
    assert set(conda_packages) - ONLY_CONDA == expected


def test_pip_and_conda_ask_for_the_same_versions(pip_packages, conda_packages):
    for name, versions in pip_packages.items():
        assert conda_packages[CONDA_NAMES.get(name, name)] == versions, name


def test_pip_and_conda_ask_for_the_same_python(project, conda_packages):
    assert conda_packages["python"] == SpecifierSet(project["requires-python"])


def test_start_asks_for_the_same_python(project):
    start = (ROOT / "tools" / "start.py").read_text()
    oldest = re.search(r"OLDEST_PYTHON = \((\d+), (\d+)\)", start).groups()
    assert project["requires-python"] == ">=" + ".".join(oldest)


@pytest.mark.parametrize("file", ["README.md", "Makefile", "CONTRIBUTING.md", "course/build/bundle.py"])
def test_readers_are_told_the_same_python(project, file):
    assert f"Python {project['requires-python'].removeprefix('>=')} or newer" in (ROOT / file).read_text()


def test_conda_leaves_to_pip_only_what_it_does_not_have(environment):
    *others, course = left_to_pip(environment)
    assert course == "-e ."
    assert {Requirement(line).name for line in others} == LEFT_TO_PIP


def test_every_package_has_its_versions(pip_packages):
    """An open end is a promise about releases that nobody has seen."""
    for name, versions in pip_packages.items():
        assert {bound.operator for bound in versions} == {">=", "<"}, name


def test_make_takes_one_pytorch_out_of_the_range(pip_packages):
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    [torch] = map(Requirement, lines)
    [exact] = torch.specifier
    assert (torch.name, exact.operator) == ("torch", "==")
    assert exact.version in pip_packages["torch"]


def test_every_package_says_what_it_is_for():
    lines = re.findall(r'^    "[a-z][a-z0-9-]*[=<>].*$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert len(lines) >= 15
    assert [line for line in lines if "# " not in line] == []


def test_every_package_is_used(pip_packages):
    imported = everything_imported()
    for name in pip_packages:
        if name in USED_BY_NAME:
            file, words = USED_BY_NAME[name]
            assert words in (ROOT / file).read_text(), f"{name} is no longer used by {file}"
        else:
            assert IMPORT_NAMES.get(name, name) in imported, f"nothing uses {name}"


def test_the_list_of_exceptions_has_only_real_packages(pip_packages):
    assert set(USED_BY_NAME) | set(IMPORT_NAMES) | set(CONDA_NAMES) <= set(pip_packages)


def test_everything_imported_is_asked_for(pip_packages):
    builds = {Requirement(line).name for line in tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]}
    declared = {IMPORT_NAMES.get(name, name) for name in pip_packages} | WITH_PYTEST | ON_A_HUB | builds
    found = third_party(everything_imported())
    assert {name: file for name, file in found.items() if name not in declared} == {}


def test_a_student_needs_only_what_a_student_gets(project):
    """The modules that lessons import, and what these import, must work without the instructor's packages."""
    names = {Requirement(line).name for line in project["dependencies"]}
    base = {IMPORT_NAMES.get(name, name) for name in names}
    instructors = [file for room in ("grading", "build") for file in (ROOT / "course" / room).rglob("*.py")]
    found = imports_of("course/**/*.py", leaving_out=[*instructors, ROOT / "course" / "laws" / "pytest_plugin.py"])  # which pytest alone loads
    found = third_party({**found, **lesson_imports()})
    assert {name: file for name, file in found.items() if name not in base} == {}


def test_citation_and_changelog_name_this_version(project):
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == project["version"]
    assert f"## [{project['version']}]" in (ROOT / "CHANGELOG.md").read_text()

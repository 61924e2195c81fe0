"""From the lessons' sources to everything that is made of them: `python -m course.build notebooks` and `… bundle`.

    solutions/<unit>/<lesson>.md     what you edit
      -> course/lessons.json, course/quiz.json and the lesson table in README.md
      -> solutions/<unit>/<lesson>.ipynb     the same lesson, executed
      -> notebooks/<unit>/<lesson>.ipynb     what a student opens, made by nbgrader
      -> dist/hidden-state-<unit>-<digest>.zip     what a student receives
"""

import argparse
import ast
import hashlib
import json
import logging
import os
import re
import shutil
import sys
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat
import yaml
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbgrader.converters import GenerateAssignment, NbGraderException
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config, PyFileConfigLoader

from .grading.keep import digest, is_untouched
from .grading.questions import QuestionError, expand
from .quiz import seal

ROOT = Path(__file__).resolve().parents[1]
SECONDS_A_CELL = 120
TABLE_BEGINS, TABLE_ENDS = "<!-- lessons -->", "<!-- /lessons -->"
UNIT_PAGE = "00_start"
WIDGET = "application/vnd.jupyter.widget-view+json"
INSTRUCTORS = ("grading", "build.py", "__main__.py", "__pycache__")
INSTRUCTORS_TABLES = ("project.optional-dependencies", "project.scripts", "tool.pytest.ini_options")
INSTRUCTORS_PACKAGES = r"^( +)# to (teach|test)\b.*\n(\1- .*\n)+"
ZIP_TIME = (1980, 1, 1, 0, 0, 0)


class BuildError(Exception):
    """A source that cannot be built. The message names the file, the cell and the remedy."""


@dataclass
class Lesson:
    """One lesson: its source, and what the source holds before any cell has run."""

    source: Path
    notebook: nbformat.NotebookNode

    @property
    def name(self):
        return self.source.stem

    @property
    def unit(self):
        return self.source.parent.name

    @property
    def is_page(self):
        """Is it the page at the start of its unit, and no lesson?"""
        return self.name == UNIT_PAGE

    @property
    def twin(self):
        return self.source.with_suffix(".ipynb")


def rebuild(root=ROOT, say=print):
    """Make again everything that is made from the sources under `root`. Writes only what has changed.

    say(line) reports progress. Raises BuildError for a source that cannot be built.
    """
    lessons = read_lessons(root)
    _refuse_strays(root, lessons)
    write_registers(root, lessons)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for lesson, text in zip(lessons, pool.map(lambda lesson: _executed(lesson, root), lessons)):
            changed = _write(lesson.twin, text)
            say(f"{lesson.unit}/{lesson.name}: {len(lesson.notebook.cells)} cells ran, {'written' if changed else 'unchanged'}")
    for unit in units(lessons):
        make_release(root, unit, say)


# Reading the sources


def read_lessons(root):
    """All lessons under root/solutions, in the order of their numbers, each unit's page before them."""
    sources = sorted(root.glob("solutions/*/*.md"), key=lambda path: (path.name, path))
    if not sources:
        raise BuildError(f"{root / 'solutions'} holds no lesson: sources are solutions/<unit>/<lesson>.md")
    return [Lesson(source, _read(source)) for source in sources]


def units(lessons):
    """The units in the order of their first lessons."""
    return list(dict.fromkeys(lesson.unit for lesson in lessons if not lesson.is_page))


def _read(source):
    notebook = jupytext.read(source, fmt="md:myst")
    about = notebook.metadata.get("hidden_state", {})
    if not about.get("title") or not isinstance(about.get("minutes"), int):
        raise BuildError(f"{source}: its header needs hidden_state with a title and minutes, a whole number")
    notebook.metadata.pop("jupytext", None)
    for number, cell in enumerate(notebook.cells, 1):
        cell.id = cell.metadata.get("nbgrader", {}).get("grade_id") or f"{source.stem}-{number:02d}"
    repeated = {cell.id for cell in notebook.cells if sum(other.id == cell.id for other in notebook.cells) > 1}
    if repeated:
        raise BuildError(f"{source}: more than one cell has the grade_id {', '.join(sorted(repeated))}")
    return notebook


def _refuse_strays(root, lessons):
    """A notebook without a source, or one edited by hand, would be released or overwritten without a word."""
    twins = {lesson.twin for lesson in lessons}
    for notebook in sorted(root.glob("solutions/*/*.ipynb")):
        if notebook not in twins:
            raise BuildError(f"{notebook} has no source {notebook.with_suffix('.md').name} beside it. Delete it, or write its source")
        if not is_untouched(notebook, "built"):
            raise BuildError(f"{notebook} was changed by hand. Move the change into {notebook.with_suffix('.md').name}, delete the notebook, and build again")


# The registers: lessons.json, quiz.json, the table in the README


def write_registers(root, lessons):
    """Write what the course itself reads of its lessons, and the README's table."""
    found = describe(lessons)
    _write(root / "course" / "lessons.json", _json(found))
    _write(root / "course" / "quiz.json", _json(seal(_quiz_keys(root, found))))
    readme = root / "README.md"
    _write(readme, with_table(readme, lesson_table(found)))


def describe(lessons):
    """{unit: [{lesson, title, minutes, items}]}; an item is one graded cell: {kind, name, section, points}."""
    found = {unit: [] for unit in units(lessons)}
    for lesson in (lesson for lesson in lessons if not lesson.is_page):
        about = lesson.notebook.metadata.hidden_state
        entry = {"lesson": lesson.name, "title": about.title, "minutes": about.minutes, "items": _items(lesson)}
        found[lesson.unit].append(entry)
    return found


def lesson_table(found):
    """The README's table of lessons, in Markdown."""
    rows = ["| lesson | what you build | minutes | points |", "|---|---|---|---|"]
    for unit, entries in found.items():
        for entry in entries:
            number = entry["lesson"].split("_")[0].lstrip("0")
            link = f"[{number} · {entry['title']}](notebooks/{unit}/{entry['lesson']}.ipynb)"
            built = ", ".join(f"`{item['name']}`" for item in entry["items"] if item["kind"] == "check") or "a quiz"
            rows.append(f"| {link} | {built} | {entry['minutes']} | {sum(item['points'] for item in entry['items']):g} |")
    return "\n".join(rows)


def with_table(readme, table):
    """The text of the README with this table between its two marks."""
    text = _text(readme) if readme.exists() else ""
    if text.count(TABLE_BEGINS) != 1 or text.count(TABLE_ENDS) != 1:
        raise BuildError(f"{readme} needs one line {TABLE_BEGINS} and one line {TABLE_ENDS}: the table of lessons is put between them")
    before, rest = text.split(TABLE_BEGINS)
    return f"{before}{TABLE_BEGINS}\n{table}\n{TABLE_ENDS}{rest.split(TABLE_ENDS)[1]}"


def _items(lesson):
    section, items = "", []
    for cell in lesson.notebook.cells:
        mark = cell.metadata.get("nbgrader", {})
        if mark.get("grade"):
            read_by_hand = mark.get("solution")
            item = {"kind": "text", "name": cell.id} if read_by_hand else _graded_call(lesson, cell)
            items.append({**item, "section": section, "points": mark["points"]})
        elif cell.cell_type == "markdown":
            headings = re.findall(r"^## (.+)$", cell.source, flags=re.MULTILINE)
            section = headings[-1].strip() if headings else section
    return items


def _graded_call(lesson, cell):
    """What a graded cell checks, from its first statement: check("name", …) or quiz("lesson", number, …)."""
    try:
        call = ast.parse(cell.source).body[0].value
        arguments = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
        kind = call.func.id
    except (SyntaxError, IndexError, AttributeError, ValueError):
        kind, arguments = None, []
    if kind == "check" and len(arguments) == 1:
        return {"kind": "check", "name": arguments[0]}
    if kind == "quiz" and len(arguments) == 2 and arguments[0] == lesson.name:
        return {"kind": "quiz", "name": str(arguments[1])}
    raise BuildError(f'{lesson.source}: the graded cell {cell.id} should begin with check("name", name) or quiz("{lesson.name}", 1, answer_1)')


def _quiz_keys(root, found):
    """{lesson: {number: question}} from every unit's quiz.yml, which must fit the quiz cells of its lessons."""
    keys = {}
    for unit, entries in found.items():
        file = root / "solutions" / unit / "quiz.yml"
        given = yaml.safe_load(_text(file)) if file.exists() else {}
        for entry in entries:
            asked = {item["name"] for item in entry["items"] if item["kind"] == "quiz"}
            answered = {str(number) for number in given.get(entry["lesson"], {})}
            if asked != answered:
                raise BuildError(f"{file}: {entry['lesson']} asks questions {_listed(asked)}, and the file answers {_listed(answered)}")
            keys[entry["lesson"]] = {number: _expanded(file, entry["lesson"], number, each) for number, each in given.get(entry["lesson"], {}).items()}
    return keys


def _expanded(file, lesson, number, question):
    try:
        return expand(question)
    except QuestionError as error:
        raise BuildError(f"{file}: question {number} of {lesson}: {error}") from None


def _listed(numbers):
    return ", ".join(sorted(numbers)) or "none"


# Executing


def _executed(lesson, root, **environment):
    """The text of the executed twin. The same source gives the same text but for its drawings, on every machine.

    environment: variables for its kernel, beside those that all kernels of the build have.
    """
    notebook = lesson.notebook
    client = NotebookClient(
        notebook, timeout=SECONDS_A_CELL, kernel_name="python3", record_timing=False, coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(lesson.source.parent)}},
    )
    try:
        client.execute(env={**_kernel_environment(root), **environment})
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise BuildError(_what_failed(lesson, error)) from None
    _clean(notebook)
    notebook.metadata.hidden_state["built"] = digest(notebook.cells)
    return nbformat.writes(notebook) + "\n"


def _kernel_environment(root):
    path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "HIDDEN_STATE_PROGRESS": "off"}


def _what_failed(lesson, error):
    failed = next((cell for cell in reversed(lesson.notebook.cells) if cell.get("execution_count")), None)
    where = f"the cell {failed.id}:\n\n{failed.source}" if failed else "its kernel"
    reason = f"{error.ename}: {error.evalue}" if isinstance(error, CellExecutionError) else f"{type(error).__name__}: {error}"
    return f"{lesson.source} does not run. It stopped at {where}\n\n{reason}"


def _clean(notebook):
    """Take out what differs from run to run: times, versions, the state of widgets."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata.get("language_info", {}).pop("version", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)


# Releasing, by nbgrader itself


def make_release(root, unit, say=print):
    """solutions/<unit> -> notebooks/<unit> by nbgrader, as `nbgrader generate_assignment <unit> --force --no-db` does it."""
    config = _nbgrader_config(root)
    config.SaveCells.enabled = False
    config.GenerateAssignment.no_database = True
    config.GenerateAssignment.force = True
    config.CourseDirectory.assignment_id = unit
    log = _Log(say)
    try:
        GenerateAssignment(coursedir=CourseDirectory(config=config, log=log), config=config, log=log).start()
    except NbGraderException as error:
        raise BuildError(f"nbgrader could not release {unit}: {error}") from None


def _nbgrader_config(root):
    config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
    return Config(config)


class _Log(logging.Logger):
    """nbgrader's log, of which we pass on what a reader can use: kept lessons and errors."""

    def __init__(self, say):
        super().__init__("nbgrader", logging.WARNING)
        self.say = say

    def handle(self, record):
        text = record.getMessage()
        if not text.startswith("Removing existing"):
            self.say(text)


# The bundle


def make_bundle(root, unit, say=print, into=None):
    """Pack one unit into dist/hidden-state-<unit>-<digest>.zip, or into another folder. Returns the file.

    In it is one folder of the same name, so that an update unpacks beside the work of before, never over it.
    """
    with tempfile.TemporaryDirectory() as scratch:
        files = _bundled(root, unit, Path(scratch))
    content = hashlib.sha256()
    for place, data in files.items():
        content.update(f"{place}\0{len(data)}\0".encode() + data)
    name = f"hidden-state-{unit}-{content.hexdigest()[:8]}"
    target = (into or root / "dist") / f"{name}.zip"
    target.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, data in files.items():
            archive.writestr(_entry(f"{name}/{place}"), data)
    say(f"{target}: {len(files)} files, {target.stat().st_size / 1024:.0f} KB")
    return target


def _entry(place):
    entry = zipfile.ZipInfo(place, ZIP_TIME)
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    return entry


def _bundled(root, unit, scratch):
    """{place in the bundle: bytes}. The notebooks are released anew, since those in notebooks/ may be somebody's work."""
    if not any((root / "solutions" / unit).glob("*.ipynb")):
        raise BuildError(f"{root / 'solutions' / unit} holds no notebooks: run `make notebooks` first, or name another unit")
    shutil.copytree(root / "solutions" / unit, scratch / "solutions" / unit, ignore=shutil.ignore_patterns("*.md", "*.yml"))
    shutil.copy(root / "nbgrader_config.py", scratch)
    make_release(scratch, unit)
    files = {f"notebooks/{unit}/{file.name}": file.read_bytes() for file in (scratch / "notebooks" / unit).iterdir()}
    for file in (root / "course").rglob("*"):
        place = file.relative_to(root / "course")
        if file.is_file() and not set(place.parts) & set(INSTRUCTORS):
            files[f"course/{place.as_posix()}"] = file.read_bytes()
    lessons = json.loads(_text(root / "course" / "lessons.json"))
    files["pyproject.toml"] = _without_tables(_text(root / "pyproject.toml"), INSTRUCTORS_TABLES).encode()
    files["environment.yml"] = re.sub(INSTRUCTORS_PACKAGES, "", _text(root / "environment.yml"), flags=re.MULTILINE).encode()
    files["README.md"] = _student_readme(unit, lessons[unit]).encode()
    return dict(sorted(files.items()))


def _without_tables(toml, names):
    """TOML without the tables of these names, each from its header to the next."""
    tables = re.split(r"^(?=\[)", toml, flags=re.MULTILINE)
    return "".join(table for table in tables if not table.startswith(tuple(f"[{name}]" for name in names)))


def _student_readme(unit, entries):
    first = f"notebooks/{unit}/{entries[0]['lesson']}.ipynb"
    rows = "\n".join(f"- [{entry['title']}](notebooks/{unit}/{entry['lesson']}.ipynb), {entry['minutes']} minutes" for entry in entries)
    return STUDENT_README.format(unit=unit, first=first, rows=rows)


STUDENT_README = """# Hidden State: {unit}

How a recurrent network in PyTorch remembers, in lessons that check themselves. You need Python 3.10 or newer. In this folder:

    python3 -m venv .venv && .venv/bin/python -m pip install -e . --extra-index-url https://download.pytorch.org/whl/cpu
    .venv/bin/python -m jupyter lab {first}

On Windows it is `.venv\\Scripts\\python`. With conda: `conda env create -f environment.yml`, then `conda run -n hidden-state jupyter lab`.

{rows}

An update comes as a folder of its own, under another name, and is set up with the same two commands. Your work in this one stays as it is.
"""


# The command line


def main(arguments=None):
    """Run the command line. Returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except BuildError as error:
        print(f"\nThe build stopped.\n\n{error}", file=sys.stderr)
        return 1
    return 0


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m course.build", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Lessons that a learner has changed in notebooks/ are never overwritten: the build names them and goes on.",
    )
    commands = parser.add_subparsers(required=True, metavar="notebooks | bundle")
    notebooks = commands.add_parser("notebooks", help="run every lesson and make the students' notebooks")
    notebooks.set_defaults(run=lambda options: rebuild())
    bundle = commands.add_parser("bundle", help="pack one unit into the zip that a student receives")
    bundle.add_argument("unit", nargs="?", default="pipeline", help="the unit to pack (default: pipeline)")
    bundle.set_defaults(run=lambda options: make_bundle(ROOT, options.unit))
    return parser


def _text(file):
    return file.read_text(encoding="utf-8")


def _json(value):
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _write(file, text):
    """Write a file, but only if its text changes. Returns whether it did."""
    if file.exists() and _text(file) == text:
        return False
    file.write_text(text, encoding="utf-8")
    return True


if __name__ == "__main__":
    sys.exit(main())

"""What the course itself reads of its lessons: lessons.json, the sealed quiz.json, and the table in the README."""

import ast
import re

import yaml

from course.learner.quiz import seal

from .questions import QuestionError, expand
from .sources import BuildError, as_json, text_of, units, write

LEARNER = ("course", "learner")
TABLE_BEGINS, TABLE_ENDS = "<!-- lessons -->", "<!-- /lessons -->"


def write_registers(root, lessons):
    """Write what the course itself reads of its lessons, and the README's table."""
    for file, text in registers(root, lessons).items():
        write(file, text)


def registers(root, lessons):
    """{file: text} of all registers. Raises BuildError where a quiz does not fit its lesson."""
    found, learner, readme = describe(lessons), root.joinpath(*LEARNER), root / "README.md"
    return {
        learner / "lessons.json": as_json(found),
        learner / "quiz.json": as_json(seal(_quiz_keys(root, found))),
        readme: with_table(readme, lesson_table(found)),
    }


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
    text = text_of(readme) if readme.exists() else ""
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
        given = yaml.safe_load(text_of(file)) if file.exists() else {}
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

"""What the course itself reads of its lessons: lessons.json, the sealed quiz.json and discussions.json, and the table in the README."""

import ast
import re

import yaml

from course.learner.sealed import seal, seal_text

from .questions import QuestionError, expand, with_truth
from .sources import BuildError, as_json, text_of, units

LEARNER = ("course", "learner")
TABLE_BEGINS, TABLE_ENDS = "<!-- lessons -->", "<!-- /lessons -->"


def registers(root, lessons):
    """{file: text} of all registers. Raises BuildError where a quiz does not fit its lesson."""
    found, learner, readme = describe(lessons), root.joinpath(*LEARNER), root / "README.md"
    return {
        learner / "lessons.json": as_json(found),
        learner / "quiz.json": as_json(seal(_quiz_keys(root, lessons))),
        learner / "discussions.json": as_json(_discussions(root, found)),
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


PLACES = {"quiz": "{}", "look": "look {}", "reveal": "predict"}
"""The functions that ask, and under which name quiz.yml answers each of their calls."""


def _quiz_keys(root, lessons):
    """{lesson: {number, "predict" or "look 1": question}} from every unit's quiz.yml, which must fit the calls in its lessons."""
    keys = {}
    for lesson in (lesson for lesson in lessons if not lesson.is_page):
        file = root / "solutions" / lesson.unit / "quiz.yml"
        given = _table(_table(_read(file), file, "it").get(lesson.name), file, lesson.name)
        asked, answered = _asked(lesson), {str(place) for place in given}
        if asked != answered:
            raise BuildError(f"{file}: {lesson.name} asks {_listed(asked)}, and the file answers {_listed(answered)}")
        fresh = {place: _expanded(file, lesson.name, place, each) for place, each in given.items()}
        keys[lesson.name] = _joined(file, lesson.name, keys.get(lesson.name, {}), fresh)
    return keys


def _joined(file, lesson, known, fresh):
    """The questions of a lesson that two units have: each may have more, but none may be answered in two ways. Raises BuildError."""
    different = sorted(str(place) for place in known if place in fresh and known[place] != fresh[place])
    if different:
        raise BuildError(
            f"{file}: question {different[0]} of {lesson} is another one in another unit's quiz.yml. Give this lesson, or the question, another name"
        )
    return {**known, **fresh}


def _read(file):
    """What a YAML file holds; nothing where there is none. Raises BuildError."""
    try:
        return yaml.safe_load(text_of(file)) if file.exists() else None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BuildError(f"{file} is no YAML: {error}") from None


def _table(value, file, what):
    """A mapping of a YAML file, empty where there is nothing."""
    if not isinstance(value or {}, dict):
        raise BuildError(f"{file}: {what} holds {value!r:.60}, and should hold lines like `name: what belongs to it`")
    return value or {}


def _asked(lesson):
    """What a lesson asks in its code: the places of its calls of quiz, look and reveal."""
    asked = set()
    for cell in lesson.notebook.cells:
        for call in _calls(lesson, cell) if cell.cell_type == "code" else ():
            first, number = (ast.unparse(argument) for argument in [*call.args, ast.Constant(None)][:2])
            if first != repr(lesson.name):
                raise BuildError(f"{lesson.source}: in the cell {cell.id} the first argument of {call.func.id} should be {lesson.name!r}, it is {first}")
            asked.add(PLACES[call.func.id].format(number))
    return asked


def _calls(lesson, cell):
    try:
        tree = ast.parse(cell.source)
    except SyntaxError as error:
        raise BuildError(f"{lesson.source}: the cell {cell.id} is no Python: {error}") from None
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", None) in PLACES and node.args]


def _discussions(root, found):
    """{exercise or text: its sealed discussion} from every unit's discuss.yml; sealed empty where the unit's are switched off."""
    sealed = {}
    for unit, entries in found.items():
        file = root / "solutions" / unit / "discuss.yml"
        texts = _table(_read(file), file, "it") if file.exists() else {"open": False}
        wanted = {item["name"] for entry in entries for item in entry["items"] if item["kind"] in ("check", "text")}
        written = set(texts) - {"open"}
        if texts.get("open", True) and written != wanted:
            raise BuildError(
                f"{file}: it discusses {_listed(written)}; the unit's exercises and texts are {_listed(wanted)}. `open: false` switches discussions off"
            )
        sealed.update({name: seal_text(name, texts[name]) if texts.get("open", True) else "" for name in sorted(wanted)})
    return sealed


def _expanded(file, lesson, number, question):
    try:
        return with_truth(expand(question)) if number == PLACES["reveal"] else expand(question)
    except QuestionError as error:
        raise BuildError(f"{file}: question {number} of {lesson}: {error}") from None


def _listed(numbers):
    return ", ".join(sorted(numbers)) or "none"

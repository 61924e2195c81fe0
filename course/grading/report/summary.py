"""What an instructor sees after grading: a table, the commonest mistakes of the class, and the same for machines."""

from collections import Counter

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

COMMONEST = 10
MANY = 40
"""From more students on the table names only those whose work went wrong in another way than being wrong."""
NARROW = 110
"""Columns of a terminal below which there is no room for a column for each lesson."""
LONGEST = 200
MISSING = "was not handed in"
STOPPED = {
    "time limit": "time limit. A loop that never ends?",
    "memory": "memory: it asked for more than it may have",
    "crash": "crash: it ended the Python process that it ran in",
    "output limit": "output limit: it returned more than may cross the border",
    "tampering": "tampering: what came back was not what the check makes",
}


def as_data(round):
    """All that is known of a finished Round, as JSON can hold it. What a student could choose the words of goes through `_words`."""
    students = {student: _student(round, work) for student, work in sorted(round.work.items())}
    return {
        "unit": round.unit,
        "students": students,
        "mistakes": _mistakes(students),
        "notebooks_run": round.ran,
        "without_grade": [student for student, about in students.items() if about["status"] == "failed"],
    }


def _student(round, work):
    grades = round.grades.get(work.student, {})
    lessons = {lesson: _lesson(work, lesson, grades.get(lesson, {}), calls) for lesson, calls in round.lessons.items()}
    points, of = (sum(about[key] for about in lessons.values()) for key in ("points", "of"))
    return {"status": work.status, "failure": _words(work.failure), "points": points, "of": of, "lessons": lessons, "notes": [*map(_words, work.notes)]}


def _lesson(work, lesson, grades, calls):
    verdicts = {f"{call['kind']} {call['name']} {call['number']}": call for call in work.results.get(lesson, {}).get("verdicts", {}).values()}
    reason = work.reasons.get(lesson) or (MISSING if lesson in work.missing else "")
    exercises = {}
    for cell, (_, score, most) in grades.items():
        call = calls.get(cell)
        verdict = verdicts.get(f"{call['kind']} {call['name']} {call['number']}", {}) if call else {}
        exercises[cell] = {
            "name": _name(call) if call else cell,
            "points": score,
            "of": most,
            "outcome": verdict.get("outcome", ""),
            "mistake": _words(verdict.get("mistake", "")),
            "to_be_read": not call and not reason and score == 0,
        }
    return {
        "points": sum(each["points"] for each in exercises.values()),
        "of": sum(each["of"] for each in exercises.values()),
        "reason": _words(reason),
        "exercises": exercises,
        "stopped": _stopped(work, lesson),
    }


def _words(text):
    """A text on one line, not too long, and without what a terminal would take for a command."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} ..."


def _stopped(work, lesson):
    """{cell: why} of the cells that had to be stopped."""
    found = work.results.get(lesson, {}).get("stopped", {})
    return {work.cells[lesson][int(place)]: why for place, why in found.items()}


def _name(call):
    return call["name"] if call["kind"] == "check" else f"question {call['number']}"


def _mistakes(students):
    """[{"lesson", "exercise", "mistake", "students": how many}], the commonest first."""
    counted = Counter()
    for about in students.values():
        for lesson, found in about["lessons"].items():
            for each in found["exercises"].values():
                if each["mistake"]:
                    counted[lesson, each["name"], each["mistake"]] += 1
    return [{"lesson": lesson, "exercise": name, "mistake": mistake, "students": number} for (lesson, name, mistake), number in counted.most_common()]


def show(data, console, everybody=False):
    """Print the table and the commonest mistakes on a rich Console. everybody: name them all in a large class too."""
    listed = data["students"] if everybody or len(data["students"]) <= MANY else _special(data["students"])
    if listed:
        console.print(_table(data["unit"], listed, console.width >= NARROW))
    if len(listed) < len(data["students"]):
        console.print(Text(f"{_others(data['students'], listed)}\n"))
    if data["mistakes"]:
        console.print(_table_of_mistakes(data["mistakes"]))
    console.print(Text(_last_line(data)))


def _special(students):
    """Those of whom an instructor wants to know more than the points: no grade, nothing handed in, not readable, stopped."""

    def is_special(about):
        return about["status"] == "failed" or any(found["reason"] not in ("", MISSING) or found["stopped"] for found in about["lessons"].values())

    return {student: about for student, about in students.items() if is_special(about)}


def _others(students, listed):
    """What is said of those whom the table leaves out."""
    others = [
        [each for found in about["lessons"].values() for each in found["exercises"].values()] for student, about in students.items() if student not in listed
    ]
    whole = sum(all(each["points"] >= each["of"] or each["to_be_read"] for each in exercises) for exercises in others)
    unread = sum(any(each["to_be_read"] for each in exercises) for exercises in others)
    return (
        f"{len(others)} {'more' if listed else 'students'}, of whom {whole} lost no points and {len(others) - whole} lost some. "
        + (f"{unread} wrote something that is to be read. " if unread else "")
        + "Each by name: course grade --all, --json FILE, or Formgrader."
    )


def _table(unit, students, wide):
    lessons = next(iter(students.values()))["lessons"] if wide else ()
    table = Table(box=box.SIMPLE_HEAD, title=f"Grades of {unit}", title_justify="left")
    table.add_column("student", overflow="fold")
    table.add_column("points", justify="right", no_wrap=True)
    for lesson in lessons:
        table.add_column(lesson.split("_")[0], justify="right", no_wrap=True)
    table.add_column("what went wrong", overflow="fold")
    for student, about in students.items():
        each = [about["lessons"][lesson] for lesson in lessons]
        points = [f"{found['points']:g}/{found['of']:g}" if found["of"] else "–" for found in each]
        table.add_row(*map(Text, [_words(student), f"{about['points']:g}/{about['of']:g}", *points, _trouble(about)]))
    return table


def _trouble(about):
    if about["status"] == "failed":
        return f"NO GRADE: {about['failure']}"
    missing = [_number(lesson) for lesson, found in about["lessons"].items() if found["reason"] == MISSING]
    lines = [found["reason"] for found in about["lessons"].values() if found["reason"] and found["reason"] != MISSING]
    lines = list(dict.fromkeys(lines)) + ([f"not handed in: {', '.join(missing)}"] if missing else [])
    for lesson, found in about["lessons"].items():
        lines += [f"{_number(lesson)} {cell}: {STOPPED.get(why, why)}" for cell, why in found["stopped"].items()]
        lines += [] if found["reason"] else _lost(_number(lesson), found["exercises"].values())
    return "\n".join(lines)


def _lost(lesson, exercises):
    """The exercises that lost points, each with what it has; and what nobody has read yet."""
    judged = [each for each in exercises if each["outcome"]]
    if judged and all(each["outcome"] == "not attempted yet" for each in judged):
        lost = ["nothing attempted"]
    else:
        lost = [f"{each['name']} {each['points']:g}/{each['of']:g}" for each in judged if each["points"] < each["of"]]
    lost += [f"{each['name']} is to be read" for each in exercises if each["to_be_read"]]
    return [f"{lesson} {', '.join(lost)}"] if lost else []


def _number(lesson):
    return lesson.split("_")[0]


def _table_of_mistakes(mistakes):
    table = Table(box=box.SIMPLE_HEAD, title="The commonest mistakes", title_justify="left")
    table.add_column("students", justify="right")
    table.add_column("where", no_wrap=True)
    table.add_column("mistake", overflow="fold")
    for each in mistakes[:COMMONEST]:
        table.add_row(*map(Text, [str(each["students"]), f"{_number(each['lesson'])} {each['exercise']}", each["mistake"]]))
    return table


def _last_line(data):
    counted = Counter(about["status"] for about in data["students"].values())
    parts = [f"{counted['graded']} graded"] + ([f"{counted['unchanged']} unchanged since the last time"] if counted["unchanged"] else [])
    if not data["notebooks_run"] and counted["unchanged"] == len(data["students"]):
        return f"Nothing to do: all {counted['unchanged']} submissions are unchanged since they were graded."
    if counted["failed"]:
        parts.append(f"{counted['failed']} WITHOUT A GRADE: {', '.join(map(_words, data['without_grade']))}")
    return f"{'; '.join(parts)}. {data['notebooks_run']} notebooks ran."


def console_for(stream):
    """A Console on a stream; wide enough where it goes into a file."""
    console = Console(file=stream, highlight=False)
    return console if console.is_terminal else Console(file=stream, highlight=False, width=160)

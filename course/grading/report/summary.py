"""What an instructor sees after grading: a table, the commonest mistakes of the class, and the same for machines."""

from collections import Counter

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from course.grading.intake.submissions import shown
from course.grading.roster.people import FILE

from .totals import Lesson, Total

COMMONEST = 10
MANY = 40
"""From more students on the table names only those whose work went wrong in another way than being wrong."""
NARROW = 110
"""Columns of a terminal below which there is no room for a column for each lesson."""
LONGEST = 200
NAMED = 10
"""Others that are named in one line."""
MISSING = "was not handed in"
CHECKSUM = "Attribute 'checksum' for cell"
"""In nbgrader's note on a locked cell, which it puts back."""
STOPPED = {
    "time limit": "time limit. A loop that never ends?",
    "memory": "memory: it asked for more than it may have",
    "crash": "crash: it ended the Python process that it ran in",
    "output limit": "output limit: it returned more than may cross the border",
    "tampering": "tampering: what came back was not what the check makes",
}


def as_data(round):
    """All that is known of a finished Round, as JSON can hold it. What a student could choose the words of goes through `_words`."""
    students = {}
    for student, work in sorted(round.work.items()):
        students[_free(shown(student), students)] = _student(round, work)
    return {
        "unit": round.unit,
        "students": students,
        "handed_in_nothing": _absent(round),
        "mistakes": _mistakes(students),
        "changed": _changed(round),
        "notebooks_run": round.ran,
        "without_grade": [student for student, about in students.items() if about["status"] == "failed"],
        "not_submissions": {shown(entry): reason for entry, reason in round.others.items()},
        "remarks": [*round.remarks],
    }


def _free(name, taken):
    """The name itself, unless it is how another one is shown too."""
    return name if name not in taken else next(other for other in (f"{name} ({number})" for number in range(2, len(taken) + 3)) if other not in taken)


def _student(round, work):
    total = round.totals.get(work.student) or Total(work.student)
    lessons = {lesson: _lesson(round, work, total.lessons.get(lesson) or Lesson(lesson), calls) for lesson, calls in round.lessons.items()}
    return {
        **_about(round, work.student, total),
        "status": work.status,
        "failure": _words(work.failure),
        "points": total.score,
        "raw": total.raw,
        "penalty": total.penalty,
        "of": total.of,
        "handed_in": total.timestamp.isoformat() if total.timestamp else "",
        "seconds_late": total.seconds_late,
        "seconds_of_extension": total.extension.total_seconds() if total.extension else 0.0,
        "lessons": lessons,
        "notes": [*map(_words, _notes(work))],
    }


def _about(round, student, total):
    """A student's name and section: as the gradebook has them, or the roster."""
    first, last, section = round.known.name(student)
    return {"name": _words(" ".join(filter(None, (total.first_name or first, total.last_name or last)))), "section": _words(section)}


def _notes(work):
    """What somebody may want to know. That a locked cell was not as the gradebook has it is true of every release, and changes nothing."""
    ran = [f"{lesson}: {note}" for lesson, result in work.results.items() for note in result.get("notes", ())]
    return [note for note in work.notes if CHECKSUM not in note] + ran


def _absent(round):
    """[{"student", "name", "section"}] of those in the gradebook or in the roster of whom there is no submission."""
    if not round.everybody:
        return []

    def is_called(student):
        return getattr(round.known.person(student), "id", student)

    there = {*map(is_called, round.everybody), *(is_called(student) for student, total in round.totals.items() if total.handed_in)}
    known = {is_called(student): student for student in [*round.known.ids(), *round.totals]}
    absent = [student for name, student in sorted(known.items()) if name not in there]
    return [{"student": shown(student), **_about(round, student, round.totals.get(student) or Total(student))} for student in absent]


def _changed(round):
    """{student: [points when the unit was graded the last time, points now]} of those who had other points then."""
    now = {student: round.totals[student].score for student in round.work if student in round.totals}
    return {shown(student): [before, now[student]] for student, before in (round.last or {}).items() if student in now and now[student] != before}


def _lesson(round, work, total, calls):
    verdicts = {f"{call['kind']} {call['name']} {call['number']}": call for call in work.results.get(total.name, {}).get("verdicts", {}).values()}
    missing = total.name in work.missing and total.of > 0
    reason = (work.reasons.get(total.name) if total.of > 0 else "") or (MISSING if missing else "")
    exercises = {}
    for cell, found in total.exercises.items():
        call = calls.get(cell)
        verdict = verdicts.get(f"{call['kind']} {call['name']} {call['number']}", {}) if call else {}
        exercises[cell] = {
            "name": _name(call) if call else cell,
            "points": found.score,
            "of": found.of,
            "outcome": verdict.get("outcome", ""),
            "mistake": _words(verdict.get("mistake", "")),
            "said": _words(_whose(round, verdict["typed"]) if verdict.get("typed") else verdict.get("said", "")),
            "to_be_read": bool(not call and not reason and found.needs_reading and found.by_machine is None and cell in work.written.get(total.name, ())),
        }
    return {
        "points": total.score,
        "raw": total.raw,
        "penalty": total.penalty,
        "of": total.of,
        "reason": _words(reason),
        "exercises": exercises,
        "stopped": _stopped(work, total.name),
    }


def _whose(round, typed):
    """What is told of an answer for the numbers of somebody else."""
    owner = round.known.owner(typed)
    name = _about(round, owner, round.totals.get(owner) or Total(owner))["name"] if owner else ""
    whose = f"the id of another student, {_and_id(name, shown(owner))}" if owner else f"which the roster does not have for this student (see {FILE})"
    return f"answered for {typed!r}, {whose}"


def _and_id(name, student):
    return f"{name} ({student})" if name and name != student else student


def _words(text, most=LONGEST):
    """A text on one line, not too long, and without what a terminal would take for a command."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= most else f"{line[:most]} ..."


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
        left_out = {student: about for student, about in data["students"].items() if student not in listed}
        console.print(Text(f"{_others(left_out, bool(listed))}\n"))
        for line in (*_missing(left_out), _late_ones(left_out)):
            console.print(Text(f"{line}\n") if line else "", end="")
    if data["mistakes"]:
        console.print(_table_of_mistakes(data["mistakes"]))
    for line in (_nothing(data["handed_in_nothing"]), _since(data), _entries(data["not_submissions"])):
        if line:
            console.print(Text(line))
    console.print(Text(_last_line(data)))


def _nothing(absent):
    names = [_and_id(about["name"], about["student"]) for about in absent]
    return _words(f"Handed in nothing ({len(names)}): {_some(names, MANY)}.", LONGEST * 20) if names else ""


def _since(data):
    """Whose points are others than when the unit was graded the last time."""
    told = [f"{_and_id(data['students'].get(student, {}).get('name', ''), student)} {was:g} → {now:g}" for student, (was, now) in data["changed"].items()]
    return _words(f"Other points than the last time ({len(told)}): {_some(told)}.", LONGEST * 5) if told else ""


def _some(names, most=NAMED):
    return ", ".join(names[:most]) + (f", and {len(names) - most} more" if len(names) > most else "")


def _missing(students):
    """Lesson by lesson, who has not handed it in: of those whom the table leaves out."""
    by_lesson = {}
    for student, about in students.items():
        for lesson, found in about["lessons"].items():
            if found["reason"] == MISSING:
                by_lesson.setdefault(lesson, []).append(_and_id(about["name"], student))
    return [_words(f"{_number(lesson)} was not handed in by {_some(names)}.", LONGEST * 5) for lesson, names in sorted(by_lesson.items())]


def _late_ones(students):
    late = [f"{_and_id(about['name'], student)} ({_lateness(about)})" for student, about in students.items() if about["seconds_late"]]
    return _words(f"Late: {_some(late)}.", LONGEST * 5) if late else ""


def _lateness(about):
    """How late, with what extension, at what cost; "" for who was in time without one."""
    extension = f"an extension of {_span(about['seconds_of_extension'])}" if about["seconds_of_extension"] else ""
    if not about["seconds_late"]:
        return extension
    cost = f"{about['penalty']:g} point{'s' * (about['penalty'] != 1)} off" if about["penalty"] else "no points off"
    return f"{_span(about['seconds_late'])} late, {f'after {extension}, ' if extension else ''}{cost}"


def _span(seconds):
    """A time in its two largest parts: "2 days 3 hours"."""
    parts = []
    for name, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        number, seconds = divmod(int(seconds), size)
        parts += [f"{number} {name}{'s' * (number != 1)}"] if number else []
    return " ".join(parts[:2]) or "less than a minute"


def _entries(others):
    """What else lies in submitted/: somebody may look for it."""
    named = [f"{entry} ({reason})" for entry, reason in others.items() if not entry.startswith(".")]
    more = f", and {len(named) - NAMED} more" if len(named) > NAMED else ""
    return _words(f"In submitted/ and no submission of this unit: {', '.join(named[:NAMED])}{more}.", LONGEST * 5) if named else ""


def _special(students):
    """Those of whom an instructor wants to know more than the points: no grade, nothing handed in, not readable, stopped."""

    def is_special(about):
        return about["status"] == "failed" or any(found["reason"] not in ("", MISSING) or found["stopped"] for found in about["lessons"].values())

    return {student: about for student, about in students.items() if is_special(about)}


def _others(left_out, more):
    """What is said of those whom the table leaves out. more: whether there are others in it."""
    others = [[each for found in about["lessons"].values() for each in found["exercises"].values()] for about in left_out.values()]
    whole = sum(all(each["points"] >= each["of"] or each["to_be_read"] for each in exercises) for exercises in others)
    unread = sum(any(each["to_be_read"] for each in exercises) for exercises in others)
    return (
        f"{len(others)} {'more' if more else 'students'}, of whom {whole} lost no points and {len(others) - whole} lost some. "
        + (f"{unread} wrote something that is to be read. " if unread else "")
        + "Each by name: course grade --all, --json FILE, or Formgrader."
    )


def _table(unit, students, wide):
    lessons = next(iter(students.values()))["lessons"] if wide else ()
    sections = any(about["section"] for about in students.values())
    table = Table(box=box.SIMPLE_HEAD, title=f"Grades of {unit}", title_justify="left")
    table.add_column("student", overflow="fold")
    if sections:
        table.add_column("section", overflow="fold")
    table.add_column("points", justify="right", no_wrap=True)
    for lesson in lessons:
        table.add_column(lesson.split("_")[0], justify="right", no_wrap=True)
    table.add_column("what went wrong", overflow="fold")
    for student, about in sorted(students.items(), key=lambda each: each[1]["section"]):
        each = [about["lessons"][lesson] for lesson in lessons]
        points = [f"{found['points']:g}/{found['of']:g}" if found["of"] else "–" for found in each]
        who = [_and_id(about["name"], _words(student)), *([about["section"]] if sections else [])]
        table.add_row(*map(Text, [*who, f"{about['points']:g}/{about['of']:g}", *points, _trouble(about)]))
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
    return "\n".join(filter(None, [*lines, _lateness(about)]))


def _lost(lesson, exercises):
    """The exercises that lost points, each with what it has; and what nobody has read yet."""
    judged = [each for each in exercises if each["outcome"]]
    if judged and all(each["outcome"] == "not attempted yet" for each in judged):
        lost = ["nothing attempted"]
    else:
        lost = [
            f"{each['name']} {each['points']:g}/{each['of']:g}{' (' * bool(each['said'])}{each['said']}{')' * bool(each['said'])}"
            for each in judged
            if each["points"] < each["of"]
        ]
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

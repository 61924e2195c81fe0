"""A class as it really arrives, through a term's unit: roster, collect, grade, read, feedback, report, export. At each step what the instructor sees.

What everybody handed in, and each expected point, stands in tests/class_of_sixty.py. The normal lane has a few of each kind, the long one all sixty.
"""

import contextlib
import csv
import html
import io
import re
import sys
import zipfile
from collections import Counter
from types import SimpleNamespace

import class_of_sixty as sixty
import pytest
from class_of_sixty import CANVAS, CELL, LESSONS, MAIL, NOTHING, OF, QUIZ, UNIT
from nbgrader.api import Gradebook
from support import nbgrader, read, run

from course.grading import archive, cli
from course.grading.collect import forms
from course.grading.report import totals
from course.grading.roster import people

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox runs on Linux")
AGAIN = "gus07"
"""Who hands in once more, after everything was read: rightly now."""


def course(*arguments):
    """(exit status, what was printed) of a command in the folder that we are in."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = cli.main([*map(str, arguments)])
    return code, said.getvalue()


def grade(root):
    done = run("course", "grade", UNIT, "--json", "grades.json", "--all", "--cell-seconds", "20", cwd=root, COLUMNS="200")
    assert done.returncode == 0, (done.stdout, done.stderr)
    return read(root / "grades.json"), " ".join(done.stdout.split())


@pytest.fixture(scope="module", params=["few", pytest.param("sixty", marks=pytest.mark.long)])
def term(request, tmp_path_factory):
    """All that happens in one term, step by step, and what was seen of it."""
    class_ = sixty.CLASS if request.param == "sixty" else sixty.FEW
    root = tmp_path_factory.mktemp("term")
    seen = SimpleNamespace(root=root, students=class_, there=[student for student in class_ if student.by])
    with contextlib.chdir(root):
        tables, files = sixty.make(root, class_)
        seen.tables = tables
        seen.roster = course("roster", *tables.values())
        sixty.extend(root, class_)
        collect = ("collect", UNIT, *files.values(), "--timezone", "UTC")
        seen.dry, seen.after_dry = course(*collect, "--dry-run"), sorted(path.name for path in (root / "submitted").iterdir())
        seen.first = course(*collect)
        sixty.mend(root / "unmatched.csv")
        seen.mended, seen.third = course(*collect, "--matches", "unmatched.csv"), course(*collect, "--matches", "unmatched.csv")
        seen.graded, seen.table = grade(root)
        sixty.read_texts(root, class_)
        seen.read, seen.read_table = grade(root)
        seen.pages = course("feedback", UNIT)
        hand_in_again(root)
        seen.collected_again = course("collect", UNIT, root / "again.zip")
        seen.last, seen.last_table = grade(root)
        seen.pages_again, seen.zip = course("feedback", UNIT), course("feedback", UNIT, "--zip", "canvas")
        seen.report = course("report", UNIT)
        seen.canvas = course("export", "--for", "canvas", "--gradebook", tables["canvas"], "--column", sixty.COLUMN)
        seen.moodle, seen.csv = course("export", "--for", "moodle"), course("export", "--for", "csv")
        seen.by_lesson = course("export", "--for", "csv", "--by", "lesson", "--to", "lessons.csv")
        seen.by_exercise = course("export", "--for", "csv", "--by", "exercise", "--to", "exercises.csv")
        nbgrader(root, "export", "--to", "theirs.csv")
    return seen


def hand_in_again(root):
    """The student's files as Canvas gives them after a second hand-in: all is right now, and the number behind the name is Canvas's."""
    student = sixty.BY_ID[AGAIN]
    work = sixty.work_of(root, student)
    sixty.step(sixty.RIGHT_STEP)(work)
    files = {name.replace(".ipynb", "-1.ipynb"): content for name, content in sixty.from_canvas(student, work)}
    (root / "again.zip").write_bytes(sixty.zipped(files))


def points(student):
    """What a student has in the end."""
    return student.points() + 4 * (student.id == AGAIN)


def rows(file):
    return list(csv.DictReader(io.StringIO(file.read_bytes().decode("utf-8-sig"), newline="")))


# Roster and collect


def test_the_roster_knows_everybody_once(term):
    assert term.roster[0] == 0
    known = {person.id: person for person in people.read(term.root)}
    assert set(known) == {student.id for student in term.students}
    for student in term.students:
        assert (known[student.id].name, known[student.id].email) == (student.name, student.email)
        assert known[student.id].ids.get("canvas_id") == (str(4000 + student.number) if student.by == CANVAS else None)
    with Gradebook(f"sqlite:///{term.root / 'gradebook.db'}") as gradebook:
        assert {student.id for student in gradebook.students} == set(known)


def test_a_dry_run_says_what_would_go_where_and_writes_nothing(term):
    code, said = term.dry
    assert code == 1 and "Nothing was written" in said and "NOT MATCHED: Bobby S" in said
    assert term.after_dry == sorted(student.id for student in term.students if student.by == MAIL)
    for student in term.there:
        if student.by != MAIL and not student.called:
            assert f"{student.id} > submitted/{student.id}/{UNIT}: " in said
    assert sum(" would " in line for line in said.splitlines()) == 0  # nobody has anything there that would be replaced


def test_who_is_called_otherwise_is_mended_by_hand_and_nobody_moves(term):
    assert term.first[0] == 1 and "1 NOT MATCHED" in term.first[1]
    code, said = term.mended
    assert code == 0 and "NOT MATCHED" not in said and f"1 new, {len([each for each in term.there if each.by != MAIL]) - 1} unchanged" in said
    assert term.third[0] == 0 and " new" not in term.third[1].splitlines()[-1] and "changed," not in term.third[1].splitlines()[-1]


def test_who_handed_in_nothing_is_named_and_nobody_else(term):
    absent = [student.id for student in term.students if student.by == NOTHING]
    assert f"{len(absent)} of {len(term.students)} handed in nothing: {', '.join(absent)}\n" in term.mended[1]


def test_every_notebook_that_was_handed_in_is_in_place(term):
    """Byte for byte, but for who handed in again."""
    for student in term.there:
        found = [file.read_bytes() for file in (term.root / "submitted" / student.id).rglob("*") if file.is_file()]
        if student.id != AGAIN:
            for name, content in unpacked(sixty.work_of(term.root, student).files):
                assert content in found, (student.id, name)


def unpacked(files):
    for name, content in files.items():
        data = sixty.as_bytes(content)
        yield from [(each.name, each.read()) for each in archive.inside(data).entries] if name.endswith(".zip") else [(name, data)]


# Grade


def figures(data):
    """{student: (points of the checks, of the quiz, penalty, all)}"""
    return {name: (about["lessons"][CELL]["raw"], about["lessons"][QUIZ]["raw"], about["penalty"], about["points"]) for name, about in data["students"].items()}


def test_every_point_is_as_expected_before_and_after_the_texts_are_read(term):
    assert figures(term.graded) == {each.id: (each.cell, each.quiz, each.penalty, each.points(read=False)) for each in term.there}
    assert figures(term.read) == {each.id: (each.cell, each.quiz + (each.text or 0), each.penalty, each.points()) for each in term.there}
    assert {about["of"] for about in term.read["students"].values()} == {sum(OF.values())}


def test_names_and_sections_are_in_the_table(term):
    for student in term.there:
        assert f"{student.name} ({student.id}) {sixty.SECTIONS[student.by]} {student.points(read=False):g}/22" in term.table, student.id


def test_what_happened_is_told(term):
    missing = {each.id: each.said for each in term.there if each.said not in term.table}
    assert missing == {}
    notes = {each.id: " ".join(term.graded["students"][each.id]["notes"]) for each in term.there}
    assert {each.id: notes[each.id] for each in term.there if each.noted not in notes[each.id]} == {}


def test_nobody_who_wrote_something_is_told_that_nothing_was_attempted(term):
    for student in term.there:
        outcomes = [each["outcome"] for lesson in term.graded["students"][student.id]["lessons"].values() for each in lesson["exercises"].values()]
        assert outcomes.count("not attempted yet") == 0 or student.cell + student.quiz < 15, student.id


def test_the_absent_are_named_also_with_more_time(term):
    absent = [student.id for student in term.students if student.by == NOTHING]
    assert [each["student"] for each in term.graded["handed_in_nothing"]] == absent and term.graded["not_submissions"] == {}
    assert term.graded["without_grade"] == []


def test_a_text_is_to_be_read_where_one_was_written_until_it_was(term):
    def unread(data):
        return {student for student, about in data["students"].items() if about["lessons"][QUIZ]["exercises"]["key_insight"]["to_be_read"]}

    assert unread(term.graded) == {student.id for student in term.there if student.text is not None}
    assert unread(term.read) == unread(term.last) == set() and "is to be read" not in term.read_table


def test_grading_again_runs_nothing_and_says_what_was_given_by_hand(term):
    assert term.read["notebooks_run"] == 0
    assert term.read["changed"] == {each.id: [each.points(read=False), each.points()] for each in term.there if each.points() != each.points(read=False)}


def test_who_hands_in_again_has_the_new_points_and_keeps_those_by_hand(term):
    code, said = term.collected_again
    assert code == 0 and "(changed)" in said and "what was there is now in submitted/.before/" in said
    student = sixty.BY_ID[AGAIN]
    assert term.last["changed"] == {AGAIN: [student.points(), student.points() + 4]}
    assert term.last["notebooks_run"] <= len(LESSONS)
    assert {name: about["status"] for name, about in term.last["students"].items() if about["status"] != "unchanged"} == {AGAIN: "graded"}
    with Gradebook(f"sqlite:///{term.root / 'gradebook.db'}") as gradebook:
        by_hand = {each.id: gradebook.find_grade("key_insight", QUIZ, UNIT, each.id).manual_score for each in term.there}
    assert by_hand == {each.id: each.text for each in term.there}


# Feedback and the report


def page(term, student, lesson):
    return (term.root / "feedback" / student / UNIT / f"{lesson}.html").read_text(encoding="utf-8")


def words_of(page):
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", page)).split())


def test_everybody_has_a_page_for_each_lesson(term):
    assert term.pages[0] == 0 and f"The pages of {len(term.there)} students are written" in term.pages[1]
    assert term.pages_again[0] == 0 and "The pages of 1 student are written" in term.pages_again[1]
    for student in term.there:
        pages = [page(term, student.id, lesson) for lesson in LESSONS]
        assert not any(mark in text for text in pages for mark in ("hidden_check(", "hidden_quiz(", "BEGIN HIDDEN"))
        on_them = [float(re.search(r"\(Score: ([\d.]+) / ([\d.]+)\)", words_of(text))[1]) for text in pages]
        assert sum(on_them) == points(student), student.id


def test_a_script_in_a_text_is_on_no_page_and_in_no_notebook(term):
    for place in (f"feedback/xia23/{UNIT}/{QUIZ}.html", f"autograded/xia23/{UNIT}/{QUIZ}.ipynb"):
        text = (term.root / place).read_text(encoding="utf-8")
        assert "document.title" not in text.replace("&#39;", "'") or "<script>document.title" not in text
        assert "onerror=" not in text and "Where it is cut, the last step knows nothing" in text


def test_the_zip_for_canvas_has_the_pages_of_who_handed_in_there(term):
    assert term.zip[0] == (1 if any(student.by not in (CANVAS, NOTHING, MAIL) for student in term.students) else 0)
    with zipfile.ZipFile(term.root / f"feedback_{UNIT}_canvas.zip") as archive_:
        found = {name: archive_.read(name).decode("utf-8") for name in archive_.namelist()}
    handed = Counter(forms.canvas(name).lms_id for name in found)
    assert handed == {str(4000 + student.number): len(LESSONS) for student in term.there if student.by == CANVAS}
    for name, text in found.items():
        student = next(each for each in term.there if str(4000 + each.number) == forms.canvas(name).lms_id)
        assert text == page(term, student.id, re.search(r"\d\d_[a-z_]+(?=\.html)", name)[0])


def test_the_report_shows_everybody(term):
    assert term.report[0] == 0
    text = words_of((term.root / "report" / f"{UNIT}.html").read_text(encoding="utf-8"))
    for student in term.students:
        assert student.id in text and student.last in text


# Export


def test_every_figure_is_the_same_in_table_json_export_and_nbgraders_own(term):
    wanted = {student.id: float(points(student)) for student in term.students}
    theirs = {row["student_id"]: float(row["score"]) for row in rows(term.root / "theirs.csv")}
    ours = {row["student_id"]: row for row in rows(term.root / "grades.csv")}
    with Gradebook(f"sqlite:///{term.root / 'gradebook.db'}") as gradebook:
        known = {student: total.score for student, total in totals.of_unit(gradebook, UNIT).items()}
    assert theirs == known == {student: float(row["score"]) for student, row in ours.items()} == wanted
    assert {student: about["points"] for student, about in term.last["students"].items()} == {each.id: wanted[each.id] for each in term.there}
    for student in term.there:
        assert f"{student.name} ({student.id}) {sixty.SECTIONS[student.by]} {wanted[student.id]:g}/22" in term.last_table
        assert float(ours[student.id]["late_submission_penalty"]) == student.penalty


def test_lessons_and_exercises_come_to_the_whole(term):
    lessons, exercises = Counter(), Counter()
    for row in rows(term.root / "lessons.csv"):
        lessons[row["student_id"]] += float(row["score"])
    for row in rows(term.root / "exercises.csv"):
        exercises[row["student_id"]] += float(row["score"])
    for student in term.students:
        assert lessons[student.id] == points(student) and exercises[student.id] == points(student) + min(student.penalty, exercises[student.id])


def test_canvas_gets_back_its_own_file(term):
    before = list(csv.reader(io.StringIO(term.tables["canvas"].read_text(encoding="utf-8-sig"), newline="")))
    after = list(csv.reader(io.StringIO((term.root / "grades_canvas.csv").read_text(encoding="utf-8-sig"), newline="")))
    assert [row[:-1] for row in before] == [row[:-1] for row in after] and before[:2] == after[:2]
    scores = {row[2]: row[-1] for row in after[2:]}
    assert scores == {**{each.id: f"{points(each):.2f}" for each in term.students if each.by == CANVAS}, "test": ""}
    assert term.canvas[0] == 1 and "Student, Test is in Canvas and not in the roster" in term.canvas[1]


def test_moodle_gets_a_line_for_everybody(term):
    assert term.moodle[0] == 0
    found = {row["Email address"]: row[UNIT] for row in rows(term.root / "grades_moodle.csv")}
    assert found == {student.email: f"{points(student):.2f}" for student in term.students}

"""Questions whose numbers depend on the student, and the text that somebody has to read: a class with a roster, through `course grade`.

However a student is called in a folder, in the notebook and in the LMS: no point is lost to that, and none is gained by another's id.
"""

import json

import pytest
from class_of_sixty import answers_for
from nbgrader.api import Gradebook
from small_class import answers, course_of
from support import grade_id, read, run, source

UNIT, LESSON = "training", "09_model_quiz"
ROSTER = """id,first_name,last_name,email,section,canvas_id,sis_id
ada01,Ada,Lovelace,ada@uni.org,A,4711,S-1
ben02,Ben,Ode,Ben.Ode@uni.org,A,4712,S-2
cy03,Cy,Pher,cy@uni.org,A,4713,S-3
dan04,Dan,Ish,dan@uni.org,A,4714,S-4
eve05,Eve,Alt,eve@uni.org,A,4715,S-5
fay06,Fay,Rness,fay@uni.org,A,4716,S-6
gus07,Gus,To,gus@uni.org,A,4717,S-7
hal08,Hal,Lo,hal@uni.org,A,4718,S-8
"""
INSIGHT = "YOUR ANSWER HERE"
CLASS = {
    "ada01": {"typed": '"ada"', "who": "ada"},
    "ben.ode@uni.org": {"typed": '"Ben02 "', "who": "ben02", "text": "The state is a memory."},
    "cy03": {"typed": "4713", "who": "4713", "text": f"{INSIGHT}\n\nBut shorter."},
    "4714": {"typed": '"dan@uni.org"', "who": "dan@uni.org", "text": ""},
    "eve05": {"typed": '""', "who": "eve05", "text": f"  {INSIGHT} \n"},
    "fay06": {"typed": '"FAY"', "who": None, "text": "   "},
    "gus07": {"typed": '"ada01"', "who": "ada01", "text": "..."},
    "hal08": {"typed": '"somebody"', "who": "somebody", "text": "It counts."},
}
"""typed: what stands after `student =`; who: the id for which the answers are, typed as plain numbers; None: computed from what the notebook shows."""
RIGHT = ("ada01", "ben.ode@uni.org", "cy03", "4714", "eve05", "fay06")
WRITTEN = ("ben.ode@uni.org", "cy03", "hal08")


def notebook_of(root, about):
    notebook, solved = read(root / "notebooks" / UNIT / f"{LESSON}.ipynb"), answers(LESSON)
    for cell in notebook["cells"]:
        if grade_id(cell) == "key_insight":
            cell["source"] = about.get("text", source(cell))
        elif cell["metadata"].get("nbgrader", {}).get("solution"):
            cell["source"] = answers_for(about["who"]) if grade_id(cell) == "answers_4_5" and about["who"] else solved[grade_id(cell)]
        elif source(cell).startswith("student = "):
            cell["source"] = source(cell).replace('student = ""', f"student = {about['typed']}")
    return notebook


def grade(root):
    done = run("course", "grade", UNIT, "--json", "grades.json", cwd=root, COLUMNS="200")
    assert done.returncode == 0, done.stderr
    return json.loads((root / "grades.json").read_text(encoding="utf-8")), " ".join(done.stdout.split())


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """(the course's folder, what --json says, the table)"""
    root = course_of(tmp_path_factory.mktemp("by_id"), UNIT, LESSON)
    (root / "roster.csv").write_text(ROSTER)
    for student, about in CLASS.items():
        folder = root / "submitted" / student / UNIT
        folder.mkdir(parents=True)
        (folder / f"{LESSON}.ipynb").write_text(json.dumps(notebook_of(root, about)), encoding="utf-8")
    return root, *grade(root)


def asked(data, student, number):
    return data["students"][student]["lessons"][LESSON]["exercises"][f"quiz_{number}"]


@pytest.mark.parametrize("student", RIGHT)
def test_whatever_an_id_looks_like_no_point_is_lost(course, student):
    _, data, _ = course
    assert [asked(data, student, number)["points"] for number in (1, 2, 3, 4, 5, 6)] == [asked(data, student, number)["of"] for number in (1, 2, 3, 4, 5, 6)]


def test_the_numbers_are_worth_comparing():
    texts = {who: answers_for(who) for who in ("ada", "ada01", "ben02", "gus07", "hal08", "somebody")}
    assert texts["ada"] != texts["ada01"] != texts["gus07"] and texts["somebody"] != texts["hal08"]


@pytest.mark.parametrize(
    "student, words", [("gus07", "the id of another student, Ada Lovelace (ada01)"), ("hal08", "the roster does not have for this student")]
)
def test_another_ones_id_earns_nothing_and_is_reported(course, student, words):
    root, data, table = course
    for number in (4, 5):
        found = asked(data, student, number)
        assert found["points"] == 0 and words in found["said"] and words in table
    assert asked(data, student, 1)["points"] == 1
    page = json.dumps(read(root / "autograded" / student / UNIT / f"{LESSON}.ipynb"))
    assert "this is not an id of yours" in page and "Lovelace" not in page


def test_who_is_added_to_the_roster_has_the_points_and_nobody_else_runs_again(course):
    root, _, _ = course
    (root / "roster.csv").write_text(ROSTER.replace("S-8", "Somebody"))
    data, _ = grade(root)
    (root / "roster.csv").write_text(ROSTER)
    assert data["notebooks_run"] == 1 and asked(data, "hal08", 4)["points"] == 2
    assert grade(root)[0]["students"]["hal08"]["points"] == data["students"]["hal08"]["points"] - 4


def test_a_text_is_to_be_read_where_one_was_written_until_it_is_read(course):
    root, data, _ = course

    def to_be_read(data):
        return {student for student, about in data["students"].items() if about["lessons"][LESSON]["exercises"]["key_insight"]["to_be_read"]}

    assert to_be_read(data) == {*WRITTEN}
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        for student, points in (("cy03", 0), ("ben.ode@uni.org", 2)):
            grade_of = gradebook.find_grade("key_insight", LESSON, UNIT, student)
            grade_of.manual_score, grade_of.needs_manual_grade = points, False  # as Formgrader keeps a score
        gradebook.db.commit()
    data, table = grade(root)
    assert to_be_read(data) == {"hal08"} and table.count("is to be read") == 1
